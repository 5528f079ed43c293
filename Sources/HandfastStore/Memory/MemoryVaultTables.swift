internal import HandfastChannel
internal import HandfastCrypto

/// A vault's rows in memory, and the rules of a commit.
struct MemoryVaultTables: Sendable {
    /// One relationship with everything that hangs on it.
    struct RelationshipRow: Sendable {
        var version: Int64
        var state: [UInt8]
        var isTimed = false
        var channel: [UInt8]?
        var auxiliary: [UInt8]?
        var resume: [UInt8]?
        var entries: [SenderRole: [UInt64: StoredEntry]] = [:]
        var outbox: [QueueID: [UInt64: OutboxItem]] = [:]
        var confirmed: [QueueID: (next: UInt64, chain: Digest)] = [:]
    }

    private(set) var relationships = NamedRows<RelationshipID, RelationshipRow>()
    private(set) var identities = NamedRows<IdentityID, [UInt8]>()
    private(set) var invitations = NamedRows<Knock, [UInt8]>()
    private(set) var tickets = NamedRows<Knock, RelationshipID>()
    private(set) var bundles = NamedRows<Digest, BundleRow>()
    private(set) var hellos = NamedRows<Digest, HelloRow>()
    private(set) var services = NamedRows<VerificationKey, [UInt8]>()
    private(set) var cursors: [VerificationKey: UInt64] = [:]
    private(set) var queues = NamedRows<QueueID, QueueRow>()
    private(set) var transfers = NamedRows<TransferKey, [UInt8]>()
    private(set) var endedTransfers = NamedRows<TransferKey, [UInt8]>()
    private(set) var wallet: [WalletTable: NamedRows<WalletKey, [UInt8]>] = [:]
    private(set) var idempotency = NamedRows<[UInt8], IdempotencyRow>()
    private(set) var events: [StoredEvent] = []
    private(set) var lastEvent: Int64 = 0

    /// Applies a change unless one of its guards fails.
    mutating func apply(_ change: VaultChange) throws(StoreError) -> ChangeOutcome {
        if let conflict = conflict(of: change) { return .conflict(conflict) }
        if let update = change.relationship { try apply(update) }
        for voided in change.voided { try remove(voided) }
        for entry in change.entries { try append(entry) }
        for entry in change.erasedEntries { try erase(entry) }
        for adoption in change.adoptions { try adopt(adoption) }
        for item in change.outbox { try append(item) }
        for confirmation in change.outboxConfirmed { try confirm(confirmation) }
        if let cursor = change.cursor {
            cursors[cursor.service] =
                cursor.goesBack ? cursor.position : max(cursors[cursor.service] ?? 0, cursor.position)
        }
        try storeRows(of: change)
        for id in change.forgotten {
            guard relationships[id] != nil else { throw .missing("relationship \(id)") }
            relationships.remove(id)
        }
        lastEvent += change.skippedPositions
        var positions: [Int64] = []
        for event in change.events { positions.append(append(event)) }
        return .committed(events: positions)
    }

    /// Erases what has reached its time.
    mutating func purge(expiredAt now: Timestamp, limit: Int) -> Int {
        bundles.remove(limit: limit) { $0.eraseAfter <= now } + hellos.remove(limit: limit) { $0.eraseAfter <= now }
            + idempotency.remove(limit: limit) { $0.eraseAfter <= now }
    }

    private func conflict(of change: VaultChange) -> ChangeOutcome.Conflict? {
        if let update = change.relationship {
            let stored = relationships[update.id]?.value.version
            guard stored == update.expectedVersion else { return .version(update.id, stored: stored) }
        }
        for hello in change.hellos where hellos[hello.hash] != nil { return .hello(hello.hash) }
        for ticket in change.spentTickets where tickets[ticket.knock] != nil { return .ticket(ticket.knock) }
        for row in change.idempotency where idempotency[row.key] != nil { return .idempotency(key: row.key) }
        return nil
    }

    private mutating func apply(_ update: RelationshipUpdate) throws(StoreError) {
        let missing = StoreError.missing("the state of relationship \(update.id)")
        var row: RelationshipRow
        switch (relationships[update.id]?.value, update.state) {
        case (_, .erased), (nil, .unchanged): throw missing
        case (nil, .set(let state)): row = RelationshipRow(version: 0, state: state)
        case (let stored?, .unchanged): row = stored
        case (let stored?, .set(let state)):
            row = stored
            row.state = state
        }
        row.version += 1
        if case .set = update.state { row.isTimed = update.isTimed }
        update.channel.apply(to: &row.channel)
        update.auxiliary.apply(to: &row.auxiliary)
        update.resume.apply(to: &row.resume)
        relationships.store(update.id, row)
    }

