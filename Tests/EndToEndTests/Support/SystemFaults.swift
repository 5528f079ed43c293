import Foundation
import HandfastTestSupport

/// What a machine does to processes that run: system calls that fail, by strace, and networks that part, by namespaces.
enum SystemFaults {
    private static let strace = "/usr/bin/strace"
    private static let ip = "/usr/sbin/ip"
    private static let nsenter = "/usr/bin/nsenter"

    /// Whether system calls of a process that runs can be made to fail here.
    static let canFailCalls: Bool = {
        guard let sleeper = try? Spawned("/bin/sleep", ["60"], environment: [:], files: .none) else { return false }
        defer {
            sleeper.signal(SIGKILL)
            sleeper.waitUntilEnd()
        }
        // A tracer that may attach ends with the process that it looks at, one that may not at once.
        guard
            let tracer = try? Spawned(
                strace, ["-qq", "-o", "/dev/null", "-p", "\(sleeper.processID)"], environment: [:], files: .none)
        else { return false }
        while tracer.status == nil {
            let status = try? String(contentsOfFile: "/proc/\(sleeper.processID)/status", encoding: .utf8)
            if status?.contains("TracerPid:\t\(tracer.processID)\n") == true {
                tracer.signal(SIGKILL)
                tracer.waitUntilEnd()
                return true
            }
            usleep(1_000)
        }
        return false
    }()

    /// Whether networks of the test's own can be made here.
    static let canMakeNetworks: Bool = {
        let name = "hf-probe-\(getpid())"
        guard run(ip, ["netns", "add", name]) == 0 else { return false }
        return run(ip, ["netns", "del", name]) == 0
    }()

    private static func run(_ program: String, _ arguments: [String]) -> Int32 {
        guard FileManager.default.isExecutableFile(atPath: program),
            let process = try? Spawned(program, arguments, environment: [:], files: .none)
        else { return -1 }
        return process.waitUntilEnd()
    }

    /// Calls of a running process that fail until this ends.
    struct FailingCalls {
        private let tracer: Spawned

        /// Makes every call of a kind fail from now on.
        ///
        /// - Parameter fault: as strace's `inject` has it, `fdatasync:error=EIO`.
        init(_ fault: String, of daemon: Daemon, in scene: Scene) async throws {
            let files = try Spawned.Files(at: scene.newFile("strace"), input: "")
            let call = fault.prefix { $0 != ":" }
            let tracer = try Spawned(
                strace,
                [
                    "-f", "-o", "/dev/null", "-e", "trace=\(call)", "-e", "inject=\(fault)", "-p",
                    "\(daemon.processID)",
                ], environment: scene.environment([:]), files: files)
            self.tracer = tracer
            try await Party.until("strace did not attach: \(files.complained)") {
                files.complained.contains("attached") || tracer.status != nil ? true : nil
            }
        }

        /// The calls succeed again.
        func end() async {
            // When asked, it waits for each thread to make a call; when killed, it lets go of all of them at once.
            tracer.signal(SIGKILL)
            _ = await tracer.waitForEnd()
        }
    }

    /// Two networks with one cable between them, and nothing else in either.
    final class Networks: Sendable {
        /// The relay's address on its side.
        static let relayHost = "10.79.0.1"

        private let names: [String]

        init() throws {
            let number = UInt32.random(in: .min ... .max)
            names = ["hf-\(number)-a", "hf-\(number)-b"]
            for name in names { try Self.done(["netns", "add", name]) }
            try Self.done([
                "-n", names[0], "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", names[1],
            ])
            for (side, name) in names.enumerated() {
                try Self.done(["-n", name, "addr", "add", "10.79.0.\(side + 1)/24", "dev", "cable"])
                for link in ["lo", "cable"] { try Self.done(["-n", name, "link", "set", link, "up"]) }
            }
        }

        deinit {
            for name in names { _ = run(ip, ["netns", "del", name]) }
        }

        struct NotDone: Error {
            let arguments: [String]
        }

        private static func done(_ arguments: [String]) throws {
            guard run(ip, arguments) == 0 else { throw NotDone(arguments: arguments) }
        }

        /// Pulls the cable out, or puts it back.
        func setCable(isIn: Bool) throws {
            try Self.done(["-n", names[0], "link", "set", "cable", isIn ? "up" : "down"])
        }

        /// Starts a process on one side.
        func start(_ arguments: [String], side: Int, in scene: Scene) async throws -> Daemon {
            try await scene.start(
                ["--net=/run/netns/\(names[side])", Tool.url.path] + arguments, program: nsenter)
        }
    }
}
