public import HandfastChannel
public import HandfastCrypto
public import HandfastStore

extension PostgresVaultStore {
    private typealias Place = PostgresVaultTransaction.Place

    /// The relationship with its channel, or nil.
    public func relationship(_ id: RelationshipID) async throws(StoreError) -> StoredRelationship? {
        try await database.read("table relationship") { [seal] transaction in
            let name = PostgresVaultTransaction.name(of: id, seal)
            let row = try transaction.rows(
                """
                SELECT r.version, r.sealed, c.version, c.written, c.sealed, a.version, a.sealed, s.version, s.sealed
                FROM relationship r JOIN channel c ON c.bucket = r.bucket AND c.relationship = r.row
                LEFT JOIN auxiliary a ON a.bucket = r.bucket AND a.relationship = r.row
                LEFT JOIN resume s ON s.bucket = r.bucket AND s.relationship = r.row
                WHERE r.bucket = $1 AND r.name = $2
                """, [Bucket(of: name).value, .bytes(name)]
            ).first
            guard let row else { return nil }
            let place = RowPlace("relationship", name: name, version: try row.number(0, of: "relationship"))
            var state = Payload(try seal.open(row.bytes(1, of: "relationship"), at: place), of: place)
            guard try state.digest() == id.digest else { throw StoreError.corrupted(place.text) }
            func part(_ table: StaticString, _ version: Int, _ sealed: Int) throws -> [UInt8]? {
                try row.optionalBytes(sealed).map { bytes throws in
                    try seal.open(bytes, at: RowPlace(table, name: name, version: row.number(version, of: table)))
                }
            }
            return StoredRelationship(
                id: id, version: try row.number(2, of: "channel"), state: state.rest,
                channel: try part("channel", 3, 4), auxiliary: try part("auxiliary", 5, 6),
                resume: try part("resume", 7, 8))
        }
    }

    /// Relationships without their channels, in the order in which they were stored.
    public func relationships(after: Int64, limit: Int) async throws(StoreError) -> [RelationshipSummary] {
        try await summaries("", after: after, limit: limit)
    }

    /// Relationships for which the passing of time alone may give the node something to do.
    public func timedRelationships(after: Int64, limit: Int) async throws(StoreError) -> [RelationshipSummary] {
        try await summaries("r.timed AND ", after: after, limit: limit)
    }

    private func summaries(
        _ condition: String, after: Int64, limit: Int
    ) async throws(StoreError) -> [RelationshipSummary] {
        try await database.read("table relationship") { [seal] transaction in
            try transaction.rows(
                """
                SELECT r.row, r.name, r.version, r.sealed, c.version FROM relationship r
                JOIN channel c ON c.bucket = r.bucket AND c.relationship = r.row
                WHERE \(condition)r.row > $1 ORDER BY r.row LIMIT $2
                """, [.number(after), .number(ReadLimit.rows(limit))]
            ).map { row in
                var state = try Self.state(row, name: 1, version: 2, sealed: 3, seal)
                return RelationshipSummary(
                    position: try row.number(0, of: "relationship"), id: RelationshipID(try state.digest()),
                    version: try row.number(4, of: "channel"), state: state.rest)
            }
        }
    }

    private static func state(
        _ row: PostgresRow, name: Int, version: Int, sealed: Int, _ seal: VaultSeal
    ) throws -> Payload {
        let place = RowPlace(
            "relationship", name: try row.bytes(name, of: "relationship"),
            version: try row.number(version, of: "relationship"))
        return Payload(try seal.open(row.bytes(sealed, of: "relationship"), at: place), of: place)
    }