    private mutating func change(
        _ id: RelationshipID, _ body: (inout RelationshipRow) throws(StoreError) -> Void
    ) throws(StoreError) {
        guard try relationships.update(id, body) else { throw .missing("relationship \(id)") }
    }

    private mutating func append(_ entry: NewEntry) throws(StoreError) {
        try change(entry.relationship) { row throws(StoreError) in
            guard row.entries[entry.direction]?[entry.sequence] == nil else { throw .duplicate("table entry") }
            row.entries[entry.direction, default: [:]][entry.sequence] = StoredEntry(entry)
        }
    }

    private mutating func erase(_ entry: NewEntry) throws(StoreError) {
        let name = "record \(entry.sequence) of relationship \(entry.relationship)"
        try change(entry.relationship) { row throws(StoreError) in
            guard let stored = row.entries[entry.direction]?[entry.sequence] else { throw .missing(name) }
            guard stored.hash == entry.hash else { throw .duplicate(name) }
            row.entries[entry.direction]?[entry.sequence] = StoredEntry(entry)
        }
    }

    private mutating func remove(_ voided: VoidedEntries) throws(StoreError) {
        try change(voided.relationship) { row throws(StoreError) in
            row.entries[voided.direction] = row.entries[voided.direction]?.filter { $0.key < voided.first }
        }
    }

    private mutating func adopt(_ adoption: QueueAdoption) throws(StoreError) {
        try change(adoption.relationship) { row throws(StoreError) in
            row.confirmed[adoption.queue] = (adoption.next, adoption.chain)
            row.outbox[adoption.queue] = nil
        }
    }

    private mutating func append(_ item: OutboxItem) throws(StoreError) {
        try change(item.relationship) { row throws(StoreError) in
            guard row.outbox[item.queue]?[item.number] == nil else { throw .duplicate("table outbox") }
            row.outbox[item.queue, default: [:]][item.number] = item
        }
    }

    private mutating func confirm(_ confirmation: OutboxConfirmation) throws(StoreError) {
        try change(confirmation.relationship) { row throws(StoreError) in
            guard let item = row.outbox[confirmation.queue]?[confirmation.through] else { return }
            row.confirmed[confirmation.queue] = (confirmation.through + 1, item.chain)
            let waiting = row.outbox[confirmation.queue]?.filter { $0.key > confirmation.through } ?? [:]
            row.outbox[confirmation.queue] = waiting.isEmpty ? nil : waiting
        }
    }

    private mutating func storeRows(of change: VaultChange) throws(StoreError) {
        for row in change.identities { identities.store(row.id, row.bytes) }
        for row in change.invitations { invitations.store(row.knock, row.bytes) }
        for row in change.bundles { bundles.store(row.hash, row) }
        for row in change.services { services.store(row.key, row.bytes) }
        for row in change.queues { queues.store(row.id, row) }
        for queue in change.closedQueues { queues.remove(queue) }
        for row in change.transfers {
            if row.isOpen {
                transfers.store(row.key, row.bytes)
                endedTransfers.remove(row.key)
            } else {
                endedTransfers.store(row.key, row.bytes)
                transfers.remove(row.key)
            }
        }
        for row in change.wallet {
            if let bytes = row.bytes {
                wallet[row.key.table, default: NamedRows()].store(row.key, bytes)
            } else {
                wallet[row.key.table]?.remove(row.key)
            }
        }
        for row in change.hellos {
            guard hellos[row.hash] == nil else { throw .duplicate("a hello, twice in one change") }
            hellos.store(row.hash, row)
        }
        for row in change.spentTickets {
            guard tickets[row.knock] == nil else { throw .duplicate("a ticket, twice in one change") }
            tickets.store(row.knock, row.relationship)
        }
        for row in change.idempotency {
            guard idempotency[row.key] == nil else { throw .duplicate("an idempotency key, twice in one change") }
            idempotency.store(row.key, row)
        }
    }

    private mutating func append(_ event: EventDraft) -> Int64 {
        lastEvent += 1
        events.append(StoredEvent(position: lastEvent, relationship: event.relationship, payload: event.payload))
        return lastEvent
    }
}

extension StoredEntry {
    fileprivate init(_ entry: NewEntry) {
        self.init(sequence: entry.sequence, hash: entry.hash, bytes: entry.bytes)
    }
}

extension RelationshipUpdate.Part {
    fileprivate func apply(to bytes: inout [UInt8]?) {
        switch self {
        case .unchanged: break
        case .set(let new): bytes = new
        case .erased: bytes = nil
        }
    }
}
