public import HandfastChannel
public import HandfastCrypto
public import HandfastStore

extension PostgresVaultStore: BackupSource {
    /// Adds to a backup what has changed since, or makes it: of one state of the database, whoever has the vault.
    public func backUp(
        to path: String, passphrase: [UInt8]?, parameters: PassphraseParameters,
        files: [(name: String, bytes: [UInt8])],
        now: Timestamp, keeping: @escaping @Sendable (BackupRow) throws -> BackupRow?
    ) async throws(StoreError) -> BackupOutcome {
        // Run again where the connection is lost: what was not finished in the file counts as nothing.
        try await database.read("backup") { [seal] transaction in
            try BackupMaking(PostgresSnapshot(transaction), seal, files: files, now: now, keeping)
                .run(at: path, passphrase: passphrase, parameters)
        }
    }
}

/// One state of the database, read by cursors.
private final class PostgresSnapshot: VaultSnapshot {
    private let transaction: PostgresTransaction
    private var cursors = 0

    let recordOrder = "e.bucket, e.relationship, e.direction, e.sequence"

    init(_ transaction: PostgresTransaction) {
        self.transaction = transaction
    }

    func rows(_ sql: String) throws -> any SnapshotRows {
        cursors += 1
        return try PostgresSnapshotRows(transaction, name: "c\(cursors)", sql)
    }
}

private final class PostgresSnapshotRows: SnapshotRows {
    private static let count = 500

    private let transaction: PostgresTransaction
    private let fetching: String
    private var page: [PostgresRow] = []
    private var position = 0
    private var isAtEnd = false

    init(_ transaction: PostgresTransaction, name: String, _ sql: String) throws {
        self.transaction = transaction
        fetching = "FETCH \(Self.count) FROM \(name)"
        _ = try transaction.rows(ofAll: [PostgresStatement(once: "DECLARE \(name) NO SCROLL CURSOR FOR \(sql)")])
    }

    func next() throws -> (any EngineRow)? {
        if position == page.count, !isAtEnd {
            page = try transaction.rows(ofAll: [PostgresStatement(once: fetching)])[0].map(\.self)
            position = 0
            isAtEnd = page.count < Self.count
        }
        guard position < page.count else { return nil }
        defer { position += 1 }
        return page[position]
    }
}
