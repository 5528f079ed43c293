internal import Handfast
internal import HandfastEncoding

/// One frame of a node's answer on its vault's socket: a byte that says what follows, then a part of the reply.
///
/// A reply may be larger than a frame, a ledger a thousand times so; its parts follow each other.
///
/// - Source: Spec/06 §6.4
enum CommandFrame {
    /// What follows a frame.
    private enum Continuation: UInt8 {
        /// The rest of the reply.
        case part = 0
        /// Another reply, as in a watch.
        case reply = 1
        /// Nothing: the command is answered.
        case end = 2
    }

    /// The most bytes of a reply in one frame.
    private static let partByteCount = 512 << 10
    /// The largest reply: a ledger and what names it.
    static let maximumByteCount = LedgerLimits.export + 1_024

    /// The frames of one reply.
    static func frames(of reply: CommandReply, isLast: Bool) throws -> [[UInt8]] {
        let bytes = try CBOREncoder().encode(reply)
        var frames: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: partByteCount) {
            let end = min(start + partByteCount, bytes.count)
            let what: Continuation = end < bytes.count ? .part : isLast ? .end : .reply
            frames.append([what.rawValue] + bytes[start..<end])
        }
        return frames
    }

    /// Joins the parts of replies as they come.
    struct Joiner {
        private var bytes: [UInt8] = []

        /// Takes the next frame.
        ///
        /// - Returns: the reply that it completes, and whether the command is answered by it.
        mutating func take(_ frame: [UInt8]) throws -> (reply: CommandReply, isLast: Bool)? {
            guard let what = frame.first.flatMap({ Continuation(rawValue: $0) }),
                bytes.count + frame.count <= maximumByteCount
            else { throw CommandFailure(.failed, "the running node gave an answer that cannot be read") }
            bytes += frame.dropFirst()
            guard what != .part else { return nil }
            defer { bytes = [] }
            let decoder = CBORDecoder(limits: CBORLimits(size: maximumByteCount))
            return (try decoder.decode(CommandReply.self, from: bytes), what == .end)
        }
    }
}
