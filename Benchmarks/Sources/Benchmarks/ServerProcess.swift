import Foundation

/// A server in a process of its own, on this machine.
final class ServerProcess {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let name: String

    /// Starts it in a folder.
    init(_ path: String, _ arguments: [String], in folder: URL) throws {
        name = path
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    /// Processor time of the process so far, in nanoseconds, user's and system's.
    func processorNanoseconds() throws -> Double {
        let text = try String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)
        // The name, which may hold spaces, ends with the last parenthesis; its field is the second.
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
            throw BenchmarkError.peerFailed(name)
        }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK))) * 1e9
    }

    /// What it prints in answer to a line; its first line, where none is asked.
    func line(after request: String? = nil) throws -> String {
        if let request { try say(request) }
        var line: [UInt8] = []
        while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") {
            line.append(byte)
        }
        return String(decoding: line, as: UTF8.self)
    }

    /// Says a line to it.
    func say(_ line: String) throws { try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8)) }

    /// Waits until it accepts connections at a port of this machine.
    func awaitPort(_ port: Int) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while !LocalPort.accepts(port) {
            guard process.isRunning, ContinuousClock.now < end else { throw BenchmarkError.peerFailed(name) }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Ends it.
    func stop() {
        try? input.fileHandleForWriting.close()
        // A process that a thread of the system's pool has started takes no other signal.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}

/// Ports of this machine.
enum LocalPort {
    /// One that is free.
    static func free() throws -> Int {
        try with { descriptor in
            var address = address(0)
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let result = unsafe withUnsafeMutablePointer(to: &address) { address in
                unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    unsafe bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
                }
            }
            guard result else { throw BenchmarkError.peerFailed("bind") }
            return Int(UInt16(bigEndian: address.sin_port))
        }
    }

    /// Whether somebody listens there.
    static func accepts(_ port: Int) -> Bool {
        let result = try? with { descriptor in
            var address = address(port)
            return unsafe withUnsafePointer(to: &address) { address in
                unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    unsafe connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
        }
        return result ?? false
    }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    private static func with<Value>(_ body: (Int32) throws -> Value) throws -> Value {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        return try body(descriptor)
    }
}
