import Foundation

/// A program that runs until it is stopped, and says one line once it is ready.
final class Daemon: @unchecked Sendable {
    /// What it said when it was ready.
    let firstLine: String
    private let process: Process
    private let errors: String

    private init(_ process: Process, firstLine: String, errors: String) {
        self.process = process
        self.firstLine = firstLine
        self.errors = errors
    }

    /// What it could not do at its start.
    struct DidNotStart: Error, CustomStringConvertible {
        let status: Int32
        let errors: String
        var description: String { "ended with \(status) before it was ready: \(errors)" }
    }

    /// Starts it and waits until it is ready.
    static func start(
        _ arguments: [String], in scene: Scene, environment: [String: String] = [:]
    ) async throws -> Daemon {
        let place = scene.newFile("daemon")
        let files = ["out", "err"].map { URL(fileURLWithPath: "\(place).\($0)") }
        for file in files { try Data().write(to: file) }
        let process = Process()
        process.executableURL = Tool.url
        process.arguments = arguments
        process.environment = scene.environment(environment)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        try process.run()
        while true {
            let said = String(decoding: try Data(contentsOf: files[0]), as: UTF8.self)
            if let end = said.firstIndex(of: "\n") {
                return Daemon(process, firstLine: String(said[..<end]), errors: files[1].path)
            }
            guard process.isRunning else {
                let errors = String(decoding: try Data(contentsOf: files[1]), as: UTF8.self)
                throw DidNotStart(status: process.terminationStatus, errors: errors)
            }
            do {
                try await Task.sleep(for: .milliseconds(10))
            } catch {
                kill(process.processIdentifier, SIGKILL)
                throw error
            }
        }
    }

    var processID: Int32 { process.processIdentifier }

    /// What it wrote to standard error.
    var log: String { (try? String(contentsOfFile: errors, encoding: .utf8)) ?? "" }

    /// Sends a signal and waits for the end.
    @discardableResult
    func stop(_ signal: Int32 = SIGTERM) async -> Int32 {
        if process.isRunning { kill(process.processIdentifier, signal) }
        // The signal is sent: the end comes, and this looks for it.
        while process.isRunning { try? await Task.sleep(for: .milliseconds(5)) }
        return process.terminationStatus
    }

    /// Ends it without waiting.
    func abandon() {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
}
