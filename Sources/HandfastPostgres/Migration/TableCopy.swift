internal import HandfastCrypto
internal import HandfastStore

/// How the rows of one table get into PostgreSQL.
struct TableCopy: Sendable {
    /// The table, and its columns in the order of the values.
    let table: String
    let columns: [String]
    /// The rows in the other engine.
    let source: String
    /// One row there as rows here.
    let convert: @Sendable ([SQLiteExport.Value]) throws -> [[PostgresValue]]

    /// Copies everything, and counts.
    func copy(
        from export: SQLiteExport, by transaction: PostgresTransaction, _ progress: (String, Int) -> Void
    ) throws -> TableSum {
        let places = (1...columns.count).map { "$\($0)" }.joined(separator: ", ")
        let statement = "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(places))"
        var sum = TableSum()
        try export.rows(source) { row in
            for values in try convert(row) {
                sum.add(values.map(\.binary))
                try transaction.run(statement, values)
                if sum.rows % 1_000 == 0 { progress(table, sum.rows) }
            }
        }
        try transaction.flush()
        progress(table, sum.rows)
        return sum
    }

    /// Reads back what PostgreSQL has of it.
    func sum(by transaction: PostgresTransaction) throws -> TableSum {
        _ = try transaction.rows(
            "DECLARE migrated NO SCROLL CURSOR FOR SELECT \(columns.joined(separator: ", ")) FROM \(table)")
        var sum = TableSum()
        while true {
            let rows = try transaction.rows("FETCH 1000 FROM migrated")
            guard rows.count > 0 else { break }
            for row in rows.map({ row in columns.indices.map { row.raw($0) } }) { sum.add(row) }
        }
        _ = try transaction.rows("CLOSE migrated")
        return sum
    }
}

/// How many rows a table has, and a digest of all of them that does not depend on their order.
struct TableSum: Equatable {
    private static let label = Label("migration")

    private(set) var rows = 0
    private var digest: UInt64 = 0

    mutating func add(_ row: [[UInt8]?]) {
        var hash = LabelledHash(Self.label)
        for column in row {
            hash.absorb(UInt64(column == nil ? 0 : 1))
            hash.absorb(column ?? [])
        }
        rows += 1
        digest &+= hash.digest().array.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

extension PostgresValue {
    /// The form in which the server gives it back; nil for NULL.
    fileprivate var binary: [UInt8]? {
        if case .null = self { return nil }
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    /// What stands in a column of the other engine.
    init(_ value: SQLiteExport.Value) {
        switch value {
        case .null: self = .null
        case .number(let number): self = .number(number)
        case .bytes(let bytes): self = .bytes(bytes)
        }
    }
}

extension [SQLiteExport.Value] {
    /// The number in a column.
    func number(_ column: Int) throws(StoreError) -> Int64 {
        guard case .number(let number) = self[column] else { throw .corrupted("a number in column \(column)") }
        return number
    }

    /// The bytes in a column.
    func bytes(_ column: Int) throws(StoreError) -> [UInt8] {
        guard case .bytes(let bytes) = self[column] else { throw .corrupted("bytes in column \(column)") }
        return bytes
    }
}
