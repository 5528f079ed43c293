internal import HandfastStore

/// How a vault's tables get into PostgreSQL: as they are, sealed, with the bucket of what they belong to.
enum VaultCopies {
    /// Every table but the feed.
    static var all: [TableCopy] {
        [header, relationship, cursor, tended, event]
            + [
                part("channel", ["version", "written", "sealed"]), part("auxiliary", ["version", "sealed"]),
                part("resume", ["version", "sealed"]), part("entry", ["direction", "sequence", "version", "sealed"]),
                part("outbox", ["queue", "number", "sealed"]), part("confirmed", ["queue", "version", "sealed"]),
            ] + SealedTable.all.map { sealed($0.name) }
    }

    private static let header = TableCopy(
        table: "vault",
        columns: ["bucket", "row", "method", "memory", "passes", "salt", "wrapped", "digest"],
        source: "SELECT method, memory, passes, salt, wrapped, digest FROM vault"
    ) { row in [[.small(0), .number(1)] + row.map(PostgresValue.init)] }

    private static let relationship = TableCopy(
        table: "relationship", columns: ["bucket", "name", "timed", "row", "version", "sealed"],
        source: "SELECT name, timed, row, version, sealed FROM relationship"
    ) { row in
        let name = try row.bytes(0)
        return [
            [Bucket(of: name).value, .bytes(name), .flag(try row.number(1) != 0)]
                + row.dropFirst(2).map(PostgresValue.init)
        ]
    }

    private static let cursor = TableCopy(
        table: "cursor", columns: ["bucket", "name", "position"], source: "SELECT name, position FROM cursor",
        convert: named)

    private static let tended = TableCopy(
        table: "tended", columns: ["bucket", "name", "row", "service"],
        source: "SELECT q.name, t.queue, t.service FROM tended t LEFT JOIN queue q ON q.row = t.queue", convert: named)

    private static let event = TableCopy(
        table: "event", columns: ["bucket", "position", "sealed"], source: "SELECT position, sealed FROM event"
    ) { row in [[.small(0)] + row.map(PostgresValue.init)] }

    /// A table of sealed payloads.
    private static func sealed(_ table: String) -> TableCopy {
        TableCopy(
            table: table, columns: ["bucket", "name", "row", "version", "expires", "sealed"],
            source: "SELECT name, row, version, expires, sealed FROM \(table)", convert: named)
    }

    /// A table whose rows belong to relationships. One that belongs to none shows as a name that is missing.
    private static func part(_ table: String, _ columns: [String]) -> TableCopy {
        TableCopy(
            table: table, columns: ["bucket", "relationship"] + columns,
            source: """
                SELECT r.name, t.relationship, \(columns.map { "t.\($0)" }.joined(separator: ", "))
                FROM \(table) t LEFT JOIN relationship r ON r.row = t.relationship
                """
        ) { row in [[Bucket(of: try row.bytes(0)).value] + row.dropFirst().map(PostgresValue.init)] }
    }

    /// A row that begins with its name.
    @Sendable private static func named(_ row: [SQLiteExport.Value]) throws -> [[PostgresValue]] {
        [[Bucket(of: try row.bytes(0)).value] + row.map(PostgresValue.init)]
    }

    /// Goes on with events and rows where the other engine stood.
    static func carryFeed(from export: SQLiteExport, by transaction: PostgresTransaction) throws {
        var last: Int64 = 0
        try export.rows("SELECT last FROM feed") { row in last = try row.number(0) }
        var rows: Int64 = 0
        for table in ["relationship"] + SealedTable.all.map(\.name) {
            try export.rows("SELECT coalesce(max(row), 0) FROM \(table)") { row in rows = max(rows, try row.number(0)) }
        }
        try transaction.run(
            "UPDATE feed SET last = $1, rows = $2 WHERE bucket = 0 AND row = 1", [.number(last), .number(rows)])
    }
}
