/// What BLAKE2b holds between two pieces of its input. It may hold a key, so its memory is wiped by whoever made it.
///
/// All records, keys and envelopes pass it. libsodium takes vector code for it, which needs twice the time of this plain
/// form on recent AMD processors. There is no branch and no address in it that depends on the input's bytes.
/// - Source: RFC 7693 §2, §3
struct BLAKE2bState: BitwiseCopyable {
    /// Bytes of a block.
    private static let blockCount = 128
    private static let start: InlineArray<8, UInt64> = [
        0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f, 0x1f83_d9ab_fb41_bd6b, 0x5be0_cd19_137e_2179,
    ]

    private var chain = Self.start
    /// How many bytes were compressed.
    private var total: UInt64 = 0
    /// The bytes that are not compressed yet: the last block is another than those before, so a full one waits.
    private var block = InlineArray<128, UInt8>(repeating: 0)
    private var filled = 0

    /// - Parameters:
    ///   - count: Bytes of the result, 1...64.
    ///   - keyCount: Bytes of the key, at most 64; what it is, ``begin(key:)`` is told.
    ///   - label: The personalisation.
    init(count: Int, keyCount: Int = 0, label: Label? = nil) {
        // Fan-out and depth are 1: a hash of one piece, no tree.
        chain[0] ^= 0x0101_0000 | UInt64(keyCount) << 8 | UInt64(count)
        if let label {
            unsafe label.bytes.bytes.withUnsafeBytes { personal in
                guard let personal = personal.baseAddress else { return }
                chain[6] ^= unsafe Self.word(0, of: personal)
                chain[7] ^= unsafe Self.word(1, of: personal)
            }
        }
    }

    /// Takes the key as the first block, where there is one.
    mutating func begin(key: RawSpan) {
        guard key.byteCount > 0 else { return }
        unsafe key.withUnsafeBytes { unsafe fill(from: $0) }
        filled = Self.blockCount
    }

    /// Appends bytes to the input.
    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var rest = unsafe bytes
        if filled > 0 {
            let room = Self.blockCount - filled
            unsafe fill(from: UnsafeRawBufferPointer(rebasing: rest.prefix(room)))
            guard rest.count > room else { return }
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(room))
            compressBlock(isLast: false)
        }
        while rest.count > Self.blockCount, let start = rest.baseAddress {
            total += UInt64(Self.blockCount)
            unsafe compress(start, isLast: false)
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(Self.blockCount))
        }
        unsafe fill(from: rest)
    }

    /// Writes the first bytes of the hash into all of a buffer. Nothing may follow.
    mutating func finalize(into output: UnsafeMutableRawBufferPointer) {
        for index in filled..<Self.blockCount { block[index] = 0 }
        compressBlock(isLast: true)
        for index in output.indices {
            unsafe output[index] = UInt8(truncatingIfNeeded: chain[index / 8] >> UInt64(index % 8 * 8))
        }
    }

    private mutating func fill(from bytes: UnsafeRawBufferPointer) {
        let start = filled
        unsafe withUnsafeMutableBytes(of: &block) { block in
            unsafe UnsafeMutableRawBufferPointer(rebasing: block[start...]).copyMemory(from: bytes)
        }
        filled += bytes.count
    }

    private mutating func compressBlock(isLast: Bool) {
        total += UInt64(filled)
        filled = 0
        let words = block
        unsafe withUnsafeBytes(of: words) { words in
            if let start = words.baseAddress { unsafe compress(start, isLast: isLast) }
        }
    }

    @inline(__always)
    fileprivate static func word(_ index: Int, of block: UnsafeRawPointer) -> UInt64 {
        UInt64(littleEndian: unsafe block.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
    }
}

// MARK: - Compression

