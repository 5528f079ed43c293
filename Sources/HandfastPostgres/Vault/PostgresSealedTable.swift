internal import HandfastChannel
internal import HandfastStore

/// A table of sealed payloads, each found by the keyed digest of its true key.
///
/// All of them have one shape, and seal each row to the same place as the other engine, so that a row can be carried over
/// as it is.
struct PostgresSealedTable: Hashable {
    static let identity = PostgresSealedTable("identity")
    static let invitation = PostgresSealedTable("invitation")
    static let bundle = PostgresSealedTable("bundle")
    static let hello = PostgresSealedTable("hello")
    static let ticket = PostgresSealedTable("ticket")
    static let service = PostgresSealedTable("service")
    static let queue = PostgresSealedTable("queue")
    static let idempotency = PostgresSealedTable("idempotency")
    static let transfer = PostgresSealedTable("transfer")
    static let endedTransfer = PostgresSealedTable("ended_transfer")
    /// All of them.
    static let all =
        [identity, invitation, bundle, hello, ticket, service, queue, idempotency, transfer, endedTransfer]
        + WalletTable.allCases.map(wallet)
    /// Those whose rows are erased when their time has come.
    static let expiring = [bundle, hello, idempotency]

    /// The table of a part of the wallet.
    static func wallet(_ table: WalletTable) -> PostgresSealedTable {
        switch table {
        case .credential: PostgresSealedTable("wallet_credential")
        case .copy: PostgresSealedTable("wallet_copy")
        case .request: PostgresSealedTable("wallet_request")
        case .answer: PostgresSealedTable("wallet_answer")
        case .rule: PostgresSealedTable("wallet_rule")
        case .status: PostgresSealedTable("wallet_status")
        case .anonymous: PostgresSealedTable("wallet_anonymous")
        case .issuer: PostgresSealedTable("wallet_issuer")
        case .recovery: PostgresSealedTable("wallet_recovery")
        }
    }

    /// Its name, as it also stands in the seals of its rows.
    let table: StaticString
    /// The same as text.
    let name: String

    private init(_ table: StaticString) {
        self.table = table
        name = table.description
    }

    static func == (one: PostgresSealedTable, other: PostgresSealedTable) -> Bool { one.name == other.name }

    func hash(into hasher: inout Hasher) { hasher.combine(name) }

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

    private var columns: String { "row, name, version, expires, sealed" }

    /// The row with a name; opened by ``open(_:_:)``.
    func lookup(_ name: [UInt8]) -> PostgresStatement {
        PostgresStatement(
            "SELECT \(columns) FROM \(self.name) WHERE bucket = $1 AND name = $2",
            [Bucket(of: name).value, .bytes(name)])
    }

    /// The rows after a position.
    func page(after position: Int64, limit: Int) -> PostgresStatement {
        PostgresStatement(
            "SELECT \(columns) FROM \(name) WHERE row > $1 ORDER BY row LIMIT $2", [.number(position), .number(limit)])
    }

    /// The rows before a position, the latest first.
    func page(before position: Int64, limit: Int) -> PostgresStatement {
        PostgresStatement(
            "SELECT \(columns) FROM \(name) WHERE row < $1 ORDER BY row DESC LIMIT $2",
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

    /// Opens a row with the columns row, name, version, expires and sealed.
    func open(_ row: PostgresRow, _ seal: VaultSeal) throws(StoreError) -> OpenedRow {
        let place = RowPlace(table, name: try row.bytes(1, of: table), version: try row.number(2, of: table))
        return OpenedRow(
            position: try row.number(0, of: table), payload: try seal.open(row.bytes(4, of: table), at: place),
            expires: try row.optionalCount(3, of: table).map { Timestamp(seconds: $0) })
    }
}
