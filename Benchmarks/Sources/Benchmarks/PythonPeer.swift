import Foundation

/// `Peers/cbor2_peer.py` in a process of its own: does a named piece of work so often, and tells how long that took.
final class PythonPeer {
    private let process = Process()
    private let requests = Pipe()
    private let answers = Pipe()

    /// Starts it with an entry and a message body.
    init(python: String, entry: [UInt8], message: [UInt8]) throws {
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["Peers/cbor2_peer.py"]
        process.standardInput = requests
        process.standardOutput = answers
        try process.run()
        for sample in [entry, message] {
            try send(sample.map { String(format: "%02x", $0) }.joined())
        }
    }

    /// Nanoseconds of one piece of work, as the mean of `count`.
    func nanoseconds(_ work: String, _ count: Int) throws -> Double {
        try send("\(work) \(count)")
        var line: [UInt8] = []
        while let byte = try answers.fileHandleForReading.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") {
            line.append(byte)
        }
        guard let total = Double(String(decoding: line, as: UTF8.self)) else {
            throw BenchmarkError.peerFailed("Peers/cbor2_peer.py")
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