    /// Records of one direction in order, from a sequence number on.
    public func entries(
        of relationship: RelationshipID, direction: SenderRole, from sequence: UInt64, limit: Int
    ) async throws(StoreError) -> [StoredEntry] {
        try await database.read("table entry") { [seal] transaction in
            guard let place = try Place(of: relationship, in: transaction, seal) else { return [] }
            return try transaction.rows(
                """
                SELECT sequence, version, sealed FROM entry
                WHERE bucket = $1 AND relationship = $2 AND direction = $3 AND sequence >= $4 ORDER BY sequence LIMIT $5
                """,
                place.key + [
                    .number(Int64(direction.rawValue)), try sequence.stored, .number(ReadLimit.rows(limit)),
                ]
            ).map { row in
                let sequence = try row.count(0, of: "entry")
                let rowPlace = RowPlace.entry(
                    place.name, direction, sequence, version: try row.number(1, of: "entry"))
                var entry = Payload(try seal.open(row.bytes(2, of: "entry"), at: rowPlace), of: rowPlace)
                return StoredEntry(sequence: sequence, hash: try entry.digest(), bytes: entry.rest)
            }
        }
    }

    /// The hash of one record, or nil when it is not stored.
    public func recordHash(
        of relationship: RelationshipID, direction: SenderRole, sequence: UInt64
    ) async throws(StoreError) -> Digest? {
        let entry = try await entries(of: relationship, direction: direction, from: sequence, limit: 1).first
        return entry?.sequence == sequence ? entry?.hash : nil
    }

    /// Envelopes that are not yet confirmed, by queue and then by number.
    public func outbox(of relationship: RelationshipID, limit: Int) async throws(StoreError) -> [OutboxItem] {
        try await database.read("table outbox") { [seal] transaction in
            guard let place = try Place(of: relationship, in: transaction, seal) else { return [] }
            return try transaction.rows(
                """
                SELECT queue, number, sealed FROM outbox WHERE bucket = $1 AND relationship = $2
                ORDER BY queue, number LIMIT $3
                """, place.key + [.number(ReadLimit.rows(limit))]
            ).map { row in try OutboxItem(row, of: relationship, place, seal) }
        }
    }

    /// Envelopes for one queue that are not yet confirmed, from a number on, in order.
    public func outbox(
        of relationship: RelationshipID, queue: QueueID, from number: UInt64, limit: Int
    ) async throws(StoreError) -> [OutboxItem] {
        try await database.read("table outbox") { [seal] transaction in
            guard let place = try Place(of: relationship, in: transaction, seal) else { return [] }
            return try transaction.rows(
                """
                SELECT queue, number, sealed FROM outbox
                WHERE bucket = $1 AND relationship = $2 AND queue = $3 AND number >= $4 ORDER BY number LIMIT $5
                """,
                place.key + [.bytes(queue.name(seal)), try number.stored, .number(ReadLimit.rows(limit))]
            ).map { row in try OutboxItem(row, of: relationship, place, seal) }
        }
    }

    /// For each queue this relationship has sent to: what is confirmed and what comes next.
    public func outboxHeads(of relationship: RelationshipID) async throws(StoreError) -> [OutboxHead] {
        try await database.read("table outbox") { [seal] transaction in
            guard let place = try Place(of: relationship, in: transaction, seal) else { return [] }
            let answers = try transaction.rows(ofAll: [
                PostgresStatement(
                    "SELECT queue, version, sealed FROM confirmed WHERE bucket = $1 AND relationship = $2", place.key),
                PostgresStatement(
                    """
                    SELECT DISTINCT ON (queue) queue, number, sealed FROM outbox
                    WHERE bucket = $1 AND relationship = $2 ORDER BY queue, number DESC
                    """, place.key),
            ])
            var heads: [[UInt8]: OutboxHead] = [:]
            for (name, head) in try answers[0].map({ row in try OutboxHead.confirmed(row, place, seal) }) {
                heads[name] = head
            }
            for (name, last) in try answers[1].map({ row in try OutboxHead.waiting(row, place, seal) }) {
                heads[name] = OutboxHead(
                    queue: last.queue, confirmed: heads[name]?.confirmed ?? 0,
                    confirmedChain: heads[name]?.confirmedChain ?? QueueChain.start, next: last.next,
                    chain: last.chain)
            }
            return heads.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
        }
    }

