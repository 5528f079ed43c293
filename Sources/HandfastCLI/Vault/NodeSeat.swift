internal import HandfastNode
internal import HandfastPostgres
internal import HandfastStore
internal import Logging
internal import Synchronization

/// The place of this process among those that run a node on one vault: it delivers, or stands by until it may.
///
/// - Source: Spec/08 §8.5
final class NodeSeat: Sendable {
    private enum State {
        case standingBy(StandIn)
        case delivering(OpenNode)
    }

    /// How often a process that stands by looks whether the vault is free.
    private static let pause = Duration.milliseconds(500)
    /// How often a process that delivers looks for what was passed on to it.
    private static let requestPause = Duration.milliseconds(100)
    /// How long a command waits for some process to have the vault.
    private static let patience = Duration.seconds(60)

    /// The node by which the vault is read: the one that delivers, if it did so from the beginning.
    let node: Node
    private let settings: Settings
    private let logger: Logger
    private let state: Mutex<State>

    /// Opens the vault, and stands by where another process has it.
    static func take(_ settings: Settings, logger: Logger) async throws -> NodeSeat {
        switch try await VaultPlace(settings).open({ try Unlocking.unlock(settings) }) {
        case .alone(let vault):
            let opened = try await OpenNode.open(on: vault, settings, listens: true, logger: logger)
            return NodeSeat(opened.node, .delivering(opened), settings, logger)
        case .standingBy(let vault):
            let standIn = try await StandIn(vault, settings, logger: logger)
            return NodeSeat(standIn.node, .standingBy(standIn), settings, logger)
        }
    }

    private init(_ node: Node, _ state: sending State, _ settings: Settings, _ logger: Logger) {
        self.node = node
        self.settings = settings
        self.logger = logger
        self.state = Mutex(state)
    }

    /// Whether another process has the vault.
    var standsBy: Bool {
        state.withLock { state in
            if case .standingBy = state { true } else { false }
        }
    }

    // MARK: Running

    /// Delivers, once nobody else does, until the task is cancelled.
    ///
    /// - Throws: what ends the process: ``Failure`` when another one has taken the vault, or what the node throws
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            if standsBy {
                group.addTask { [node] in
                    await node.followOthers()
                    try Task.checkCancellation()
                }
            }
            group.addTask { try await self.deliver(by: self.waitForVault()) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func waitForVault() async throws -> OpenNode {
        while true {
            switch state.withLock(\.self) {
            case .delivering(let opened): return opened
            case .standingBy(let standIn):
                try await Task.sleep(for: Self.pause)
                // While the database does not answer nobody can take the vault.
                guard let vault = try? await standIn.vault.take() else { continue }
                let opened = try await OpenNode.open(on: vault, settings, listens: true, logger: logger)
                logger.notice("the process that had the vault is gone: this one delivers now")
                state.withLock { $0 = .delivering(opened) }
            }
        }
    }

    private func deliver(by opened: OpenNode) async throws {
        guard let store = opened.database else { return try await opened.node.run() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await opened.node.run() }
            group.addTask { await Self.carryOut(CommandExecutor(node: opened.node), from: store) }
            group.addTask {
                await store.waitUntilTaken()
                try Task.checkCancellation()
                throw Failure(
                    .tryAgain, "another process has taken the vault, because this one was silent for too long",
                    hint: "start it again: it stands by then, and delivers when it has to")
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Carries out what others pass on.
    private static func carryOut(_ executor: CommandExecutor, from store: PostgresVaultStore) async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                // Where the vault is lost, the process ends by it.
                for request in (try? await store.beginRequests(limit: 64)) ?? [] {
                    group.addTask {
                        let reply: CommandReply
                        do {
                            reply = await executor.execute(try PassedCommand.command(request.content))
                        } catch {
                            reply = .failed(
                                CommandFailure(
                                    .usage,
                                    "the process that has the vault does not understand the command; are all of the "
                                        + "same version?"))
                        }
                        guard let bytes = try? PassedCommand.bytes(of: reply) else { return }
                        try? await store.answer(request.id, bytes)
                    }
                }
                try? await Task.sleep(for: requestPause)
            }
        }
    }

    /// How far this process has come in receiving; nothing while it stands by.
    func receiving() async -> [ReceivingReport] {
        switch state.withLock(\.self) {
        case .delivering(let opened): await opened.node.receiving()
        case .standingBy: []
        }
    }

    /// Ends the use of the vault.
    func close() async {
        switch state.withLock(\.self) {
        case .delivering(let opened): await opened.close()
        case .standingBy(let standIn): await standIn.vault.store.close()
        }
    }

    // MARK: Commands

    /// Carries out a command, here or by the process that has the vault.
    func replies(to command: Command) -> AsyncStream<CommandReply> {
        switch state.withLock(\.self) {
        case .delivering(let opened): return CommandExecutor(node: opened.node).replies(to: command)
        case .standingBy(let standIn):
            if let executor = standIn.executor(for: command) { return executor.replies(to: command) }
        }
        return AsyncStream { continuation in
            let task = Task {
                continuation.yield(await self.passOn(command))
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func passOn(_ command: Command) async -> CommandReply {
        let end = ContinuousClock.now + Self.patience
        while ContinuousClock.now < end, !Task.isCancelled {
            switch state.withLock(\.self) {
            case .delivering(let opened): return await CommandExecutor(node: opened.node).execute(command)
            case .standingBy(let standIn):
                if let reply = await standIn.pass(command) { return reply }
            }
            // Nobody has the vault: this process or another takes it.
            try? await Task.sleep(for: Self.requestPause)
        }
        return .failed(CommandFailure(.tryAgain, "no process has the vault; nothing was done"))
    }
}