extension BLAKE2bState {
    private mutating func compress(_ block: UnsafeRawPointer, isLast: Bool) {
        var rows = Rows(chain, Self.start, total: total, isLast: isLast)
        unsafe rows.mix(block, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
        unsafe rows.mix(block, 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
        unsafe rows.mix(block, 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4)
        unsafe rows.mix(block, 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8)
        unsafe rows.mix(block, 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13)
        unsafe rows.mix(block, 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9)
        unsafe rows.mix(block, 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11)
        unsafe rows.mix(block, 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10)
        unsafe rows.mix(block, 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5)
        unsafe rows.mix(block, 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0)
        unsafe rows.mix(block, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
        unsafe rows.mix(block, 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
        chain[0] ^= rows.a0 ^ rows.c0
        chain[1] ^= rows.a1 ^ rows.c1
        chain[2] ^= rows.a2 ^ rows.c2
        chain[3] ^= rows.a3 ^ rows.c3
        chain[4] ^= rows.b0 ^ rows.d0
        chain[5] ^= rows.b1 ^ rows.d1
        chain[6] ^= rows.b2 ^ rows.d2
        chain[7] ^= rows.b3 ^ rows.d3
    }

    /// The sixteen words on which a block acts, four in a row: one by one, so that they stay in registers.
    private struct Rows {
        var a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3: UInt64

        init(
            _ chain: InlineArray<8, UInt64>, _ start: InlineArray<8, UInt64>, total: UInt64, isLast: Bool
        ) {
            (a0, a1, a2, a3) = (chain[0], chain[1], chain[2], chain[3])
            (b0, b1, b2, b3) = (chain[4], chain[5], chain[6], chain[7])
            (c0, c1, c2, c3) = (start[0], start[1], start[2], start[3])
            (d0, d1, d2, d3) = (start[4] ^ total, start[5], isLast ? ~start[6] : start[6], start[7])
        }

        /// A round; the numbers are of the block's words, in the order of the schedule.
        @inline(__always)
        mutating func mix(
            _ block: UnsafeRawPointer, _ i0: Int, _ i1: Int, _ i2: Int, _ i3: Int, _ i4: Int, _ i5: Int, _ i6: Int,
            _ i7: Int, _ i8: Int, _ i9: Int, _ i10: Int, _ i11: Int, _ i12: Int, _ i13: Int, _ i14: Int, _ i15: Int
        ) {
            unsafe Self.mix(&a0, &b0, &c0, &d0, BLAKE2bState.word(i0, of: block), BLAKE2bState.word(i1, of: block))
            unsafe Self.mix(&a1, &b1, &c1, &d1, BLAKE2bState.word(i2, of: block), BLAKE2bState.word(i3, of: block))
            unsafe Self.mix(&a2, &b2, &c2, &d2, BLAKE2bState.word(i4, of: block), BLAKE2bState.word(i5, of: block))
            unsafe Self.mix(&a3, &b3, &c3, &d3, BLAKE2bState.word(i6, of: block), BLAKE2bState.word(i7, of: block))
            unsafe Self.mix(&a0, &b1, &c2, &d3, BLAKE2bState.word(i8, of: block), BLAKE2bState.word(i9, of: block))
            unsafe Self.mix(&a1, &b2, &c3, &d0, BLAKE2bState.word(i10, of: block), BLAKE2bState.word(i11, of: block))
            unsafe Self.mix(&a2, &b3, &c0, &d1, BLAKE2bState.word(i12, of: block), BLAKE2bState.word(i13, of: block))
            unsafe Self.mix(&a3, &b0, &c1, &d2, BLAKE2bState.word(i14, of: block), BLAKE2bState.word(i15, of: block))
        }

        @inline(__always)
        private static func mix(
            _ a: inout UInt64, _ b: inout UInt64, _ c: inout UInt64, _ d: inout UInt64, _ x: UInt64, _ y: UInt64
        ) {
            a = a &+ b &+ x
            d = rotate(d ^ a, by: 32)
            c = c &+ d
            b = rotate(b ^ c, by: 24)
            a = a &+ b &+ y
            d = rotate(d ^ a, by: 16)
            c = c &+ d
            b = rotate(b ^ c, by: 63)
        }

        @inline(__always)
        private static func rotate(_ word: UInt64, by count: UInt64) -> UInt64 {
            word &>> count | word &<< (64 - count)
        }
    }
}
