public import HandfastChannel
public import HandfastCrypto
public import HandfastStore

extension PostgresVaultStore {
    /// An identity of this node, or nil.
    public func identity(_ id: IdentityID) async throws(StoreError) -> StoredIdentity? {
        try await find(.identity, id.digest.array, StoredIdentity.init)
    }

    /// The identities of this node, in the order in which they were stored.
    public func identities(after: Int64, limit: Int) async throws(StoreError) -> [StoredIdentity] {
        try await list(.identity, after: after, limit: limit, StoredIdentity.init)
    }

    /// The invitation with this knock, or nil.
    public func invitation(_ knock: Knock) async throws(StoreError) -> StoredInvitation? {
        let table = SealedTable.invitation
        return try await invitations(table.lookup(table.name(of: knock.digest.array, seal))).first
    }

    /// The invitations of this node, in the order in which they were stored.
    public func invitations(after: Int64, limit: Int) async throws(StoreError) -> [StoredInvitation] {
        try await invitations(SealedTable.invitation.page(after: after, limit: ReadLimit.rows(limit)))
    }

    /// The invitations of this node, the latest first.
    public func invitations(before: Int64, limit: Int) async throws(StoreError) -> [StoredInvitation] {
        try await invitations(SealedTable.invitation.page(before: before, limit: ReadLimit.rows(limit)))
    }

    private func invitations(_ statement: PostgresStatement) async throws(StoreError) -> [StoredInvitation] {
        try await database.read("table invitation") { [seal] transaction in
            let rows = try Self.open(statement, .invitation, seal, transaction)
            let tickets = SealedTable.ticket
            let spent = try transaction.rows(
                ofAll: rows.map { tickets.lookup(seal.name(Array($0.payload.prefix(32)), in: tickets.table)) })
            return try zip(rows, spent).map { row, answer in
                let spender = try answer.first.map { stored throws in
                    var payload = Payload(try tickets.open(stored, seal).payload, of: "ticket")
                    return RelationshipID(try payload.digest())
                }
                return try StoredInvitation(row, spentBy: spender)
            }
        }
    }

    /// A bundle with its private key, or nil once it is erased.
    public func bundle(_ hash: Digest) async throws(StoreError) -> StoredBundle? {
        try await find(.bundle, hash.array, StoredBundle.init)
    }

    /// Bundles that are not yet erased, in the order in which they were stored.
    public func bundles(after: Int64, limit: Int) async throws(StoreError) -> [StoredBundle] {
        try await list(.bundle, after: after, limit: limit, StoredBundle.init)
    }

    /// The relationship that a hello with this hash began; nil for an unknown hello.
    public func hello(_ hash: Digest) async throws(StoreError) -> RelationshipID? {
        try await find(.hello, hash.array) { row in
            var payload = Payload(row.payload, of: "hello")
            return RelationshipID(try payload.digest())
        }
    }

    /// The services that this node has at relays, each with its cursor.
    public func services(after: Int64, limit: Int) async throws(StoreError) -> [StoredService] {
        try await services(SealedTable.service.page(after: after, limit: ReadLimit.rows(limit)))
    }

    /// The service with this key and its cursor, or nil.
    public func service(_ key: VerificationKey) async throws(StoreError) -> StoredService? {
        let table = SealedTable.service
        return try await services(table.lookup(table.name(of: key.array, seal))).first
    }

    private func services(_ statement: PostgresStatement) async throws(StoreError) -> [StoredService] {
        try await database.read("table service") { [seal] transaction in
            let rows = try Self.open(statement, .service, seal, transaction)
            let cursors = try transaction.rows(
                ofAll: rows.map { row in
                    let name = seal.name(Array(row.payload.prefix(32)), in: "cursor")
                    return PostgresStatement(
                        "SELECT position FROM cursor WHERE bucket = $1 AND name = $2",
                        [Bucket(of: name).value, .bytes(name)])
                })
            return try zip(rows, cursors).map { row, answer in
                try StoredService(row, cursor: try answer.first?.count(0, of: "cursor") ?? 0)
            }
        }
    }

