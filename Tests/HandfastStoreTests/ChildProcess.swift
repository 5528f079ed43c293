import Foundation
import HandfastStore
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

    /// How a child ended and what it had said by then.
    struct Ending {
        let status: Int32
        let reason: Process.TerminationReason
        let lines: [String]
    }

    /// Whether the tracer is installed and may be used.
    static let canTrace: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["strace", "-qq", "-o", "/dev/null", "true"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

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
        let log = folder.file("child.log")
        try? FileManager.default.removeItem(atPath: log)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
        process.arguments =
            tracer + [program, "--testing-library", "swift-testing", "--filter", "StoreChild", "--no-parallel"]
        process.environment = ProcessInfo.processInfo.environment.merging([
            variable: (task + [folder.path]).joined(separator: " "), "SWIFT_BACKTRACE": "enable=no",
        ]) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        while process.isRunning {
            if kill(lines(log)) { Glibc.kill(process.processIdentifier, SIGKILL) }
            usleep(500)
        }
        process.waitUntilExit()
        return Ending(status: process.terminationStatus, reason: process.terminationReason, lines: lines(log))
    }

    private static func lines(_ log: String) -> [String] {
        guard let text = try? String(contentsOfFile: log, encoding: .utf8) else { return [] }
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
