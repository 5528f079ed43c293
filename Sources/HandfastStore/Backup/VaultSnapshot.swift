/// One state of a vault's tables, which have the same names, columns and seals in every engine.
package protocol VaultSnapshot {
    /// The order in which the records of all ledgers are read fastest; `e` is table entry.
    var recordOrder: String { get }

    /// The rows of a question without parameters, one after the other. Several questions may be under way at once.
    func rows(_ sql: String) throws -> any SnapshotRows
}

/// The rows of a question, however many.
package protocol SnapshotRows {
    /// The next row, which is valid until the one after it is asked for; nil after the last.
    func next() throws -> (any EngineRow)?
}
