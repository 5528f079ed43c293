public import HandfastChannel
public import HandfastCrypto
public import HandfastStore

extension PostgresVaultStore {
    /// The relationship with its channel, or nil.
    public func relationship(_ id: RelationshipID) async throws(StoreError) -> StoredRelationship? {
        try await database.read("table relationship") { [seal] transaction in
            let name = RelationshipPlace.name(of: id, seal)
            return try transaction.rows(
                """
                SELECT \(StoredRelationship.columns)
                FROM relationship r JOIN channel c ON c.bucket = r.bucket AND c.relationship = r.row
                LEFT JOIN auxiliary a ON a.bucket = r.bucket AND a.relationship = r.row
                LEFT JOIN resume s ON s.bucket = r.bucket AND s.relationship = r.row
                WHERE r.bucket = $1 AND r.name = $2
                """, [Bucket(of: name).value, .bytes(name)]
            ).first.map { row throws in try StoredRelationship(row, id, seal) }
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
            ).map { row in try RelationshipSummary(row, seal) }
        }
    }

    /// Records of one direction in order, from a sequence number on.
    public func entries(
        of relationship: RelationshipID, direction: SenderRole, from sequence: UInt64, limit: Int
    ) async throws(StoreError) -> [StoredEntry] {
        try await database.read("table entry") { [seal] transaction in
            guard let place = try RelationshipPlace(of: relationship, in: transaction, seal) else { return [] }
            return try transaction.rows(
                """
                SELECT sequence, version, sealed FROM entry
                WHERE bucket = $1 AND relationship = $2 AND direction = $3 AND sequence >= $4 ORDER BY sequence LIMIT $5
                """,
                place.key + [
                    .number(Int64(direction.rawValue)), try sequence.stored, .number(ReadLimit.rows(limit)),
                ]
            ).map { row in try StoredEntry(row, of: place, direction, seal) }
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
            guard let place = try RelationshipPlace(of: relationship, in: transaction, seal) else { return [] }
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
            guard let place = try RelationshipPlace(of: relationship, in: transaction, seal) else { return [] }
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
            guard let place = try RelationshipPlace(of: relationship, in: transaction, seal) else { return [] }
            let answers = try transaction.rows(ofAll: [
                PostgresStatement(
                    "SELECT queue, version, sealed FROM confirmed WHERE bucket = $1 AND relationship = $2", place.key),
                PostgresStatement(
                    """
                    SELECT DISTINCT ON (queue) queue, number, sealed FROM outbox
                    WHERE bucket = $1 AND relationship = $2 ORDER BY queue, number DESC
                    """, place.key),
            ])
            var heads = OutboxHeads(of: place, seal)
            for row in answers[0].map(\.self) { try heads.take(confirmed: row) }
            for row in answers[1].map(\.self) { try heads.take(waiting: row) }
            return heads.inOrder
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
            ).map { row in try RelationshipReference(row, seal) }
        }
    }

    /// Events above a position, in order.
    public func events(after position: Int64, limit: Int) async throws(StoreError) -> [StoredEvent] {
        try await database.read("table event") { [seal] transaction in
            try transaction.rows(
                "SELECT position, sealed FROM event WHERE bucket = 0 AND position > $1 ORDER BY position LIMIT $2",
                [.number(position), .number(ReadLimit.rows(limit))]
            ).map { row in try StoredEvent(row, seal) }
        }
    }

    /// The position of the last event ever stored; 0 before the first.
    public func lastEventPosition() async throws(StoreError) -> Int64 {
        try await database.read("table feed") { transaction in
            try transaction.rows("SELECT last FROM feed WHERE bucket = 0 AND row = 1").first?.number(0, of: "feed") ?? 0
        }
    }
}
