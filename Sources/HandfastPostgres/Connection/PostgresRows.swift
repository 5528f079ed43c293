internal import CLibpq
internal import HandfastStore

/// What a statement gave: rows in binary form, or the number of rows it changed.
@safe final class PostgresRows {
    private let result: OpaquePointer

    /// Takes over a result.
    init(owning result: OpaquePointer) {
        unsafe self.result = unsafe result
    }

    deinit {
        unsafe PQclear(result)
    }

    /// How many rows there are.
    var count: Int { Int(unsafe PQntuples(result)) }

    /// What the statement was and how many rows it touched, such as `UPDATE 1`.
    var command: String { unsafe String(cString: PQcmdStatus(result)) }

    /// How many rows were changed.
    var changed: Int { Int(unsafe String(cString: PQcmdTuples(result))) ?? 0 }

    /// Every row, made into a value.
    func map<Value>(_ value: (PostgresRow) throws -> Value) rethrows -> [Value] {
        try (0..<count).map { try value(PostgresRow(rows: self, index: Int32($0))) }
    }

    /// The first row, or nil.
    var first: PostgresRow? { count > 0 ? PostgresRow(rows: self, index: 0) : nil }

    fileprivate func isNull(_ row: Int32, _ column: Int) -> Bool {
        unsafe PQgetisnull(result, row, Int32(column)) != 0
    }

    fileprivate func value(_ row: Int32, _ column: Int) -> [UInt8]? {
        guard !isNull(row, column), let start = unsafe PQgetvalue(result, row, Int32(column)) else { return nil }
        let count = Int(unsafe PQgetlength(result, row, Int32(column)))
        return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    fileprivate func integer(_ row: Int32, _ column: Int) -> Int64? {
        guard !isNull(row, column), let start = unsafe PQgetvalue(result, row, Int32(column)) else { return nil }
        let count = Int(unsafe PQgetlength(result, row, Int32(column)))
        guard [1, 2, 4, 8].contains(count) else { return nil }
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count)
        var number: UInt64 = 0
        for index in 0..<count { number = number << 8 | UInt64(unsafe bytes[index]) }
        // Sign extension from the width that the column has.
        let shift = UInt64(64 - 8 * count)
        return count == 1 ? Int64(number) : Int64(bitPattern: number << shift) >> Int64(shift)
    }
}

/// One row of a result.
struct PostgresRow: EngineRow {
    fileprivate let rows: PostgresRows
    fileprivate let index: Int32

    func optionalBytes(_ column: Int, of table: StaticString) -> [UInt8]? { rows.value(index, column) }

    func optionalNumber(_ column: Int, of table: StaticString) throws(StoreError) -> Int64? {
        guard !rows.isNull(index, column) else { return nil }
        guard let number = rows.integer(index, column) else { throw .damaged(column, of: table) }
        return number
    }

    /// The bytes of a column, whatever they are, or nil.
    func raw(_ column: Int) -> [UInt8]? { rows.value(index, column) }

    /// The text of a column.
    func text(_ column: Int) -> String { String(decoding: rows.value(index, column) ?? [], as: UTF8.self) }
}
