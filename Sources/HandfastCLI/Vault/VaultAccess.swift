internal import HandfastLink
internal import HandfastNode
internal import HandfastStore
internal import Logging

/// A vault as a command uses it: through the node that runs on it, or, where none does, by opening it.
struct VaultAccess: Sendable {
    private enum Way: Sendable {
        case throughNode(CommandClient)
        case opened(OpenNode)
    }

    private let settings: Settings
    private let way: Way

    /// Finds the node that runs on the vault, or opens the vault.
    ///
    /// - Parameter network: whether the command needs it; without, an own relay stays closed.
    /// - Throws: ``Failure``
    init(_ options: GlobalOptions, network: Bool = true) async throws {
        settings = try await Settings.load(options)
        ProcessLog.start(settings, usual: .error)
        let socket = settings.folder.file(named: CommandServer.socketName)
        if await Self.answers(socket) {
            way = .throughNode(CommandClient(socketPath: socket))
        } else {
            let logger = Logger(label: "handfast")
            way = .opened(try await OpenNode.open(settings, listens: network, logger: logger))
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
        if case .throughNode = way { true } else { false }
    }

    /// The seconds that a command may wait for the network.
    func wait(_ options: WaitOptions) -> UInt32 { options.seconds(settings) }

    /// Carries out a command.
    ///
    /// - Throws: ``Failure``
    func reply(to command: Command) async throws -> CommandReply {
        let reply =
            switch way {
            case .throughNode(let client): await client.execute(command)
            case .opened(let opened): await CommandExecutor(node: opened.node).execute(command)
            }
        if case .failed(let failure) = reply { throw failure }
        return reply
    }

    /// Follows a command that has many answers, until its task is cancelled.
    ///
    /// - Throws: ``Failure``
    func follow(_ command: Command, _ body: (CommandReply) throws -> Void) async throws {
        switch way {
        case .throughNode(let client):
            for await reply in client.replies(to: command) { try checked(reply, body) }
        case .opened(let opened):
            for await reply in CommandExecutor(node: opened.node).replies(to: command) { try checked(reply, body) }
        }
    }

    private func checked(_ reply: CommandReply, _ body: (CommandReply) throws -> Void) throws {
        if case .failed(let failure) = reply { throw failure }
        try body(reply)
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
