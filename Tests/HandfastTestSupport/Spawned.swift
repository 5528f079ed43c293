public import Foundation
internal import Synchronization

/// A process of ours, with files for its three streams so that nobody has to read while it runs.
///
/// By `posix_spawn`: in a process with many threads, Foundation's `Process` was seen to crash in `run()`.
public final class Spawned: Sendable {
    /// The process, to which signals go by this number.
    public let processID: pid_t
    private let end = Mutex<Int32?>(nil)

    /// The streams' files.
    public struct Files: Sendable {
        let input: String
        let output: String
        let errors: String

        /// Nothing to read, and nobody to listen.
        public static let none = Files(input: "/dev/null", output: "/dev/null", errors: "/dev/null")

        private init(input: String, output: String, errors: String) {
            (self.input, self.output, self.errors) = (input, output, errors)
        }

        /// Files whose paths begin with `place`; what the process reads is written there first.
        public init(at place: String, input text: String) throws {
            (input, output, errors) = ("\(place).in", "\(place).out", "\(place).err")
            try Data(text.utf8).write(to: URL(fileURLWithPath: input))
            for path in [output, errors] { try Data().write(to: URL(fileURLWithPath: path)) }
        }

        /// What it wrote to standard output.
        public var said: String { Self.text(output) }
        /// What it wrote to standard error.
        public var complained: String { Self.text(errors) }

        private static func text(_ path: String) -> String {
            String(decoding: (try? Data(contentsOf: URL(fileURLWithPath: path))) ?? Data(), as: UTF8.self)
        }
    }

    /// It could not be started.
    public struct NotStarted: Error {
        let program: String
        let number: Int32
    }

    /// Starts a program, named by its path.
    public convenience init(
        _ program: String, _ arguments: [String], environment: [String: String], files: Files
    ) throws {
        try self.init(program, arguments, environment: environment, files: files, input: nil)
    }

    /// Starts a program that nobody listens to, and that reads from an open file of this process.
    public convenience init(
        _ program: String, _ arguments: [String], environment: [String: String], input: Int32
    ) throws {
        try self.init(program, arguments, environment: environment, files: .none, input: input)
    }

    private init(
        _ program: String, _ arguments: [String], environment: [String: String], files: Files, input: Int32?
    ) throws {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        if let input {
            unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            unsafe posix_spawn_file_actions_addopen(&actions, 0, files.input, O_RDONLY, 0)
        }
        unsafe posix_spawn_file_actions_addopen(&actions, 1, files.output, O_WRONLY | O_APPEND, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, files.errors, O_WRONLY | O_APPEND, 0)
        // Sockets of relays in this process would go on listening in the other one.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
            if let number = Int32(name), number > 2 { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
        }
        let words = unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
        let variables = unsafe environment.map { unsafe strdup("\($0.key)=\($0.value)") } + [nil]
        defer { unsafe (words + variables).forEach { unsafe free($0) } }
        var id: pid_t = 0
        let number = unsafe posix_spawn(&id, program, &actions, nil, words, variables)
        guard number == 0 else { throw NotStarted(program: program, number: number) }
        processID = id
    }

    /// Its exit code, or 128 and the signal that ended it; `nil` while it runs.
    public var status: Int32? {
        end.withLock { end in
            if let end { return end }
            var code: Int32 = 0
            guard unsafe waitpid(processID, &code, WNOHANG) == processID else { return nil }
            end = code & 0x7F == 0 ? (code >> 8) & 0xFF : 128 + (code & 0x7F)
            return end
        }
    }

    /// Sends a signal, unless it has ended.
    public func signal(_ number: Int32) {
        end.withLock { end in
            if end == nil { kill(processID, number) }
        }
    }

    /// Waits for its end, blocking the thread.
    @discardableResult
    public func waitUntilEnd() -> Int32 {
        while true {
            if let status { return status }
            usleep(500)
        }
    }

    /// Waits for its end.
    public func waitForEnd() async -> Int32 {
        while true {
            if let status { return status }
            try? await Task.sleep(for: .milliseconds(5))
        }
    }
}
