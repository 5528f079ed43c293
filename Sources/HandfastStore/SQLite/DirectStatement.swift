internal import GRDB
internal import GRDBSQLite
internal import HandfastCrypto

/// A cached statement that is bound, stepped and read by SQLite's own functions.
///
/// It is for the few statements that every message of a relay or a node passes: what GRDB puts around one costs more
/// than SQLite takes for it. Arguments are bound in order; columns count from 0.
@safe struct DirectStatement: ~Copyable {
    private let database: Database
    private let table: StaticString
    /// What keeps the statement while it is used here.
    private let cached: Statement
    private let statement: OpaquePointer
    private var bound: CInt = 0

    /// - Parameter table: what errors name.
    init(_ sql: String, of table: StaticString, in database: Database) throws {
        self.database = database
        self.table = table
        cached = try database.cachedStatement(sql: sql)
        unsafe statement = cached.sqliteStatement
    }

    deinit {
        unsafe sqlite3_reset(statement)
        unsafe sqlite3_clear_bindings(statement)
    }

    // MARK: Arguments

    mutating func bind(_ number: Int64?) throws {
        bound += 1
        if let number {
            try check(unsafe sqlite3_bind_int64(statement, bound, number))
        } else {
            try check(unsafe sqlite3_bind_null(statement, bound))
        }
    }

    mutating func bind(_ number: Int) throws { try bind(Int64(number)) }

    mutating func bind(_ count: UInt64) throws { try bind(try count.stored) }

    /// Binds a copy of bytes.
    mutating func bind(_ bytes: RawSpan) throws {
        bound += 1
        guard !bytes.isEmpty else { return try check(unsafe sqlite3_bind_zeroblob(statement, bound, 0)) }
        let copied = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        let result = unsafe bytes.withUnsafeBytes { bytes in
            unsafe sqlite3_bind_blob(statement, bound, bytes.baseAddress, CInt(bytes.count), copied)
        }
        try check(result)
    }

    mutating func bind(_ bytes: [UInt8]) throws { try bind(bytes.bytes) }

    mutating func bind(_ digest: Digest?) throws {
        if let digest { try bind(digest.bytes) } else { try bind(Int64?.none) }
    }

    private func check(_ result: CInt) throws {
        guard result == SQLITE_OK else { throw error(result) }
    }

    private func error(_ result: CInt) -> DatabaseError {
        DatabaseError(resultCode: ResultCode(rawValue: result), message: database.lastErrorMessage)
    }

    /// Runs a statement that gives no rows, with bytes as its last argument that it need not copy, and lets it be
    /// bound anew.
    mutating func run(with bytes: RawSpan) throws {
        bound += 1
        defer {
            unsafe sqlite3_reset(statement)
            unsafe sqlite3_bind_null(statement, bound)
            bound = 0
        }
        try unsafe bytes.withUnsafeBytes { bytes in
            // No destructor: SQLite reads them while it steps, and they are unbound before they move.
            try check(unsafe sqlite3_bind_blob(statement, bound, bytes.baseAddress, CInt(bytes.count), nil))
            while try step() {}
        }
    }

    // MARK: Rows

    /// Goes to the next row; false at the end, and after a statement that gives none.
    func step() throws -> Bool {
        let result = unsafe sqlite3_step(statement)
        switch result {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw error(result)
        }
    }

    /// Runs a statement that gives no rows.
    consuming func run() throws { while try step() {} }

    func isNull(_ column: CInt) -> Bool {
        unsafe sqlite3_column_type(statement, column) == SQLITE_NULL
    }

    func number(_ column: CInt) throws(StoreError) -> Int64 {
        guard unsafe sqlite3_column_type(statement, column) == SQLITE_INTEGER else { throw fault(column) }
        return unsafe sqlite3_column_int64(statement, column)
    }

    func int(_ column: CInt) throws(StoreError) -> Int { Int(try number(column)) }

    func count(_ column: CInt) throws(StoreError) -> UInt64 {
        guard let count = UInt64(exactly: try number(column)) else { throw fault(column) }
        return count
    }

    /// The bytes of a column that has so many.
    func fixed<let count: Int>(_ column: CInt) throws(StoreError) -> FixedBytes<count> {
        guard unsafe sqlite3_column_type(statement, column) == SQLITE_BLOB,
            let start = unsafe sqlite3_column_blob(statement, column)
        else { throw fault(column) }
        let buffer = unsafe UnsafeRawBufferPointer(
            start: start, count: Int(sqlite3_column_bytes(statement, column)))
        guard let bytes = try? unsafe FixedBytes<count>(RawSpan(_unsafeBytes: buffer)) else { throw fault(column) }
        return bytes
    }

    private func fault(_ column: CInt) -> StoreError { .corrupted("table \(table), column \(column)") }
}
