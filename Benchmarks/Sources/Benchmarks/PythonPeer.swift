import Foundation

/// A script of `Peers/` in a process of its own: does a named piece of work so often, and tells how long that took.
final class PythonPeer {
    private let script: String
    private let process = Process()
    private let requests = Pipe()
    private let answers = Pipe()

    /// Starts it with what it works on, a line each.
    init(python: String, script: String, samples: [String]) throws {
        self.script = script
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = [script]
        process.standardInput = requests
        process.standardOutput = answers
        try process.run()
        for sample in samples { try send(sample) }
    }

    /// Nanoseconds of one piece of work, as the mean of `count`.
    func nanoseconds(_ work: String, _ count: Int) throws -> Double {
        try send("\(work) \(count)")
        var line: [UInt8] = []
        while let byte = try answers.fileHandleForReading.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") {
            line.append(byte)
        }
        guard let total = Double(String(decoding: line, as: UTF8.self)) else {
            throw BenchmarkError.peerFailed(script)
        }
        return total / Double(count)
    }

    /// Ends the process.
    func stop() throws {
        try requests.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    private func send(_ line: String) throws {
        try requests.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    }
}
