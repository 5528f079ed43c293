internal import CZlib

/// The zlib format, in memory and bounded.
/// - Source: RFC 1950
enum Zlib {
    /// How much is inflated at once, in bytes: the most that a hostile stream gets beyond the bound.
    private static let chunkCount = 1 << 16

    /// Compresses as well as zlib can.
    static func compress(_ bytes: [UInt8]) -> [UInt8] {
        let bound = compressBound(uLong(bytes.count))
        return unsafe [UInt8](unsafeUninitializedCapacity: Int(bound)) { output, count in
            var written = bound
            let result = unsafe bytes.withUnsafeBufferPointer { input in
                unsafe compress2(
                    output.baseAddress, &written, input.baseAddress, uLong(input.count), Z_BEST_COMPRESSION)
            }
            precondition(result == Z_OK, "a buffer of the bound suffices")
            count = Int(written)
        }
    }

    /// Inflates the one stream that is all of `bytes`.
    /// - Parameter maximum: The most bytes that may come out; never more are kept.
    /// - Throws: ``StatusListError/compressionTruncated``, ``StatusListError/compressionDamaged``,
    ///   ``StatusListError/compressionTrailing(_:)``, ``StatusListError/inflatedTooLarge(maximum:)``
    static func inflate(_ bytes: [UInt8], maximum: Int) throws(StatusListError) -> [UInt8] {
        var output: [UInt8] = []
        let fault = unsafe bytes.withUnsafeBufferPointer { input in
            unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: chunkCount) { chunk in
                unsafe inflate(input, by: chunk, to: &output, maximum: maximum)
            }
        }
        if let fault { throw fault }
        return output
    }

    /// What was wrong; nil if the stream was whole.
    private static func inflate(
        _ input: UnsafeBufferPointer<UInt8>, by chunk: UnsafeMutableBufferPointer<UInt8>, to output: inout [UInt8],
        maximum: Int
    ) -> StatusListError? {
        var stream = unsafe z_stream()
        let isReady = unsafe inflateInit_(&stream, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK
        precondition(isReady, "zlib is of the version that its header names")
        defer { _ = unsafe inflateEnd(&stream) }
        unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        unsafe stream.avail_in = uInt(input.count)
        while true {
            unsafe stream.next_out = chunk.baseAddress
            unsafe stream.avail_out = uInt(chunk.count)
            let result = unsafe CZlib.inflate(&stream, Z_NO_FLUSH)
            let count = unsafe chunk.count - Int(stream.avail_out)
            guard count <= maximum - output.count else { return .inflatedTooLarge(maximum: maximum) }
            unsafe output.append(contentsOf: UnsafeMutableBufferPointer(rebasing: chunk[..<count]))
            switch result {
            case Z_OK: continue
            case Z_STREAM_END:
                let trailing = unsafe Int(stream.avail_in)
                return trailing == 0 ? nil : .compressionTrailing(trailing)
            case Z_BUF_ERROR: return .compressionTruncated
            default: return .compressionDamaged
            }
        }
    }
}
