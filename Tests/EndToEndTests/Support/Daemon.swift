import Foundation
import HandfastTestSupport

/// A program that runs until it is stopped, and says one line once it is ready.
final class Daemon: Sendable {
    /// What it said when it was ready.
    let firstLine: String
    private let process: Spawned
    private let files: Spawned.Files

    private init(_ process: Spawned, _ files: Spawned.Files, firstLine: String) {
        self.process = process
        self.files = files
        self.firstLine = firstLine
    }

    /// What it could not do at its start.
    struct DidNotStart: Error, CustomStringConvertible {
        let status: Int32
        let errors: String
        var description: String { "ended with \(status) before it was ready: \(errors)" }
    }

    /// Starts it and waits until it is ready.
    static func start(
        _ arguments: [String], program: String = Tool.url.path, in scene: Scene, environment: [String: String] = [:]
    ) async throws -> Daemon {
        let files = try Spawned.Files(at: scene.newFile("process"), input: "")
        let process = try Spawned(
            program, arguments, environment: scene.environment(environment), files: files)
        do {
            return try await Party.until("\(arguments) is not ready") {
                let said = files.said
                if let end = said.firstIndex(of: "\n") {
                    return Daemon(process, files, firstLine: String(said[..<end]))
                }
                if let status = process.status { throw DidNotStart(status: status, errors: files.complained) }
                return nil
            }
        } catch {
            process.signal(SIGKILL)
            throw error
        }
    }

    var processID: Int32 { process.processID }

    /// What it wrote to standard output.
    var output: String { files.said }

    /// What it wrote to standard error.
    var log: String { files.complained }

    /// Sends a signal and waits for the end.
    @discardableResult
    func stop(_ signal: Int32 = SIGTERM) async -> Int32 {
        process.signal(signal)
        return await process.waitForEnd()
    }

    /// Holds it still, as it is: its connections stand, and it does nothing.
    func hold() { process.signal(SIGSTOP) }

    /// Lets it go on.
    func resume() { process.signal(SIGCONT) }

    /// Waits until it has ended by itself.
    func ended() async -> Int32 {
        await process.waitForEnd()
    }

    /// Ends it without waiting.
    func abandon() {
        process.signal(SIGKILL)
    }
}
