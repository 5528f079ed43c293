internal import HandfastChannel
internal import HandfastStore

extension SealedTable {
    /// What makes the table.
    var statements: [String] {
        var statements = [
            """
            CREATE TABLE \(name) (
                bucket smallint NOT NULL, name bytea NOT NULL, row bigint NOT NULL, version bigint NOT NULL,
                expires bigint, sealed bytea NOT NULL, PRIMARY KEY (bucket, name))
            """,
            "CREATE INDEX \(name)_row ON \(name) (row)",
        ]
        if Self.expiring.contains(self) { statements.append("CREATE INDEX \(name)_expires ON \(name) (expires)") }
        return statements
    }

    /// The row with a name; opened by ``open(_:_:)``.
    func lookup(_ name: [UInt8]) -> PostgresStatement {
        PostgresStatement(
            "SELECT \(Self.columns) FROM \(self.name) WHERE bucket = $1 AND name = $2",
            [Bucket(of: name).value, .bytes(name)])
    }

    /// The rows after a position.
    func page(after position: Int64, limit: Int) -> PostgresStatement {
        PostgresStatement(
            "SELECT \(Self.columns) FROM \(name) WHERE row > $1 ORDER BY row LIMIT $2",
            [.number(position), .number(limit)])
    }

    /// The rows before a position, the latest first.
    func page(before position: Int64, limit: Int) -> PostgresStatement {
        PostgresStatement(
            "SELECT \(Self.columns) FROM \(name) WHERE row < $1 ORDER BY row DESC LIMIT $2",
            [.number(position), .number(limit)])
    }

    /// Erases rows whose time has come.
    func purge(expiredAt now: Timestamp, limit: Int) throws(StoreError) -> PostgresStatement {
        PostgresStatement(
            """
            DELETE FROM \(name) WHERE (bucket, name) IN
                (SELECT bucket, name FROM \(name) WHERE expires <= $1 LIMIT $2)
            """, [try min(now.seconds, UInt64(Int64.max)).stored, .number(limit)])
    }
}
