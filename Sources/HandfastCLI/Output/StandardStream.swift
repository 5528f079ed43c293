#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The process's standard output or standard error, written without a buffer so that a reader has every line at once.
enum StandardStream: CInt, Sendable {
    /// What was asked for.
    case output = 1
    /// Progress and errors.
    case error = 2

    /// Whether a person looks at it.
    var isTerminal: Bool { isatty(rawValue) == 1 }

    /// Whether it takes colours: a terminal, `NO_COLOR` not set, `TERM` not `dumb`.
    var hasColor: Bool {
        isTerminal && (Environment["NO_COLOR"] ?? "").isEmpty && Environment["TERM"] != "dumb"
    }

    /// Writes all of a text. A reader that went away is no failure of ours.
    func write(_ text: String) {
        write(Array(text.utf8))
    }

    /// Writes all bytes.
    func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe systemWrite(rawValue, bytes.baseAddress, bytes.count)
            }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

private func systemWrite(_ descriptor: CInt, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
        unsafe Glibc.write(descriptor, bytes, count)
    #else
        unsafe Darwin.write(descriptor, bytes, count)
    #endif
}

/// The process's environment.
enum Environment {
    /// One variable, or `nil`.
    static subscript(name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}
