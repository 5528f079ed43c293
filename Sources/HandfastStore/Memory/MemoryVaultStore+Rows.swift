public import HandfastChannel
public import HandfastCrypto

extension MemoryVaultStore {
    /// An identity of this node, or nil.
    public func identity(_ id: IdentityID) async throws(StoreError) -> StoredIdentity? {
        try read { rows in
            rows.identities[id].map { StoredIdentity(position: $0.position, id: id, bytes: $0.value) }
        }
    }

    /// The identities of this node, in the order in which they were stored.
    public func identities(after: Int64, limit: Int) async throws(StoreError) -> [StoredIdentity] {
        try read { rows in
            rows.identities.list(after: after, limit: ReadLimit.rows(limit)).map { id, row in
                StoredIdentity(position: row.position, id: id, bytes: row.value)
            }
        }
    }

    /// The invitation with this knock, or nil.
    public func invitation(_ knock: Knock) async throws(StoreError) -> StoredInvitation? {
        try read { rows in rows.invitations[knock].map { StoredInvitation(knock, $0, in: rows) } }
    }

    /// The invitations of this node, in the order in which they were stored.
    public func invitations(after: Int64, limit: Int) async throws(StoreError) -> [StoredInvitation] {
        try read { rows in
            rows.invitations.list(after: after, limit: ReadLimit.rows(limit)).map { knock, row in
                StoredInvitation(knock, row, in: rows)
            }
        }
    }

    /// The invitations of this node, the latest first.
    public func invitations(before: Int64, limit: Int) async throws(StoreError) -> [StoredInvitation] {
        try read { rows in
            rows.invitations.list(before: before, limit: ReadLimit.rows(limit)).map { knock, row in
                StoredInvitation(knock, row, in: rows)
            }
        }
    }

    /// A bundle with its private key, or nil once it is erased.
    public func bundle(_ hash: Digest) async throws(StoreError) -> StoredBundle? {
        try read { rows in rows.bundles[hash].map(StoredBundle.init) }
    }

    /// Bundles that are not yet erased, in the order in which they were stored.
    public func bundles(after: Int64, limit: Int) async throws(StoreError) -> [StoredBundle] {
        try read { rows in
            rows.bundles.list(after: after, limit: ReadLimit.rows(limit)).map { StoredBundle($0.row) }
        }
    }

    /// The relationship that a hello with this hash began; nil for an unknown hello.
    public func hello(_ hash: Digest) async throws(StoreError) -> RelationshipID? {
        try read { rows in rows.hellos[hash]?.value.relationship }
    }

    /// The services that this node has at relays, each with its cursor.
    public func services(after: Int64, limit: Int) async throws(StoreError) -> [StoredService] {
        try read { rows in
            rows.services.list(after: after, limit: ReadLimit.rows(limit)).map { key, row in
                StoredService(position: row.position, key: key, bytes: row.value, cursor: rows.cursors[key] ?? 0)
            }
        }
    }

    /// The service with this key and its cursor, or nil.
    public func service(_ key: VerificationKey) async throws(StoreError) -> StoredService? {
        try read { rows in
            rows.services[key].map { row in
                StoredService(position: row.position, key: key, bytes: row.value, cursor: rows.cursors[key] ?? 0)
            }
        }
    }

    /// What the node's own queue with this id is for, or nil.
    public func queue(_ id: QueueID) async throws(StoreError) -> StoredQueue? {
        try read { rows in rows.queues[id].map(StoredQueue.init) }
    }

    /// The node's own queues for which a service has something to do, in the order in which they were stored.
    public func queues(
        tendedBy service: VerificationKey, after: Int64, limit: Int
    ) async throws(StoreError) -> [StoredQueue] {
        try read { rows in
            let tended = rows.queues.list(after: after, limit: .max).filter { $0.row.value.tendedBy == service }
            return tended.prefix(ReadLimit.rows(limit)).map { StoredQueue($0.row) }
        }
    }

    /// How far an attachment has come; nil for one never heard of.
    public func transfer(_ key: TransferKey) async throws(StoreError) -> StoredTransfer? {
        try read { rows in
            (rows.transfers[key] ?? rows.endedTransfers[key]).map {
                StoredTransfer(position: $0.position, key: key, bytes: $0.value)
            }
        }
    }

    /// The transfers for which something is still to be done, in the order in which they began.
    public func openTransfers(after: Int64, limit: Int) async throws(StoreError) -> [StoredTransfer] {
        try read { rows in
            rows.transfers.list(after: after, limit: ReadLimit.rows(limit)).map { key, row in
                StoredTransfer(position: row.position, key: key, bytes: row.value)
            }
        }
    }

    /// A row of the wallet, or nil.
    public func walletRow(_ key: WalletKey) async throws(StoreError) -> StoredWalletRow? {
        try read { rows in
            rows.wallet[key.table]?[key].map { StoredWalletRow(position: $0.position, key: key, bytes: $0.value) }
        }
    }

    /// The rows of a table of the wallet, in the order in which they were stored.
    public func walletRows(
        _ table: WalletTable, after: Int64, limit: Int
    ) async throws(StoreError) -> [StoredWalletRow] {
        try read { rows in
            (rows.wallet[table]?.list(after: after, limit: ReadLimit.rows(limit)) ?? []).map { key, row in
                StoredWalletRow(position: row.position, key: key, bytes: row.value)
            }
        }
    }

    /// The result kept under an idempotency key, or nil.
    public func idempotentResult(_ key: [UInt8]) async throws(StoreError) -> [UInt8]? {
        try read { rows in rows.idempotency[key]?.value.result }
    }
}

extension StoredInvitation {
    fileprivate init(_ knock: Knock, _ row: NamedRows<Knock, [UInt8]>.Row, in rows: MemoryVaultTables) {
        self.init(
            position: row.position, knock: knock, bytes: row.value, spentBy: rows.tickets[knock]?.value)
    }
}

extension StoredBundle {
    fileprivate init(_ row: NamedRows<Digest, BundleRow>.Row) {
        self.init(
            position: row.position, hash: row.value.hash, bytes: row.value.bytes, eraseAfter: row.value.eraseAfter)
    }
}

extension StoredQueue {
    fileprivate init(_ row: NamedRows<QueueID, QueueRow>.Row) {
        self.init(
            position: row.position, id: row.value.id, relationship: row.value.relationship, bytes: row.value.bytes)
    }
}
