internal import GRDB
public import HandfastChannel
public import HandfastCrypto

extension SQLiteVaultStore {
    /// The relationship with its channel, or nil.
    public func relationship(_ id: RelationshipID) async throws(StoreError) -> StoredRelationship? {
        try await file.read("table relationship") { [seal] database in
            let sql = """
                SELECT \(StoredRelationship.columns) FROM relationship r JOIN channel c ON c.relationship = r.row
                LEFT JOIN auxiliary a ON a.relationship = r.row LEFT JOIN resume s ON s.relationship = r.row
                WHERE r.name = ?
                """
            return try database.row(sql, [RelationshipPlace.name(of: id, seal).blob]).map { row in
                try StoredRelationship(row, id, seal)
            }
        }
    }

    /// Relationships without their channels, in the order in which they were stored.
    public func relationships(after: Int64, limit: Int) async throws(StoreError) -> [RelationshipSummary] {
        try await summaries(
            """
            SELECT r.row, r.name, r.version, r.sealed, c.version FROM relationship r
            JOIN channel c ON c.relationship = r.row WHERE r.row > ? ORDER BY r.row LIMIT ?
            """, after: after, limit: limit)
    }

    /// Relationships for which the passing of time alone may give the node something to do.
    public func timedRelationships(after: Int64, limit: Int) async throws(StoreError) -> [RelationshipSummary] {
        try await summaries(
            """
            SELECT r.row, r.name, r.version, r.sealed, c.version FROM relationship r INDEXED BY relationship_timed
            JOIN channel c ON c.relationship = r.row WHERE r.timed AND r.row > ? ORDER BY r.row LIMIT ?
            """, after: after, limit: limit)
    }

    private func summaries(
        _ sql: String, after: Int64, limit: Int
    ) async throws(StoreError) -> [RelationshipSummary] {
        try await file.read("table relationship") { [seal] database in
            try database.map(sql, [after, ReadLimit.rows(limit)]) { row in try RelationshipSummary(row, seal) }
        }
    }

    /// Records of one direction in order, from a sequence number on.
    public func entries(
        of relationship: RelationshipID, direction: SenderRole, from sequence: UInt64, limit: Int
    ) async throws(StoreError) -> [StoredEntry] {
        try await file.read("table entry") { [seal] database in
            guard let place = try RelationshipPlace(of: relationship, in: database, seal) else { return [] }
            let sql = """
                SELECT sequence, version, sealed FROM entry
                WHERE relationship = ? AND direction = ? AND sequence >= ? ORDER BY sequence LIMIT ?
                """
            let arguments: [any DatabaseValueConvertible] = [
                place.row, Int64(direction.rawValue), try sequence.stored, ReadLimit.rows(limit),
            ]
            return try database.map(sql, arguments) { row in try StoredEntry(row, of: place, direction, seal) }
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
        try await file.read("table outbox") { [seal] database in
            guard let place = try RelationshipPlace(of: relationship, in: database, seal) else { return [] }
            let sql = """
                SELECT queue, number, sealed FROM outbox WHERE relationship = ? ORDER BY queue, number LIMIT ?
                """
            return try database.map(sql, [place.row, ReadLimit.rows(limit)]) { row in
                try OutboxItem(row, of: relationship, place, seal)
            }
        }
    }

    /// Envelopes for one queue that are not yet confirmed, from a number on, in order.
    public func outbox(
        of relationship: RelationshipID, queue: QueueID, from number: UInt64, limit: Int
    ) async throws(StoreError) -> [OutboxItem] {
        try await file.read("table outbox") { [seal] database in
            guard let place = try RelationshipPlace(of: relationship, in: database, seal) else { return [] }
            let sql = """
                SELECT queue, number, sealed FROM outbox WHERE relationship = ? AND queue = ? AND number >= ?
                ORDER BY number LIMIT ?
                """
            let arguments: [any DatabaseValueConvertible] = [
                place.row, queue.name(seal).blob, try number.stored, ReadLimit.rows(limit),
            ]
            return try database.map(sql, arguments) { row in try OutboxItem(row, of: relationship, place, seal) }
        }
    }

    /// For each queue this relationship has sent to: what is confirmed and what comes next.
    public func outboxHeads(of relationship: RelationshipID) async throws(StoreError) -> [OutboxHead] {
        try await file.read("table outbox") { [seal] database in
            guard let place = try RelationshipPlace(of: relationship, in: database, seal) else { return [] }
            var heads = OutboxHeads(of: place, seal)
            let confirmed = try database.rows(
                "SELECT queue, version, sealed FROM confirmed WHERE relationship = ?", [place.row])
            while let row = try confirmed.next() { try heads.take(confirmed: row) }
            // With max() the other columns are those of the row that holds the maximum.
            let waiting = try database.rows(
                "SELECT queue, max(number), sealed FROM outbox WHERE relationship = ? GROUP BY queue", [place.row])
            while let row = try waiting.next() { try heads.take(waiting: row) }
            return heads.inOrder
        }
    }

    /// Relationships that have something in the outbox.
    public func relationshipsWithOutbox(
        after: Int64, limit: Int
    ) async throws(StoreError) -> [RelationshipReference] {
        try await file.read("table outbox") { [seal] database in
            // One step of the index per relationship, however many envelopes wait in each.
            let sql = """
                SELECT row, name, version, sealed FROM relationship WHERE row =
                    (SELECT min(relationship) FROM outbox WHERE relationship > ?)
                """
            var found: [RelationshipReference] = []
            var position = after
            while found.count < ReadLimit.rows(limit), let row = try database.row(sql, [position]) {
                found.append(try RelationshipReference(row, seal))
                position = try row.number(0, of: "relationship")
            }
            return found
        }
    }

    /// Events above a position, in order.
    public func events(after position: Int64, limit: Int) async throws(StoreError) -> [StoredEvent] {
        try await file.read("table event") { [seal] database in
            let sql = "SELECT position, sealed FROM event WHERE position > ? ORDER BY position LIMIT ?"
            return try database.map(sql, [position, ReadLimit.rows(limit)]) { row in try StoredEvent(row, seal) }
        }
    }

    /// The position of the last event ever stored; 0 before the first.
    public func lastEventPosition() async throws(StoreError) -> Int64 {
        try await file.read("table feed") { database in
            try database.row("SELECT last FROM feed")?.number(0, of: "feed") ?? 0
        }
    }
}
