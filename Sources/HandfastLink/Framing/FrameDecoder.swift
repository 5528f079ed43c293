internal import HandfastCrypto

/// Cuts a stream of bytes into frames.
///
/// It holds at most one unfinished frame and what came with it; room is made as bytes arrive, never as announced.
/// - Source: Spec/06
struct FrameDecoder: Sendable {
    /// Above this many bytes an emptied buffer is given back.
    private static let keptCount = 16_384

    private var buffer: [UInt8] = []
    /// What of the buffer is in use.
    private var start = 0
    private var end = 0

    /// Whether a frame has begun and not ended.
    var isMidFrame: Bool { start < end }

    /// Appends bytes of the stream.
    mutating func append(_ bytes: RawSpan) {
        buffer.removeSubrange(end...)
        unsafe bytes.withUnsafeBytes { unsafe buffer.append(contentsOf: $0) }
        end = buffer.count
    }

    /// Appends `count` bytes that `fill` writes; none if it throws.
    mutating func append(
        count: Int, _ fill: (inout MutableRawSpan) throws(LinkError) -> Void
    ) throws(LinkError) {
        reserve(count)
        let place = end..<end + count
        var all = buffer.mutableBytes
        var room = all._mutatingExtracting(place)
        try fill(&room)
        end += count
    }

    private mutating func reserve(_ count: Int) {
        let missing = end + count - buffer.count
        if missing > 0 { buffer += [UInt8](repeating: 0, count: missing) }
    }

    /// Moves the whole frames to the end of `frames`.
    mutating func takeFrames(into frames: inout [[UInt8]]) throws(LinkError) {
        while let count = try nextCount(), end - start >= LinkFrame.headerCount + count {
            let body = start + LinkFrame.headerCount
            frames.append([UInt8](buffer[body..<body + count]))
            start = body + count
        }
        if start == end {
            if buffer.count > Self.keptCount { buffer = [] }
            (start, end) = (0, 0)
        } else if start >= Self.keptCount {
            buffer.removeSubrange(end...)
            buffer.removeSubrange(..<start)
            (start, end) = (0, buffer.count)
        }
    }

    private func nextCount() throws(LinkError) -> Int? {
        guard end - start >= LinkFrame.headerCount else { return nil }
        let count =
            UInt32(buffer[start]) << 24 | UInt32(buffer[start + 1]) << 16 | UInt32(buffer[start + 2]) << 8
            | UInt32(buffer[start + 3])
        guard (1...LinkFrame.maximumCount).contains(Int(count)) else { throw .frameLength(count) }
        return Int(count)
    }
}
