import Foundation
import HandfastStore
import HandfastTestSupport
import Testing

/// This test program again, as a process of its own that may be killed, traced and starved of disk.
///
/// The child runs the one test that ``StoreChild`` enables; it says what it did on the lines of a file.
struct ChildProcess {
    static let variable = "HANDFAST_STORE_CHILD"

    /// What the child is to do, or nil in the parent.
    static var task: [String]? {
        ProcessInfo.processInfo.environment[variable]?.split(separator: " ").map(String.init)
    }

    /// How a child ended, by its exit code or 128 and a signal, and what it had said by then.
    struct Ending {
        let status: Int32
        let lines: [String]
    }

    /// Whether the tracer is installed and may be used.
    static let canTrace = (try? command(["strace", "-qq", "-o", "/dev/null", "true"])) == 0

    /// Runs a command of the system and gives its exit code.
    static func command(_ words: [String]) throws -> Int32 {
        try Spawned("/usr/bin/env", words, environment: ProcessInfo.processInfo.environment, files: .none)
            .waitUntilEnd()
    }

    /// Runs a child to its end.
    ///
    /// - Parameters:
    ///   - task: words without spaces.
    ///   - tracer: the command, with its arguments, that runs the child.
    ///   - kill: is asked again and again, with what the child has said, whether to kill it now.
    static func run(
        _ task: [String], in folder: TemporaryFolder, under tracer: [String] = [],
        killWhen kill: ([String]) -> Bool = { _ in false }
    ) throws -> Ending {
        let process = try start(task, in: folder, under: tracer)
        while process.status == nil {
            if kill(lines(in: folder)) { process.signal(SIGKILL) }
            usleep(500)
        }
        return Ending(status: process.waitUntilEnd(), lines: lines(in: folder))
    }

    /// Starts a child that its parent goes on to look after.
    static func start(_ task: [String], in folder: TemporaryFolder, under tracer: [String] = []) throws -> Spawned {
        try? FileManager.default.removeItem(atPath: folder.file("child.log"))
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
        let environment = ProcessInfo.processInfo.environment.merging([
            variable: (task + [folder.path]).joined(separator: " "), "SWIFT_BACKTRACE": "enable=no",
        ]) { $1 }
        return try Spawned(
            "/usr/bin/env",
            tracer + [program, "--testing-library", "swift-testing", "--filter", "StoreChild", "--no-parallel"],
            environment: environment, files: .none)
    }

    /// What a child has said.
    static func lines(in folder: TemporaryFolder) -> [String] {
        guard let text = try? String(contentsOfFile: folder.file("child.log"), encoding: .utf8) else { return [] }
        return text.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
    }

    /// Said by a child: written to the log at once, for the parent to find even if the child is killed next.
    static func say(_ line: String, in folder: VaultFolder) throws {
        let descriptor = unsafe open(folder.file(named: "child.log"), O_WRONLY | O_CREAT | O_APPEND, 0o600)
        defer { close(descriptor) }
        let bytes = Array((line + "\n").utf8)
        let written = unsafe write(descriptor, bytes, bytes.count)
        #expect(written == bytes.count)
    }
}
