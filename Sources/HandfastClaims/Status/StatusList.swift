/// The statuses of many credentials, a few bits each.
///
/// The entry of index i begins at bit i × bits, counted from the least significant bit of the first byte.
///
/// - Source: draft-ietf-oauth-status-list-20 §4
public struct StatusList: Hashable, Sendable {
    /// The most entries.
    public static let maximumCount = 1 << 24
    /// The longest compressed list, in bytes.
    public static let maximumCompressedCount = 4 << 20

    /// How many bits an entry has: 1, 2, 4 or 8.
    public let bits: Int
    /// The entries, packed.
    public private(set) var bytes: [UInt8]

    /// A list in which every status is valid.
    /// - Parameters:
    ///   - count: How many entries, 1 to ``maximumCount``; filled up to whole bytes.
    ///   - bits: How many bits an entry has: 1, 2, 4 or 8.
    /// - Throws: ``StatusListError/wrongBits(_:)``, ``StatusListError/wrongCount(_:)``
    public init(count: Int, bits: Int) throws(StatusListError) {
        try Self.require(bits: bits)
        guard (1...Self.maximumCount).contains(count) else { throw .wrongCount(count) }
        self.bits = bits
        bytes = [UInt8](repeating: 0, count: (count * bits + 7) / 8)
    }

    /// The list of these packed entries.
    /// - Throws: ``StatusListError/wrongBits(_:)``, ``StatusListError/wrongCount(_:)``
    public init(bytes: [UInt8], bits: Int) throws(StatusListError) {
        try Self.require(bits: bits)
        guard !bytes.isEmpty, bytes.count <= Self.maximumByteCount(bits: bits) else {
            throw .wrongCount(bytes.count * 8 / bits)
        }
        self.bits = bits
        self.bytes = bytes
    }

    /// The list that a zlib stream holds.
    ///
    /// The stream ends where the input ends, and never more is inflated than a list of ``maximumCount`` entries has.
    ///
    /// - Throws: ``StatusListError/wrongBits(_:)``, ``StatusListError/compressedTooLarge(maximum:)``,
    ///   ``StatusListError/inflatedTooLarge(maximum:)``, ``StatusListError/compressionTruncated``,
    ///   ``StatusListError/compressionDamaged``, ``StatusListError/compressionTrailing(_:)``,
    ///   ``StatusListError/wrongCount(_:)`` if it is empty
    public init(compressed: [UInt8], bits: Int) throws(StatusListError) {
        try Self.require(bits: bits)
        guard compressed.count <= Self.maximumCompressedCount else {
            throw .compressedTooLarge(maximum: Self.maximumCompressedCount)
        }
        try self.init(bytes: Zlib.inflate(compressed, maximum: Self.maximumByteCount(bits: bits)), bits: bits)
    }

    /// The zlib stream of the list, at the highest level.
    public var compressed: [UInt8] { Zlib.compress(bytes) }

    /// How many entries there are.
    public var count: Int { bytes.count * 8 / bits }

    private static func maximumByteCount(bits: Int) -> Int { maximumCount / 8 * bits }

    private static func require(bits: Int) throws(StatusListError) {
        guard [1, 2, 4, 8].contains(bits) else { throw .wrongBits(bits) }
    }
}

// MARK: - Entries

extension StatusList {
    /// The status of an entry.
    /// - Throws: ``StatusListError/indexOutOfRange(index:count:)``
    public func status(at index: UInt64) throws(StatusListError) -> CredentialStatus {
        let (byte, shift) = try position(of: index)
        return CredentialStatus(bytes[byte] >> shift & mask)
    }

    /// Changes the status of an entry.
    /// - Throws: ``StatusListError/indexOutOfRange(index:count:)``,
    ///   ``StatusListError/statusTooLarge(_:bits:)``
    public mutating func set(_ status: CredentialStatus, at index: UInt64) throws(StatusListError) {
        let (byte, shift) = try position(of: index)
        guard status.value <= mask else { throw .statusTooLarge(status.value, bits: bits) }
        bytes[byte] = bytes[byte] & ~(mask << shift) | status.value << shift
    }

    private var mask: UInt8 { .max >> UInt8(8 - bits) }

    private func position(of index: UInt64) throws(StatusListError) -> (byte: Int, shift: UInt8) {
        guard index < UInt64(count) else { throw .indexOutOfRange(index: index, count: count) }
        let bit = Int(index) * bits
        return (bit / 8, UInt8(bit % 8))
    }
}
