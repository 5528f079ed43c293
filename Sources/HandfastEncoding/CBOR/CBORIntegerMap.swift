/// The position in an integer-keyed map that a ``CBORReader`` is reading.
///
/// Ask for the defined keys in encoded order (0, 1, 2 … then -1, -2 …) and read each value from the reader right after
/// its key; then ``finish(_:)``:
/// ```swift
/// var map = try reader.readIntegerMap(maximum: 3)
/// try map.requireKey(1, &reader)
/// let created = try reader.readUnsigned()
/// let domain = try map.hasKey(2, &reader) ? try reader.readText(maximum: 253) : nil
/// try map.finish(&reader)
/// ```
/// Keys out of order, twice, missing or unknown are refused.
///
/// - Source: RFC 8949 §4.2.1; Spec/01 §1.1.
public struct CBORIntegerMap: Sendable {
    private var unreadCount: Int
    private var previousRank: UInt64?
    /// A key that was read and not yet asked for.
    private var pending: (key: Int, start: Int)?

    init(count: Int) {
        unreadCount = count
    }

    /// The next key, whose value is the reader's next item; nil at the end of the map.
    /// - Throws: ``CBORError/unsortedKeys(at:)``, ``CBORError/duplicateKey(at:)``, or what reading an integer throws.
    public mutating func nextKey(_ reader: inout CBORReader) throws(CBORError) -> Int? {
        guard let next = try peekKey(&reader) else { return nil }
        pending = nil
        return next.key
    }

    /// Consumes `key` if it is the next one, and tells whether it was.
    /// - Throws: ``CBORError/unknownKey(_:at:)`` if a key that sorts before `key` comes next.
    public mutating func hasKey(_ key: Int, _ reader: inout CBORReader) throws(CBORError) -> Bool {
        guard let next = try peekKey(&reader) else { return false }
        if Self.rank(of: next.key) < Self.rank(of: key) { throw .unknownKey(next.key, at: next.start) }
        guard next.key == key else { return false }
        pending = nil
        return true
    }

    /// Consumes `key`, which must be the next one.
    /// - Throws: ``CBORError/missingKey(_:at:)``, ``CBORError/unknownKey(_:at:)``.
    public mutating func requireKey(_ key: Int, _ reader: inout CBORReader) throws(CBORError) {
        guard try hasKey(key, &reader) else { throw .missingKey(key, at: pending?.start ?? reader.offset) }
    }

    /// Refuses what is left of the map.
    /// - Throws: ``CBORError/unknownKey(_:at:)``.
    public mutating func finish(_ reader: inout CBORReader) throws(CBORError) {
        if let next = try peekKey(&reader) { throw .unknownKey(next.key, at: next.start) }
    }

    private mutating func peekKey(_ reader: inout CBORReader) throws(CBORError) -> (key: Int, start: Int)? {
        if let pending { return pending }
        guard unreadCount > 0 else { return nil }
        let start = reader.offset
        let key = Int(try reader.readInteger())
        let rank = Self.rank(of: key)
        if let previousRank, rank <= previousRank {
            throw rank == previousRank ? .duplicateKey(at: start) : .unsortedKeys(at: start)
        }
        unreadCount -= 1
        previousRank = rank
        pending = (key, start)
        return pending
    }

    /// A number that sorts as the key's encoding does.
    private static func rank(of key: Int) -> UInt64 {
        key >= 0 ? UInt64(key) : UInt64(~key) | 1 << 63
    }
}
