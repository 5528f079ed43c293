internal import Foundation
internal import GRDB

extension Database {
    /// Runs a cached statement; its arguments are bound as given.
    func run(_ sql: String, _ arguments: [(any DatabaseValueConvertible)?] = []) throws {
        let statement = try cachedStatement(sql: sql)
        statement.setUncheckedArguments(StatementArguments(arguments))
        try statement.execute()
    }

    /// The rows of a cached query, one after the other; a row is valid until the next is asked for.
    func rows(_ sql: String, _ arguments: [(any DatabaseValueConvertible)?] = []) throws -> RowCursor {
        let statement = try cachedStatement(sql: sql)
        return try Row.fetchCursor(statement, arguments: StatementArguments(arguments))
    }

    /// The first row of a cached query.
    func row(_ sql: String, _ arguments: [(any DatabaseValueConvertible)?] = []) throws -> Row? {
        let statement = try cachedStatement(sql: sql)
        return try Row.fetchOne(statement, arguments: StatementArguments(arguments))
    }

    /// Every row of a cached query, made into a value. The query bounds their number.
    func map<Value>(
        _ sql: String, _ arguments: [(any DatabaseValueConvertible)?], _ value: (Row) throws -> Value
    ) throws -> [Value] {
        var values = [Value]()
        let rows = try rows(sql, arguments)
        while let row = try rows.next() { values.append(try value(row)) }
        return values
    }
}

extension [UInt8] {
    /// The form in which the database takes bytes.
    var blob: Data { Data(self) }
}

extension Row: EngineRow {
    func optionalBytes(_ column: Int, of table: StaticString) throws(StoreError) -> [UInt8]? {
        switch (self[column] as DatabaseValue).storage {
        case .null: nil
        case .blob(let data): [UInt8](data)
        default: throw .damaged(column, of: table)
        }
    }

    func optionalNumber(_ column: Int, of table: StaticString) throws(StoreError) -> Int64? {
        switch (self[column] as DatabaseValue).storage {
        case .null: nil
        case .int64(let number): number
        default: throw .damaged(column, of: table)
        }
    }
}

extension UInt64 {
    /// The form in which the database takes a count.
    ///
    /// - Throws: ``StoreError/inputOutput(_:)`` beyond 2⁶³ − 1, which no honest count reaches
    var stored: Int64 {
        get throws(StoreError) {
            guard let number = Int64(exactly: self) else { throw .inputOutput("the number \(self) is too large") }
            return number
        }
    }
}