    /// What the node's own queue with this id is for, or nil.
    public func queue(_ id: QueueID) async throws(StoreError) -> StoredQueue? {
        try await find(.queue, id.array, StoredQueue.init)
    }

    /// The node's own queues for which a service has something to do, in the order in which they were stored.
    public func queues(
        tendedBy service: VerificationKey, after: Int64, limit: Int
    ) async throws(StoreError) -> [StoredQueue] {
        try await database.read("table queue") { [seal] transaction in
            let statement = PostgresStatement(
                """
                SELECT q.row, q.name, q.version, q.expires, q.sealed FROM tended t
                JOIN queue q ON q.bucket = t.bucket AND q.name = t.name
                WHERE t.service = $1 AND t.row > $2 ORDER BY t.row LIMIT $3
                """,
                [.bytes(seal.name(service.array, in: "tended")), .number(after), .number(ReadLimit.rows(limit))])
            return try Self.open(statement, .queue, seal, transaction).map { row in try StoredQueue(row) }
        }
    }

    /// How far an attachment has come; nil for one never heard of.
    public func transfer(_ key: TransferKey) async throws(StoreError) -> StoredTransfer? {
        try await database.read("table transfer") { [seal] transaction in
            for table in [SealedTable.transfer, .endedTransfer] {
                let lookup = table.lookup(table.name(of: key.bytes, seal))
                if let row = try Self.open(lookup, table, seal, transaction).first { return try StoredTransfer(row) }
            }
            return nil
        }
    }

    /// The transfers for which something is still to be done, in the order in which they began.
    public func openTransfers(after: Int64, limit: Int) async throws(StoreError) -> [StoredTransfer] {
        try await list(.transfer, after: after, limit: limit) { row in try StoredTransfer(row) }
    }

    /// A row of the wallet, or nil.
    public func walletRow(_ key: WalletKey) async throws(StoreError) -> StoredWalletRow? {
        try await find(.wallet(key.table), key.bytes) { row in try StoredWalletRow(row, of: key.table) }
    }

    /// The rows of a table of the wallet, in the order in which they were stored.
    public func walletRows(
        _ table: WalletTable, after: Int64, limit: Int
    ) async throws(StoreError) -> [StoredWalletRow] {
        try await list(.wallet(table), after: after, limit: limit) { row in try StoredWalletRow(row, of: table) }
    }

    /// The result kept under an idempotency key, or nil.
    public func idempotentResult(_ key: [UInt8]) async throws(StoreError) -> [UInt8]? {
        try await find(.idempotency, key) { row in row.payload }
    }

    private func find<Value: Sendable>(
        _ table: SealedTable, _ key: [UInt8], _ value: @escaping @Sendable (OpenedRow) throws -> Value
    ) async throws(StoreError) -> Value? {
        try await database.read("table \(table.name)") { [seal] transaction in
            try Self.open(table.lookup(table.name(of: key, seal)), table, seal, transaction).first.map(value)
        }
    }

    private func list<Value: Sendable>(
        _ table: SealedTable, after: Int64, limit: Int,
        _ value: @escaping @Sendable (OpenedRow) throws -> Value
    ) async throws(StoreError) -> [Value] {
        try await database.read("table \(table.name)") { [seal] transaction in
            try Self.open(table.page(after: after, limit: ReadLimit.rows(limit)), table, seal, transaction).map(value)
        }
    }

    private static func open(
        _ statement: PostgresStatement, _ table: SealedTable, _ seal: VaultSeal,
        _ transaction: PostgresTransaction
    ) throws -> [OpenedRow] {
        try transaction.rows(ofAll: [statement]).flatMap { rows in
            try rows.map { row in try table.open(row, seal) }
        }
    }
}
