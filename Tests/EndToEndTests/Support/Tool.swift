import Foundation

/// The `handfast` program that was built with these tests, run as a person or a script runs it.
enum Tool {
    /// What a run left.
    struct Result: Sendable {
        let status: Int32
        let output: String
        let errors: String

        /// The one JSON document on standard output.
        func json<T: Decodable>(_ type: T.Type = T.self) throws -> T {
            try JSONDecoder().decode(type, from: Data(output.utf8))
        }
    }

    /// The failure that `--json` writes.
    struct Failure: Decodable, Sendable {
        struct Fields: Decodable, Sendable {
            let code: String
            let message: String
            let hint: String
        }
        let error: Fields
    }

    /// A run that did not end as it had to.
    struct UnexpectedEnd: Error, CustomStringConvertible {
        let arguments: [String]
        let result: Result
        var description: String {
            "handfast \(arguments.joined(separator: " ")) ended with \(result.status): \(result.output)\(result.errors)"
        }
    }

    /// Beside the tests' own program.
    static var url: URL {
        let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: own ?? CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("handfast")
    }

    /// Runs a program to its end.
    ///
    /// - Parameter input: what it reads; nothing by default.
    static func run(
        _ arguments: [String], program: URL = url, in scene: Scene, input: String = "",
        environment: [String: String] = [:]
    ) async throws -> Result {
        let place = scene.newFile("run")
        let files = ["in", "out", "err"].map { URL(fileURLWithPath: "\(place).\($0)") }
        try Data(input.utf8).write(to: files[0])
        for file in files[1...] { try Data().write(to: file) }
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = scene.environment(environment)
        // Files, not pipes: nobody has to read while the program runs.
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        let status = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
        return Result(
            status: status, output: String(decoding: try Data(contentsOf: files[1]), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: files[2]), as: UTF8.self))
    }
}
