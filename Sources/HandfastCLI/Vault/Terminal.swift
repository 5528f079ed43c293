#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The person's terminal, whatever standard input and output are.
enum Terminal {
    /// Asks for a passphrase without showing it; `nil` without a terminal.
    static func readPassphrase(_ prompt: String) throws -> [UInt8]? {
        let descriptor = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        var before = termios()
        guard unsafe tcgetattr(descriptor, &before) == 0 else { return nil }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        _ = unsafe tcsetattr(descriptor, TCSAFLUSH, &silent)
        defer { _ = unsafe tcsetattr(descriptor, TCSAFLUSH, &before) }
        writeAll(Array(prompt.utf8), to: descriptor)
        defer { writeAll([UInt8(ascii: "\n")], to: descriptor) }
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while unsafe read(descriptor, &byte, 1) == 1, byte != UInt8(ascii: "\n"), line.count < 1_024 {
            line.append(byte)
        }
        return line
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: CInt) {
        _ = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
    }
}
