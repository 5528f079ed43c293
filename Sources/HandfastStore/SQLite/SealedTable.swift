internal import Foundation
internal import GRDB
internal import HandfastChannel

/// A table of sealed payloads, each found by the keyed digest of its true key.
///
/// All of them have one shape, so that one piece of code seals, opens and lists them.
struct SealedTable {
    static let identity = SealedTable("identity")
    static let invitation = SealedTable("invitation")
    static let bundle = SealedTable("bundle")
    static let hello = SealedTable("hello")
    static let ticket = SealedTable("ticket")
    static let service = SealedTable("service")
    static let queue = SealedTable("queue")
    static let idempotency = SealedTable("idempotency")
    static let transfer = SealedTable("transfer")
    static let endedTransfer = SealedTable("ended_transfer")
    static let walletCredential = SealedTable("wallet_credential")
    static let walletCopy = SealedTable("wallet_copy")
    static let walletRequest = SealedTable("wallet_request")
    static let walletAnswer = SealedTable("wallet_answer")
    static let walletRule = SealedTable("wallet_rule")
    static let walletStatus = SealedTable("wallet_status")
    static let walletAnonymous = SealedTable("wallet_anonymous")
    static let walletIssuer = SealedTable("wallet_issuer")
    static let walletRecovery = SealedTable("wallet_recovery")
    /// Those of the first schema.
    static let first = [identity, invitation, bundle, hello, ticket, service, queue, idempotency]
    /// Those whose rows are erased when their time has come.
    static let expiring = [bundle, hello, idempotency]

    /// The table of a part of the wallet.
    static func wallet(_ table: WalletTable) -> SealedTable {
        switch table {
        case .credential: walletCredential
        case .copy: walletCopy
        case .request: walletRequest
        case .answer: walletAnswer
        case .rule: walletRule
        case .status: walletStatus
        case .anonymous: walletAnonymous
        case .issuer: walletIssuer
        case .recovery: walletRecovery
        }
    }

    let table: StaticString
    private let insertion: String
    private let replacement: String
    private let lookup: String
    private let page: String
    private let backwards: String

    private init(_ table: StaticString) {
        self.table = table
        insertion = "INSERT INTO \(table) (name, version, expires, sealed) VALUES (?, 1, ?, ?) ON CONFLICT DO NOTHING"
        replacement = "UPDATE \(table) SET version = ?, expires = ?, sealed = ? WHERE row = ?"
        lookup = "SELECT row, name, version, expires, sealed FROM \(table) WHERE name = ?"
        backwards = "SELECT row, name, version, expires, sealed FROM \(table) WHERE row < ? ORDER BY row DESC LIMIT ?"
        page = "SELECT row, name, version, expires, sealed FROM \(table) WHERE row > ? ORDER BY row LIMIT ?"
    }

    /// Makes the table in a new database.
    func create(in database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE \(table) (
                    row INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, version INTEGER NOT NULL,
                    expires INTEGER, sealed BLOB NOT NULL) STRICT
                """)
        guard Self.expiring.contains(where: { $0.table.description == table.description }) else { return }
        try database.execute(sql: "CREATE INDEX \(table)_expires ON \(table) (expires)")
    }

    /// Stores a new row; false, and nothing done, when the key is known already.
    func insert(
        _ key: [UInt8], _ payload: [UInt8], expires: Timestamp? = nil, in database: Database, _ seal: VaultSeal
    ) throws -> Bool {
        let name = seal.name(key, in: table)
        let sealed = seal.seal(payload, at: RowPlace(table, name: name, version: 1))
        try database.run(insertion, [name.blob, try expires?.seconds.stored, sealed.blob])
        return database.changesCount == 1
    }

    /// Stores a row in place of the one with this key, if there is one.
    func store(
        _ key: [UInt8], _ payload: [UInt8], expires: Timestamp? = nil, in database: Database, _ seal: VaultSeal
    ) throws {
        let name = seal.name(key, in: table)
        guard let row = try database.row(lookup, [name.blob]) else {
            _ = try insert(key, payload, expires: expires, in: database, seal)
            return
        }
        let version = try row.number(2, of: table) + 1
        let sealed = seal.seal(payload, at: RowPlace(table, name: name, version: version))
        try database.run(
            replacement, [version, try expires?.seconds.stored, sealed.blob, try row.number(0, of: table)])
    }

    /// Whether there is a row with this key.
    func contains(_ key: [UInt8], in database: Database, _ seal: VaultSeal) throws -> Bool {
        try database.row(lookup, [seal.name(key, in: table).blob]) != nil
    }

    /// The row with this key, opened.
    func find(_ key: [UInt8], in database: Database, _ seal: VaultSeal) throws -> OpenedRow? {
        try database.row(lookup, [seal.name(key, in: table).blob]).map { row in try open(row, seal) }
    }

    /// The rows after a position, opened.
    func list(after position: Int64, limit: Int, in database: Database, _ seal: VaultSeal) throws -> [OpenedRow] {
        try database.map(page, [position, limit]) { row in try open(row, seal) }
    }

    /// The rows before a position, opened, the latest first.
    func list(before position: Int64, limit: Int, in database: Database, _ seal: VaultSeal) throws -> [OpenedRow] {
        try database.map(backwards, [position, limit]) { row in try open(row, seal) }
    }

    /// The rows that a statement gives with the columns row, name, version, expires and sealed, opened.
    func list(
        _ statement: String, _ arguments: [any DatabaseValueConvertible], in database: Database, _ seal: VaultSeal
    ) throws -> [OpenedRow] {
        try database.map(statement, arguments) { row in try open(row, seal) }
    }

    /// Erases the row with this key.
    func remove(_ key: [UInt8], in database: Database, _ seal: VaultSeal) throws {
        try database.run("DELETE FROM \(table) WHERE name = ?", [seal.name(key, in: table).blob])
    }

    /// Erases rows whose time has come, and tells how many.
    func purge(expiredAt now: Timestamp, limit: Int, in database: Database) throws -> Int {
        try database.run(
            "DELETE FROM \(table) WHERE row IN (SELECT row FROM \(table) WHERE expires <= ? LIMIT ?)",
            [try now.seconds.stored, limit])
        return database.changesCount
    }

    private func open(_ row: Row, _ seal: VaultSeal) throws -> OpenedRow {
        let place = RowPlace(
            table, name: try row.bytes(1, of: table), version: try row.number(2, of: table))
        let expires = try row.optionalNumber(3, of: table)
        return OpenedRow(
            position: try row.number(0, of: table), payload: try seal.open(row.bytes(4, of: table), at: place),
            expires: expires.map { Timestamp(seconds: $0) })
    }
}
