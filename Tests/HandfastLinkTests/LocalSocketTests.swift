import Foundation
import Testing

@testable import HandfastLink

@Suite(.timeLimit(.minutes(5)))
struct LocalSocketTests {
    /// A folder of its own for the length of `body`.
    static func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hf-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    static func mode(of path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test func carriesFramesAndBelongsToItsOwnerAlone() async throws {
        try await Self.withFolder { folder in
            let path = folder.appending(path: "s").path
            let server = try await LinkServer.listen(socketPath: path)
            async let running: Void = server.run { await LinkServerTests.echo($0) }
            #expect(try Self.mode(of: path) == 0o600)
            let connection = try await LinkClient.connect(socketPath: path)
            try await connection.send([[1, 2, 3]])
            #expect(try await connection.nextFrames() == [[1, 2, 3]])
            #expect(connection.handshakeHash.isEmpty)
            await connection.close()
            await server.shutDown()
            await running
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func replacesTheFileOfAProcessThatIsGone() async throws {
        try await Self.withFolder { folder in
            let path = folder.appending(path: "s").path
            let descriptor = try LocalSocket.bind(path: path)
            _ = Glibc.close(descriptor)
            #expect(FileManager.default.fileExists(atPath: path))
            let server = try await LinkServer.listen(socketPath: path)
            await server.shutDown(within: .zero)
        }
    }

    @Test func leavesTheSocketOfALivingProcessAlone() async throws {
        try await Self.withFolder { folder in
            let path = folder.appending(path: "s").path
            let server = try await LinkServer.listen(socketPath: path)
            await #expect(throws: LinkError.socketInUse(path)) { _ = try await LinkServer.listen(socketPath: path) }
            await server.shutDown(within: .zero)
        }
    }

    @Test func leavesOtherFilesAlone() async throws {
        try await Self.withFolder { folder in
            let file = folder.appending(path: "s")
            try Data("keep".utf8).write(to: file)
            await #expect(throws: LinkError.notASocket(file.path)) {
                _ = try await LinkServer.listen(socketPath: file.path)
            }
            #expect(try Data(contentsOf: file) == Data("keep".utf8))
        }
    }

    @Test func refusesAPathThatIsTooLong() async throws {
        let path = "/tmp/" + String(repeating: "x", count: 120)
        await #expect(throws: LinkError.socketPathTooLong(path, limit: LocalSocket.maximumPathCount)) {
            _ = try await LinkServer.listen(socketPath: path)
        }
    }

    @Test func tellsThatNobodyListens() async throws {
        try await Self.withFolder { folder in
            let path = folder.appending(path: "s").path
            await #expect(throws: LinkError.unreachable(path, reason: "there is no such file")) {
                _ = try await LinkClient.connect(socketPath: path)
            }
        }
    }
}
