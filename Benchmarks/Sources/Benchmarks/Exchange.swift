/// A way to carry messages of one size from one end to the other.
protocol Exchange: ~Copyable {
    /// What rows call it, with the size of its messages.
    var name: String { get }

    /// Seals one message, which is then lost.
    mutating func seal() throws

    /// Seals messages for ``openPrepared()``.
    mutating func prepare(_ count: Int) throws

    /// Opens the next of the messages prepared.
    mutating func openPrepared() throws

    /// Carries one message from end to end.
    mutating func sealAndOpen() throws

    /// Size of the envelope of one message, in bytes.
    mutating func envelopeByteCount() throws -> Int
}

enum BenchmarkError: Error {
    case nothingPrepared
    case wrongContent
    case peerFailed(String)
    /// Needed are a folder for the results and the tests' Python interpreter; then names of questions may follow.
    case usage
    /// What was promised of the relay under strangers does not hold.
    case promiseBroken(share: Double)
}
