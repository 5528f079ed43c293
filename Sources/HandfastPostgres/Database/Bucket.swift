internal import HandfastCrypto

/// The part of a database that a row belongs to: 2 bits of epoch above 12 bits of what it belongs to.
///
/// A row's number carries its bucket in the upper bits, so that whoever has the number knows where to look.
struct Bucket: Hashable {
    /// How many bits below the bucket a row's number has.
    private static let rowBits: Int64 = 49
    /// The epoch in which new rows are made, 0…3. Another one spreads new services differently, while the old ones stay
    /// where they are until they are drained.
    private static let epoch: Int16 = 0

    let number: Int16

    /// The bucket of something by the first 12 bits of its name, which is as good as random.
    init(of name: [UInt8]) {
        let (first, second) = (name.first ?? 0, name.dropFirst().first ?? 0)
        number = Self.epoch << 12 | Int16(first) << 4 | Int16(second >> 4)
    }

    /// The bucket that a row's number carries.
    init(ofRow row: Int64) {
        number = Int16(truncatingIfNeeded: row >> Self.rowBits & 0x3FFF)
    }

    /// A number for a new row, by chance: none has to be asked for, and whoever makes names cannot choose it.
    func newRow() -> Int64 {
        var random = SecureRandom()
        let low = Int64(bitPattern: random.next()) & ((1 << Self.rowBits) - 1)
        return Int64(number) << Self.rowBits | low
    }

    /// The parameter of a statement.
    var value: PostgresValue { .small(number) }
}
