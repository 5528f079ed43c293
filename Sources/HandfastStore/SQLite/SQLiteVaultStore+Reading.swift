internal import GRDB
public import HandfastChannel
public import HandfastCrypto

extension SQLiteVaultStore {
    /// The relationship with its channel, or nil.
    public func relationship(_ id: RelationshipID) async throws(StoreError) -> StoredRelationship? {
        try await file.read("table relationship") { [seal] database in
            let name = VaultTransaction.Place.name(of: id, seal)
            let sql = """
                SELECT r.version, r.sealed, c.version, c.written, c.sealed, a.version, a.sealed, s.version, s.sealed
                FROM relationship r JOIN channel c ON c.relationship = r.row
                LEFT JOIN auxiliary a ON a.relationship = r.row LEFT JOIN resume s ON s.relationship = r.row
                WHERE r.name = ?
                """
            guard let row = try database.row(sql, [name.blob]) else { return nil }
            let place = RowPlace("relationship", name: name, version: try row.number(0, of: "relationship"))
            var state = Payload(try seal.open(row.bytes(1, of: "relationship"), at: place), of: place)
            guard try state.digest() == id.digest else { throw StoreError.corrupted(place.text) }
            let written = try row.number(3, of: "channel")
            let channel = try row.optionalBytes(4, of: "channel").map { sealed in
                try seal.open(sealed, at: RowPlace("channel", name: name, version: written))
            }
            let auxiliary = try row.optionalBytes(6, of: "auxiliary").map { sealed in
                let version = try row.number(5, of: "auxiliary")
                return try seal.open(sealed, at: RowPlace("auxiliary", name: name, version: version))
            }
            let resume = try row.optionalBytes(8, of: "resume").map { sealed in
                let version = try row.number(7, of: "resume")
                return try seal.open(sealed, at: RowPlace("resume", name: name, version: version))
            }
            return StoredRelationship(
                id: id, version: try row.number(2, of: "channel"), state: state.rest, channel: channel,
                auxiliary: auxiliary, resume: resume)
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
            try database.map(sql, [after, ReadLimit.rows(limit)]) { row in
                let place = RowPlace(
                    "relationship", name: try row.bytes(1, of: "relationship"),
                    version: try row.number(2, of: "relationship"))
                var state = Payload(try seal.open(row.bytes(3, of: "relationship"), at: place), of: place)
                return RelationshipSummary(
                    position: try row.number(0, of: "relationship"), id: RelationshipID(try state.digest()),
                    version: try row.number(4, of: "channel"), state: state.rest)
            }
        }
    }

    /// Records of one direction in order, from a sequence number on.
    public func entries(
        of relationship: RelationshipID, direction: SenderRole, from sequence: UInt64, limit: Int
    ) async throws(StoreError) -> [StoredEntry] {
        try await file.read("table entry") { [seal] database in
            guard let place = try VaultTransaction.Place(of: relationship, in: database, seal) else { return [] }
            let sql = """
                SELECT sequence, version, sealed FROM entry
                WHERE relationship = ? AND direction = ? AND sequence >= ? ORDER BY sequence LIMIT ?
                """
            let arguments: [any DatabaseValueConvertible] = [
                place.row, Int64(direction.rawValue), try sequence.stored, ReadLimit.rows(limit),
            ]
            return try database.map(sql, arguments) { row in
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
        try await file.read("table outbox") { [seal] database in
            guard let place = try VaultTransaction.Place(of: relationship, in: database, seal) else { return [] }
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
            guard let place = try VaultTransaction.Place(of: relationship, in: database, seal) else { return [] }
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
            guard let place = try VaultTransaction.Place(of: relationship, in: database, seal) else { return [] }
            return try OutboxHead.read(of: place, in: database, seal)
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
                position = try row.number(0, of: "relationship")
                let place = RowPlace(
                    "relationship", name: try row.bytes(1, of: "relationship"),
                    version: try row.number(2, of: "relationship"))
                var state = Payload(try seal.open(row.bytes(3, of: "relationship"), at: place), of: place)
                found.append(RelationshipReference(position: position, id: RelationshipID(try state.digest())))
            }
            return found
        }
    }

    /// Events above a position, in order.
    public func events(after position: Int64, limit: Int) async throws(StoreError) -> [StoredEvent] {
        try await file.read("table event") { [seal] database in
            let sql = "SELECT position, sealed FROM event WHERE position > ? ORDER BY position LIMIT ?"
            return try database.map(sql, [position, ReadLimit.rows(limit)]) { row in
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
        try await file.read("table feed") { database in
            try database.row("SELECT last FROM feed")?.number(0, of: "feed") ?? 0
        }
    }
}

extension OutboxItem {
    /// Opens one row: queue, number, sealed bytes.
    fileprivate init(
        _ row: Row, of relationship: RelationshipID, _ place: VaultTransaction.Place, _ seal: VaultSeal
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
    /// Joins what is confirmed with the last envelope that waits, queue by queue.
    fileprivate static func read(
        of place: VaultTransaction.Place, in database: Database, _ seal: VaultSeal
    ) throws -> [OutboxHead] {
        var heads: [[UInt8]: OutboxHead] = [:]
        let confirmed = try database.rows(
            "SELECT queue, version, sealed FROM confirmed WHERE relationship = ?", [place.row])
        while let row = try confirmed.next() {
            let name = try row.bytes(0, of: "confirmed")
            let rowPlace = RowPlace(
                "confirmed", name: place.name + name, version: try row.number(1, of: "confirmed"))
            var head = Payload(try seal.open(row.bytes(2, of: "confirmed"), at: rowPlace), of: rowPlace)
            let (queue, chain, next) = (try head.queue(), try head.digest(), try row.count(1, of: "confirmed"))
            heads[name] = OutboxHead(queue: queue, confirmed: next, confirmedChain: chain, next: next, chain: chain)
        }
        // With max() the other columns are those of the row that holds the maximum.
        let waiting = try database.rows(
            "SELECT queue, max(number), sealed FROM outbox WHERE relationship = ? GROUP BY queue", [place.row])
        while let row = try waiting.next() {
            let name = try row.bytes(0, of: "outbox")
            let number = try row.count(1, of: "outbox")
            let rowPlace = RowPlace.outbox(place.name, name, number)
            var item = Payload(try seal.open(row.bytes(2, of: "outbox"), at: rowPlace), of: rowPlace)
            let (queue, chain) = (try item.queue(), try item.digest())
            heads[name] = OutboxHead(
                queue: queue, confirmed: heads[name]?.confirmed ?? 0,
                confirmedChain: heads[name]?.confirmedChain ?? QueueChain.start, next: number + 1, chain: chain)
        }
        return heads.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
    }
}
