import Foundation
import HandfastTestSupport

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

        /// The JSON documents on standard output, one a line.
        func lines<T: Decodable>(_ type: T.Type = T.self) throws -> [T] {
            try output.split(separator: "\n").map { try JSONDecoder().decode(type, from: Data($0.utf8)) }
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
        let files = try Spawned.Files(at: scene.newFile("process"), input: input)
        let process = try Spawned(
            program.path, arguments, environment: scene.environment(environment), files: files)
        let status = await process.waitForEnd()
        return Result(status: status, output: files.said, errors: files.complained)
    }
}
