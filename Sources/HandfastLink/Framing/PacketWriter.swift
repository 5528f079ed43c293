internal import HandfastCrypto

/// Lays frames out in as few packets as hold them, each with room for its header and tag.
/// - Source: Spec/06
enum PacketWriter {
    /// Bytes of the stream that the frames make: each with its length before it.
    static func streamCount(of frames: [[UInt8]]) -> Int {
        frames.reduce(0) { $0 + LinkFrame.headerCount + $1.count }
    }

    /// Bytes on the wire for so many bytes of the stream.
    static func packetsCount(ofStream count: Int) -> Int {
        let packets = (count + LinkPacket.maximumPlaintextCount - 1) / LinkPacket.maximumPlaintextCount
        return count + packets * (LinkPacket.headerCount + LinkPacket.tagCount)
    }

    /// Writes the frames, unsealed, into their places; `perPacket` is the largest part of the stream in one packet and
    /// `before` and `after` the room around it.
    static func write(
        _ frames: [[UInt8]], into output: inout MutableRawSpan, perPacket: Int, before: Int, after: Int
    ) {
        unsafe output.withUnsafeMutableBytes { output in
            var position = 0
            func put(_ bytes: UnsafeRawBufferPointer) {
                var taken = 0
                while taken < bytes.count {
                    let (packet, within) = position.quotientAndRemainder(dividingBy: perPacket)
                    let count = min(bytes.count - taken, perPacket - within)
                    let place = packet * (before + perPacket + after) + before + within
                    unsafe UnsafeMutableRawBufferPointer(rebasing: output[place..<place + count])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[taken..<taken + count]))
                    position += count
                    taken += count
                }
            }
            for frame in frames {
                let header = UInt32(frame.count).bigEndian
                unsafe withUnsafeBytes(of: header) { unsafe put($0) }
                unsafe frame.withUnsafeBytes { unsafe put($0) }
            }
        }
    }
}
