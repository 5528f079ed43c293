internal import HandfastChannel
package import HandfastCrypto

/// What messages change about a queue.
///
/// In the file it takes 72 bytes: next number (8), queue digest (32), waiting messages and bytes (8 each), what is used
/// of the rate and as of when (8 each), numbers big endian. A queue that nothing has come to is all zeros.
///
/// - Source: Spec/08 §8.4
package struct QueueState: Equatable, Sendable {
    static let byteCount = 72

    package internal(set) var next: UInt64 = 0
    package internal(set) var chain = QueueChain.start
    package internal(set) var messages = 0
    package internal(set) var bytes = 0
    package internal(set) var bucket = TokenBucket()

    init() {}

    init(of queue: RelayQueue) {
        next = queue.next
        chain = queue.chain
        messages = queue.messages
        bytes = queue.bytes
        bucket = queue.bucket
    }

    /// Reads it from where it begins in some bytes; nil where a number is impossible.
    init?(_ source: [UInt8], at start: Int) {
        guard start + Self.byteCount <= source.count else { return nil }
        func number(_ offset: Int) -> UInt64 {
            source[(start + offset)..<(start + offset + 8)].reduce(0) { $0 << 8 | UInt64($1) }
        }
        guard let messages = Int(exactly: number(40)), let bytes = Int(exactly: number(48)),
            let used = Int(exactly: number(56))
        else { return nil }
        next = number(0)
        chain = Digest(FixedBytes(source.bytes, at: start + 8))
        (self.messages, self.bytes) = (messages, bytes)
        bucket = TokenBucket(used: used, time: Timestamp(seconds: number(64)))
    }

    /// Writes it over some bytes.
    func write(to target: inout [UInt8], at start: Int) {
        target.write(next, at: start)
        unsafe chain.bytes.withUnsafeBytes { bytes in
            for index in 0..<32 { target[start + 8 + index] = unsafe bytes[index] }
        }
        target.write(UInt64(messages), at: start + 40)
        target.write(UInt64(bytes), at: start + 48)
        target.write(UInt64(bucket.used), at: start + 56)
        target.write(bucket.time.seconds, at: start + 64)
    }

    /// Takes off what was lost.
    mutating func subtract(_ loss: RelayLoss) {
        messages = max(0, messages - loss.messages)
        bytes = max(0, bytes - loss.bytes)
    }
}

extension RelayQueue {
    /// Takes over what messages have changed.
    mutating func take(_ state: QueueState) {
        next = state.next
        chain = state.chain
        messages = state.messages
        bytes = state.bytes
        bucket = state.bucket
    }
}

extension [UInt8] {
    /// Writes a number over eight bytes, big endian.
    fileprivate mutating func write(_ number: UInt64, at start: Int) {
        for index in 0..<8 { self[start + index] = UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * index)) }
    }
}
