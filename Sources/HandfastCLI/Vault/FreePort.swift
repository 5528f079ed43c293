internal import HandfastNode
internal import NIOCore
internal import NIOPosix

/// A port on loopback that nothing listens at.
enum FreePort {
    /// Finds one, above those that the system hands out, so that it is still free when the node starts.
    static func find() async throws -> Int {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<64 {
            let port = Int.random(in: 20_000..<32_000, using: &random)
            if let channel = try? await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .bind(host: "127.0.0.1", port: port).get()
            {
                try await channel.close().get()
                return port
            }
        }
        throw Failure(.cannotCreate, "no free port was found", hint: "give one with --listen host:port")
    }
}
