public import HandfastChannel
public import HandfastCrypto

extension MemoryVaultStore {
    /// The relationship with its channel, or nil.
    public func relationship(_ id: RelationshipID) async throws(StoreError) -> StoredRelationship? {
        try read { rows in
            rows.relationships[id].map { row in
                StoredRelationship(
                    id: id, version: row.value.version, state: row.value.state, channel: row.value.channel,
                    auxiliary: row.value.auxiliary, resume: row.value.resume)
            }
        }
    }

    /// Relationships without their channels, in the order in which they were stored.
    public func relationships(after: Int64, limit: Int) async throws(StoreError) -> [RelationshipSummary] {
        try read { rows in
            rows.relationships.list(after: after, limit: ReadLimit.rows(limit)).map(RelationshipSummary.init)
        }
    }

    /// Relationships for which the passing of time alone may give the node something to do.
    public func timedRelationships(after: Int64, limit: Int) async throws(StoreError) -> [RelationshipSummary] {
        try read { rows in
            rows.relationships.list(after: after, limit: .max).filter { $0.row.value.isTimed }
                .prefix(ReadLimit.rows(limit))
                .map(RelationshipSummary.init)
        }
    }

    /// Records of one direction in order, from a sequence number on.
    public func entries(
        of relationship: RelationshipID, direction: SenderRole, from sequence: UInt64, limit: Int
    ) async throws(StoreError) -> [StoredEntry] {
        try read { rows in
            let entries = rows.relationships[relationship]?.value.entries[direction] ?? [:]
            let found = entries.values.filter { $0.sequence >= sequence }.sorted { $0.sequence < $1.sequence }
            return Array(found.prefix(ReadLimit.rows(limit)))
        }
    }

    /// The hash of one record, or nil when it is not stored.
    public func recordHash(
        of relationship: RelationshipID, direction: SenderRole, sequence: UInt64
    ) async throws(StoreError) -> Digest? {
        try read { rows in rows.relationships[relationship]?.value.entries[direction]?[sequence]?.hash }
    }

    /// Envelopes that are not yet confirmed, by queue and then by number.
    public func outbox(of relationship: RelationshipID, limit: Int) async throws(StoreError) -> [OutboxItem] {
        try read { rows in
            let queues = rows.relationships[relationship]?.value.outbox ?? [:]
            let items = queues.sorted { $0.key.value < $1.key.value }.flatMap { queue in
                queue.value.values.sorted { $0.number < $1.number }
            }
            return Array(items.prefix(ReadLimit.rows(limit)))
        }
    }

    /// Envelopes for one queue that are not yet confirmed, from a number on, in order.
    public func outbox(
        of relationship: RelationshipID, queue: QueueID, from number: UInt64, limit: Int
    ) async throws(StoreError) -> [OutboxItem] {
        try read { rows in
            let items = rows.relationships[relationship]?.value.outbox[queue] ?? [:]
            return Array(
                items.values.filter { $0.number >= number }.sorted { $0.number < $1.number }
                    .prefix(ReadLimit.rows(limit)))
        }
    }

    /// For each queue this relationship has sent to: what is confirmed and what comes next.
    public func outboxHeads(of relationship: RelationshipID) async throws(StoreError) -> [OutboxHead] {
        try read { rows in
            guard let row = rows.relationships[relationship]?.value else { return [] }
            let queues = Set(row.outbox.keys).union(row.confirmed.keys)
            return queues.sorted { $0.value < $1.value }.map { queue in
                let confirmed = row.confirmed[queue] ?? (0, QueueChain.start)
                let last = row.outbox[queue]?.values.max { $0.number < $1.number }
                return OutboxHead(
                    queue: queue, confirmed: confirmed.next, confirmedChain: confirmed.chain,
                    next: last.map { $0.number + 1 } ?? confirmed.next, chain: last?.chain ?? confirmed.chain)
            }
        }
    }

    /// Relationships that have something in the outbox.
    public func relationshipsWithOutbox(
        after: Int64, limit: Int
    ) async throws(StoreError) -> [RelationshipReference] {
        try read { rows in
            rows.relationships.list(after: after, limit: .max).filter { !$0.row.value.outbox.isEmpty }
                .prefix(ReadLimit.rows(limit))
                .map { id, row in RelationshipReference(position: row.position, id: id) }
        }
    }

    /// Events above a position, in order.
    public func events(after position: Int64, limit: Int) async throws(StoreError) -> [StoredEvent] {
        try read { rows in
            let start = rows.events.firstIndex(above: position)
            return Array(rows.events[start...].prefix(ReadLimit.rows(limit)))
        }
    }

    /// The position of the last event ever stored; 0 before the first.
    public func lastEventPosition() async throws(StoreError) -> Int64 {
        try read { rows in rows.lastEvent }
    }
}

extension RelationshipSummary {
    fileprivate init(_ id: RelationshipID, _ row: NamedRows<RelationshipID, MemoryVaultTables.RelationshipRow>.Row) {
        self.init(position: row.position, id: id, version: row.value.version, state: row.value.state)
    }
}

extension [StoredEvent] {
    /// The index of the first event above a position, found by halving.
    fileprivate func firstIndex(above position: Int64) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].position > position { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
