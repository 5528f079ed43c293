internal import HandfastEncoding
public import HandfastLink

/// Carries out the commands that come by the vault's Unix socket, while the node runs.
///
/// One frame is one command; its answers come as ``CommandFrame`` says. The socket's mode (0600) is the permission.
///
/// - Source: Spec/06 §6.4
public struct CommandServer: Sendable {
    /// The socket's name in the vault's folder.
    public static let socketName = "node.sock"

    private let server: LinkServer
    private let replies: @Sendable (Command) async -> AsyncStream<CommandReply>

    /// Listens on a socket file.
    ///
    /// - Parameter replies: carries a command out; of all but a watch the first reply that is not interim is the
    ///   answer.
    /// - Throws: ``LinkError/socketInUse(_:)`` and what else keeps it from listening.
    public static func listen(
        socketPath: String, replies: @escaping @Sendable (Command) async -> AsyncStream<CommandReply>
    ) async throws(LinkError) -> CommandServer {
        CommandServer(server: try await LinkServer.listen(socketPath: socketPath), replies: replies)
    }

    private init(server: LinkServer, replies: @escaping @Sendable (Command) async -> AsyncStream<CommandReply>) {
        self.server = server
        self.replies = replies
    }

    /// Serves until the task is cancelled.
    public func run() async {
        await server.run { [replies] connection in
            do {
                for try await frame in connection.frames {
                    try await Self.answer(frame, on: connection, replies)
                }
            } catch {
                // The client is gone; what it asked for stands or does not, as its next question will tell.
            }
        }
    }

    private static func answer(
        _ frame: [UInt8], on connection: LinkConnection,
        _ replies: @escaping @Sendable (Command) async -> AsyncStream<CommandReply>
    ) async throws {
        let command: Command
        do {
            command = try CBORDecoder().decode(Command.self, from: frame)
        } catch {
            let failure = CommandFailure(
                .usage, "the running node does not understand the command; are both of the same version?")
            return try await connection.send(CommandFrame.frames(of: .failed(failure), isLast: true))
        }
        guard case .watch = command else {
            for await reply in await replies(command) {
                try await connection.send(CommandFrame.frames(of: reply, isLast: !reply.isInterim))
                if !reply.isInterim { return }
            }
            throw LinkError.closed
        }
        // A watch has no end of its own: it ends when the client closes, which shows in the next frame it would send.
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await reply in await replies(command) {
                    try await connection.send(CommandFrame.frames(of: reply, isLast: false))
                }
            }
            group.addTask {
                for try await _ in connection.frames {}
            }
            defer { group.cancelAll() }
            try await group.next()
        }
        throw LinkError.closed
    }
}
