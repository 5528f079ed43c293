package import HandfastChannel
package import HandfastCrypto

/// A row that an engine gave, read column by column. What a column holds is checked when it is read.
package protocol EngineRow {
    /// The bytes of a column, or nil.
    ///
    /// - Throws: ``StoreError/corrupted(_:)`` when something else is stored there
    func optionalBytes(_ column: Int, of table: StaticString) throws(StoreError) -> [UInt8]?

    /// The number in a column, or nil.
    ///
    /// - Throws: ``StoreError/corrupted(_:)`` when something else is stored there
    func optionalNumber(_ column: Int, of table: StaticString) throws(StoreError) -> Int64?
}

extension EngineRow {
    /// The bytes of a column.
    package func bytes(_ column: Int, of table: StaticString) throws(StoreError) -> [UInt8] {
        guard let bytes = try optionalBytes(column, of: table) else { throw .damaged(column, of: table) }
        return bytes
    }

    /// The number in a column.
    package func number(_ column: Int, of table: StaticString) throws(StoreError) -> Int64 {
        guard let number = try optionalNumber(column, of: table) else { throw .damaged(column, of: table) }
        return number
    }

    /// The number in a column that is never negative, or nil.
    package func optionalCount(_ column: Int, of table: StaticString) throws(StoreError) -> UInt64? {
        guard let number = try optionalNumber(column, of: table) else { return nil }
        guard let count = UInt64(exactly: number) else { throw .damaged(column, of: table) }
        return count
    }

    /// The number in a column that is never negative.
    package func count(_ column: Int, of table: StaticString) throws(StoreError) -> UInt64 {
        guard let count = try optionalCount(column, of: table) else { throw .damaged(column, of: table) }
        return count
    }

    /// The digest in a column.
    package func digest(_ column: Int, of table: StaticString) throws(StoreError) -> Digest {
        Digest(try fixed(column, of: table))
    }

    /// The queue's name in a column.
    package func queue(_ column: Int, of table: StaticString) throws(StoreError) -> QueueID {
        QueueID(try fixed(column, of: table))
    }

    private func fixed<let count: Int>(_ column: Int, of table: StaticString) throws(StoreError) -> FixedBytes<count> {
        guard let value = try? FixedBytes<count>(copying: bytes(column, of: table)) else {
            throw .damaged(column, of: table)
        }
        return value
    }
}

extension StoreError {
    /// A column does not hold what it should.
    package static func damaged(_ column: Int, of table: StaticString) -> StoreError {
        .corrupted("table \(table), column \(column)")
    }
}