    /// Relationships that have something in the outbox.
    public func relationshipsWithOutbox(
        after: Int64, limit: Int
    ) async throws(StoreError) -> [RelationshipReference] {
        try await database.read("table outbox") { [seal] transaction in
            try transaction.rows(
                """
                SELECT row, name, version, sealed FROM relationship WHERE row IN
                    (SELECT DISTINCT relationship FROM outbox WHERE relationship > $1 ORDER BY relationship LIMIT $2)
                ORDER BY row
                """, [.number(after), .number(ReadLimit.rows(limit))]
            ).map { row in
                var state = try Self.state(row, name: 1, version: 2, sealed: 3, seal)
                return RelationshipReference(
                    position: try row.number(0, of: "relationship"), id: RelationshipID(try state.digest()))
            }
        }
    }

    /// Events above a position, in order.
    public func events(after position: Int64, limit: Int) async throws(StoreError) -> [StoredEvent] {
        try await database.read("table event") { [seal] transaction in
            try transaction.rows(
                "SELECT position, sealed FROM event WHERE bucket = 0 AND position > $1 ORDER BY position LIMIT $2",
                [.number(position), .number(ReadLimit.rows(limit))]
            ).map { row in
                let position = try row.number(0, of: "event")
                var event = Payload(
                    try seal.open(row.bytes(1, of: "event"), at: .event(position)), of: .event(position))
                return StoredEvent(
                    position: position, relationship: try event.optionalRelationship(), payload: event.rest)
            }
        }
    }

    /// The position of the last event ever stored; 0 before the first.
    public func lastEventPosition() async throws(StoreError) -> Int64 {
        try await database.read("table feed") { transaction in
            try transaction.rows("SELECT last FROM feed WHERE bucket = 0 AND row = 1").first?.number(0, of: "feed") ?? 0
        }
    }
}

extension OutboxItem {
    /// Opens one row: queue, number, sealed bytes.
    fileprivate init(
        _ row: PostgresRow, of relationship: RelationshipID, _ place: PostgresVaultTransaction.Place, _ seal: VaultSeal
    ) throws {
        let number = try row.count(1, of: "outbox")
        let rowPlace = RowPlace.outbox(place.name, try row.bytes(0, of: "outbox"), number)
        var item = Payload(try seal.open(row.bytes(2, of: "outbox"), at: rowPlace), of: rowPlace)
        self.init(
            relationship: relationship, queue: try item.queue(), number: number, chain: try item.digest(),
            envelope: item.rest)
    }
}

extension OutboxHead {
    /// What a relay has confirmed of one queue, by the queue's name.
    fileprivate static func confirmed(
        _ row: PostgresRow, _ place: PostgresVaultTransaction.Place, _ seal: VaultSeal
    ) throws -> ([UInt8], OutboxHead) {
        let name = try row.bytes(0, of: "confirmed")
        let rowPlace = RowPlace("confirmed", name: place.name + name, version: try row.number(1, of: "confirmed"))
        var head = Payload(try seal.open(row.bytes(2, of: "confirmed"), at: rowPlace), of: rowPlace)
        let (queue, chain, next) = (try head.queue(), try head.digest(), try row.count(1, of: "confirmed"))
        return (name, OutboxHead(queue: queue, confirmed: next, confirmedChain: chain, next: next, chain: chain))
    }

    /// What stands behind the last envelope that waits for one queue, by the queue's name.
    fileprivate static func waiting(
        _ row: PostgresRow, _ place: PostgresVaultTransaction.Place, _ seal: VaultSeal
    ) throws -> ([UInt8], OutboxHead) {
        let name = try row.bytes(0, of: "outbox")
        let number = try row.count(1, of: "outbox")
        let rowPlace = RowPlace.outbox(place.name, name, number)
        var item = Payload(try seal.open(row.bytes(2, of: "outbox"), at: rowPlace), of: rowPlace)
        let (queue, chain) = (try item.queue(), try item.digest())
        return (
            name,
            OutboxHead(queue: queue, confirmed: 0, confirmedChain: QueueChain.start, next: number + 1, chain: chain)
        )
    }
}
