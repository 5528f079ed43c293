internal import HandfastCrypto

/// Cuts a stream of bytes into frames.
///
/// It holds at most one unfinished frame and what came with it; room is made as bytes arrive, never as announced.
/// - Source: Spec/06
struct FrameDecoder: Sendable {
    /// Above this many bytes an emptied buffer is given back.
    private static let keptCapacity = 16_384

    private var buffer: [UInt8] = []
    private var start = 0

    /// Whether a frame has begun and not ended.
    var isMidFrame: Bool { start < buffer.count }

    /// Appends bytes of the stream.
    mutating func append(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe buffer.append(contentsOf: $0) }
    }

    /// Appends `count` bytes that `fill` writes; none if it throws.
    mutating func append(
        count: Int, _ fill: (inout MutableRawSpan) throws(LinkError) -> Void
    ) throws(LinkError) {
        let end = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: count))
        var all = buffer.mutableBytes
        var room = all._mutatingExtracting(droppingFirst: end)
        do throws(LinkError) {
            try fill(&room)
        } catch {
            buffer.removeLast(count)
            throw error
        }
    }

    /// Moves the whole frames to the end of `frames`.
    mutating func takeFrames(into frames: inout [[UInt8]]) throws(LinkError) {
        while let count = try nextCount(), buffer.count - start >= LinkFrame.headerCount + count {
            let body = start + LinkFrame.headerCount
            frames.append([UInt8](buffer[body..<body + count]))
            start = body + count
        }
        if start == buffer.count {
            if buffer.capacity > Self.keptCapacity { buffer = [] } else { buffer.removeAll(keepingCapacity: true) }
            start = 0
        } else if start >= Self.keptCapacity {
            buffer.removeSubrange(..<start)
            start = 0
        }
    }

    private func nextCount() throws(LinkError) -> Int? {
        guard buffer.count - start >= LinkFrame.headerCount else { return nil }
        let count =
            UInt32(buffer[start]) << 24 | UInt32(buffer[start + 1]) << 16 | UInt32(buffer[start + 2]) << 8
            | UInt32(buffer[start + 3])
        guard (1...LinkFrame.maximumCount).contains(Int(count)) else { throw .frameLength(count) }
        return Int(count)
    }
}
