internal import GRDB
public import HandfastChannel
public import HandfastCrypto

extension SQLiteVaultStore {
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
        try await file.read("table invitation") { [seal] database in
            try SealedTable.invitation.find(knock.digest.array, in: database, seal).map { row in
                try StoredInvitation(row, in: database, seal)
            }
        }
    }

    /// The invitations of this node, in the order in which they were stored.
    public func invitations(after: Int64, limit: Int) async throws(StoreError) -> [StoredInvitation] {
        try await file.read("table invitation") { [seal] database in
            let limit = ReadLimit.rows(limit)
            return try SealedTable.invitation.list(after: after, limit: limit, in: database, seal).map { row in
                try StoredInvitation(row, in: database, seal)
            }
        }
    }

    /// The invitations of this node, the latest first.
    public func invitations(before: Int64, limit: Int) async throws(StoreError) -> [StoredInvitation] {
        try await file.read("table invitation") { [seal] database in
            let limit = ReadLimit.rows(limit)
            return try SealedTable.invitation.list(before: before, limit: limit, in: database, seal).map { row in
                try StoredInvitation(row, in: database, seal)
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
        try await file.read("table service") { [seal] database in
            let limit = ReadLimit.rows(limit)
            return try SealedTable.service.list(after: after, limit: limit, in: database, seal).map { row in
                try StoredService(row, in: database, seal)
            }
        }
    }

    /// The service with this key and its cursor, or nil.
    public func service(_ key: VerificationKey) async throws(StoreError) -> StoredService? {
        try await file.read("table service") { [seal] database in
            try SealedTable.service.find(key.array, in: database, seal).map { row in
                try StoredService(row, in: database, seal)
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
        try await file.read("table queue") { [seal] database in
            let sql = """
                SELECT q.row, q.name, q.version, q.expires, q.sealed FROM tended t JOIN queue q ON q.row = t.queue
                WHERE t.service = ? AND t.queue > ? ORDER BY t.queue LIMIT ?
                """
            let name = seal.name(service.array, in: "tended")
            return try SealedTable.queue.list(
                sql, [name.blob, after, ReadLimit.rows(limit)], in: database, seal
            ).map(StoredQueue.init)
        }
    }

    /// How far an attachment has come; nil for one never heard of.
    public func transfer(_ key: TransferKey) async throws(StoreError) -> StoredTransfer? {
        try await file.read("table transfer") { [seal] database in
            let open = try SealedTable.transfer.find(key.bytes, in: database, seal)
            let row = try open ?? SealedTable.endedTransfer.find(key.bytes, in: database, seal)
            return try row.map { row throws in try StoredTransfer(row) }
        }
    }

    /// The transfers for which something is still to be done, in the order in which they began.
    public func openTransfers(after: Int64, limit: Int) async throws(StoreError) -> [StoredTransfer] {
        try await list(.transfer, after: after, limit: limit, StoredTransfer.init)
    }

    /// A row of the wallet, or nil.
    public func walletRow(_ key: WalletKey) async throws(StoreError) -> StoredWalletRow? {
        let table = key.table
        return try await file.read("table \(table)") { [seal] database in
            try SealedTable.wallet(table).find(key.bytes, in: database, seal).map { row in
                try StoredWalletRow(row, of: table)
            }
        }
    }

    /// The rows of a table of the wallet, in the order in which they were stored.
    public func walletRows(
        _ table: WalletTable, after: Int64, limit: Int
    ) async throws(StoreError) -> [StoredWalletRow] {
        try await list(.wallet(table), after: after, limit: limit) { row in try StoredWalletRow(row, of: table) }
    }

    /// The result kept under an idempotency key, or nil.
    public func idempotentResult(_ key: [UInt8]) async throws(StoreError) -> [UInt8]? {
        try await find(.idempotency, key, \.payload)
    }

    private func find<Value: Sendable>(
        _ table: SealedTable, _ key: [UInt8], _ value: @escaping @Sendable (OpenedRow) throws -> Value
    ) async throws(StoreError) -> Value? {
        try await file.read("table \(table.table)") { [seal] database in
            try table.find(key, in: database, seal).map { row in try value(row) }
        }
    }

    private func list<Value: Sendable>(
        _ table: SealedTable, after: Int64, limit: Int,
        _ value: @escaping @Sendable (OpenedRow) throws -> Value
    ) async throws(StoreError) -> [Value] {
        try await file.read("table \(table.table)") { [seal] database in
            try table.list(after: after, limit: ReadLimit.rows(limit), in: database, seal).map { row in try value(row) }
        }
    }
}

extension StoredInvitation {
    fileprivate init(_ row: OpenedRow, in database: Database, _ seal: VaultSeal) throws {
        let spent = try SealedTable.ticket.find(Array(row.payload.prefix(32)), in: database, seal)
        let spender = try spent.map { row throws in
            var payload = Payload(row.payload, of: "ticket")
            return RelationshipID(try payload.digest())
        }
        try self.init(row, spentBy: spender)
    }
}

extension StoredService {
    fileprivate init(_ row: OpenedRow, in database: Database, _ seal: VaultSeal) throws {
        let name = seal.name(Array(row.payload.prefix(32)), in: "cursor")
        let cursor = try database.row("SELECT position FROM cursor WHERE name = ?", [name.blob])
        try self.init(row, cursor: try cursor?.count(0, of: "cursor") ?? 0)
    }
}
