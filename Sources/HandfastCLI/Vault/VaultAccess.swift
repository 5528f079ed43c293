internal import HandfastLink
internal import HandfastNode
internal import HandfastPostgres
internal import HandfastStore
internal import Logging
internal import Synchronization

/// A vault as a command uses it: through the node that runs on it, or, where none does, by opening it.
final class VaultAccess: Sendable {
    private enum Way: Sendable {
        case throughNode(CommandClient)
        case standingBy(StandIn)
        case opened(OpenNode)
    }

    private let settings: Settings
    private let listens: Bool
    private let way: Mutex<Way>

    /// Finds the node that runs on the vault, or opens the vault.
    ///
    /// - Parameter network: whether the command needs it; without, an own relay stays closed.
    /// - Throws: ``Failure``
    init(_ options: GlobalOptions, network: Bool = true) async throws {
        let settings = try await Settings.load(options)
        self.settings = settings
        listens = network
        ProcessLog.start(settings, usual: .error)
        let socket = settings.folder.file(named: CommandServer.socketName)
        if await Self.answers(socket) {
            way = Mutex(.throughNode(CommandClient(socketPath: socket)))
            return
        }
        let logger = Logger(label: "handfast")
        switch try await VaultPlace(settings).open({ try Unlocking.unlock(settings) }) {
        case .alone(let vault):
            let opened = try await OpenNode.open(on: vault, settings, listens: network, logger: logger)
            way = Mutex(.opened(opened))
            // Others are to have the vault at once, rather than when the term is over.
            if opened.database != nil { Closing.current?.add { await opened.close() } }
        case .standingBy(let vault):
            way = Mutex(.standingBy(try await StandIn(vault, settings, logger: logger)))
            Closing.current?.add { await vault.store.close() }
        }
    }

    /// Whether a node listens at its vault's socket; a file without one is left by a process that was killed.
    private static func answers(_ socket: String) async -> Bool {
        guard let connection = try? await LinkClient.connect(socketPath: socket) else { return false }
        await connection.close()
        return true
    }

    /// Whether a node runs on the vault, and goes on working after the command.
    var hasRunningNode: Bool {
        if case .opened = way.withLock(\.self) { false } else { true }
    }

    /// The seconds that a command may wait for the network.
    func wait(_ options: WaitOptions) -> UInt32 { options.seconds(settings) }

    /// Carries out a command.
    ///
    /// - Throws: ``Failure``
    func reply(to command: Command) async throws -> CommandReply {
        let reply =
            switch way.withLock(\.self) {
            case .throughNode(let client): await client.execute(command)
            case .opened(let opened): await CommandExecutor(node: opened.node).execute(command)
            case .standingBy(let standIn): try await self.reply(to: command, by: standIn)
            }
        if case .failed(let failure) = reply { throw failure }
        return reply
    }

    /// Has another process carry a command out; where that process is gone, this one takes the vault and does it.
    private func reply(to command: Command, by standIn: StandIn) async throws -> CommandReply {
        if let executor = standIn.executor(for: command) { return await executor.execute(command) }
        while true {
            if let reply = await standIn.pass(command) { return reply }
            guard let vault = try await standIn.vault.take() else { continue }
            let opened = try await OpenNode.open(
                on: vault, settings, listens: listens, logger: Logger(label: "handfast"))
            way.withLock { $0 = .opened(opened) }
            Closing.current?.add { await opened.close() }
            return await CommandExecutor(node: opened.node).execute(command)
        }
    }

    /// Follows a command that has many answers, until its task is cancelled.
    ///
    /// - Throws: ``Failure``
    func follow(_ command: Command, _ body: (CommandReply) throws -> Void) async throws {
        switch way.withLock(\.self) {
        case .throughNode(let client):
            for await reply in client.replies(to: command) { try checked(reply, body) }
        case .opened(let opened):
            for await reply in CommandExecutor(node: opened.node).replies(to: command) { try checked(reply, body) }
        case .standingBy(let standIn):
            let following = Task { await standIn.node.followOthers() }
            defer { following.cancel() }
            let executor = CommandExecutor(reading: standIn.node)
            for await reply in executor.replies(to: command) { try checked(reply, body) }
        }
    }

    private func checked(_ reply: CommandReply, _ body: (CommandReply) throws -> Void) throws {
        if case .failed(let failure) = reply { throw failure }
        try body(reply)
    }

    /// Carries out a command that tells how far it is before it is answered; a process that passes it on to another one
    /// hears only the answer.
    ///
    /// - Throws: ``Failure``
    func reply(to command: Command, meanwhile: (CommandReply) throws -> Void) async throws -> CommandReply {
        let replies: AsyncStream<CommandReply>
        switch way.withLock(\.self) {
        case .throughNode(let client): replies = client.replies(to: command)
        case .opened(let opened): replies = CommandExecutor(node: opened.node).replies(to: command)
        case .standingBy: return try await reply(to: command)
        }
        for await reply in replies {
            if case .failed(let failure) = reply { throw failure }
            guard reply.isInterim else { return reply }
            try meanwhile(reply)
        }
        throw Failure(
            .tryAgain, "the running node stopped before it answered", hint: "the same command again goes on with it")
    }

    /// Carries out a command that is answered by what comes of strangers.
    func strangers(_ command: Command, progress: String) async throws -> StrangersReport {
        guard case .strangers(let report) = try await Progress.during(progress, { try await reply(to: command) })
        else { throw Failure.unexpectedReply }
        return report
    }

    /// Carries out a command that is answered by one relationship.
    func relationship(_ command: Command, progress: String = "Looking") async throws -> RelationshipReport {
        guard case .relationship(let report) = try await Progress.during(progress, { try await reply(to: command) })
        else { throw Failure.unexpectedReply }
        return report
    }
}

extension Failure {
    /// The node answered something else than what was asked.
    static let unexpectedReply = Failure(
        .failed, "the running node gave an answer that does not fit the command",
        hint: "it may be another version; restart it")
}
