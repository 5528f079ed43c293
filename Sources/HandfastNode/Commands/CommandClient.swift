internal import HandfastEncoding
internal import HandfastLink

/// Sends commands to a running node by its vault's Unix socket.
public struct CommandClient: Sendable {
    private let socketPath: String

    /// A client of the node whose socket this is.
    public init(socketPath: String) {
        self.socketPath = socketPath
    }

    /// Carries out one command and gives its answer.
    public func execute(_ command: Command) async -> CommandReply {
        for await reply in replies(to: command) where !reply.isInterim { return reply }
        return .failed(CommandFailure(.tryAgain, "the running node stopped before it answered; try again"))
    }

    /// Carries out one command and gives its answers as they come; a watch has them until its reader stops.
    public func replies(to command: Command) -> AsyncStream<CommandReply> {
        AsyncStream { continuation in
            let task = Task {
                do {
                    let connection = try await LinkClient.connect(socketPath: socketPath)
                    do {
                        try await Self.exchange(command, on: connection, continuation)
                    } catch {
                        await connection.close()
                        throw error
                    }
                    await connection.close()
                } catch {
                    continuation.yield(
                        .failed(CommandFailure(.tryAgain, "the running node could not be asked: \(error)")))
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private static func exchange(
        _ command: Command, on connection: LinkConnection, _ continuation: AsyncStream<CommandReply>.Continuation
    ) async throws {
        try await connection.send([try CBOREncoder().encode(command)])
        var joiner = CommandFrame.Joiner()
        for try await frame in connection.frames {
            guard let answer = try joiner.take(frame) else { continue }
            continuation.yield(answer.reply)
            if answer.isLast { return }
        }
    }
}
