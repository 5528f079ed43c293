internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastStore

/// A vault's rows in PostgreSQL.
///
/// Everything that a batch's guards ask for is read in one round trip, under the lock of the feed's row; everything it
/// writes goes out in another.
struct PostgresVaultTables: VaultTables {
    private struct RowKey: Hashable {
        let table: SealedTable
        let name: [UInt8]
    }

    /// An envelope by the names of its relationship and its queue.
    fileprivate struct EnvelopeKey: Hashable {
        let relationship: [UInt8]
        let queue: [UInt8]
        let number: UInt64
    }

    private let transaction: PostgresTransaction
    /// What the batch is about, as it was read at the beginning; nil where there is none.
    private var relationships: [[UInt8]: (place: RelationshipPlace, version: Int64)?] = [:]
    private var rows: [RowKey: SealedRow?] = [:]
    /// Envelopes that wait, as far as the batch confirms them; nil where there is none.
    private var envelopes: [EnvelopeKey: [UInt8]?] = [:]
    private let last: Int64
    private var lastRow: Int64
    private let firstRow: Int64

    /// Locks the feed and reads what the changes are about.
    ///
    /// - Throws: ``StoreError/locked(path:process:)`` when the vault was taken by another holder
    init(
        _ transaction: PostgresTransaction, _ seal: VaultSeal, held tenure: VaultTenure, for changes: [VaultChange] = []
    ) throws {
        self.transaction = transaction
        let names = Set(changes.flatMap(\.relationships)).map { RelationshipPlace.name(of: $0, seal) }
        let keys = Array(Set(changes.flatMap { Self.keys(of: $0, seal) }))
        let confirmed = Array(
            Set(
                changes.flatMap(\.outboxConfirmed).map {
                    EnvelopeKey(
                        relationship: RelationshipPlace.name(of: $0.relationship, seal), queue: $0.queue.name(seal),
                        number: $0.through)
                }))
        let feed = PostgresStatement("SELECT last, rows, term FROM feed WHERE bucket = 0 AND row = 1 FOR UPDATE")
        let answers = try transaction.rows(
            ofAll: [feed] + names.map(Self.question) + keys.map { $0.table.lookup($0.name) }
                + confirmed.map { envelope throws in try Self.question(envelope) })
        guard let row = answers[0].first else { throw StoreError.corrupted("table feed is empty") }
        last = try row.number(0, of: "feed")
        lastRow = try row.number(1, of: "feed")
        firstRow = lastRow
        try tenure.check(term: row.number(2, of: "feed"))
        for (name, answer) in zip(names, answers[1...]) { relationships[name] = .some(try Self.known(answer, name)) }
        for (key, answer) in zip(keys, answers[(1 + names.count)...]) { rows[key] = .some(try Self.row(answer)) }
        for (envelope, answer) in zip(confirmed, answers[(1 + names.count + keys.count)...]) {
            envelopes[envelope] = .some(try answer.first?.bytes(0, of: "outbox"))
        }
    }

    private static func question(_ envelope: EnvelopeKey) throws(StoreError) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT o.sealed FROM relationship r JOIN outbox o ON o.bucket = r.bucket AND o.relationship = r.row
            WHERE r.bucket = $1 AND r.name = $2 AND o.queue = $3 AND o.number = $4
            """,
            [
                Bucket(of: envelope.relationship).value, .bytes(envelope.relationship), .bytes(envelope.queue),
                try envelope.number.stored,
            ])
    }

    private static func question(_ name: [UInt8]) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT r.row, c.version FROM relationship r
            LEFT JOIN channel c ON c.bucket = r.bucket AND c.relationship = r.row
            WHERE r.bucket = $1 AND r.name = $2
            """, [Bucket(of: name).value, .bytes(name)])
    }

    private static func known(
        _ answer: PostgresRows, _ name: [UInt8]
    ) throws -> (place: RelationshipPlace, version: Int64)? {
        try answer.first.map { row throws in
            let place = RelationshipPlace(row: try row.number(0, of: "relationship"), name: name)
            return (place, try row.number(1, of: "channel"))
        }
    }

    private static func row(_ answer: PostgresRows) throws -> SealedRow? {
        try answer.first.map { row throws in
            SealedRow(row: try row.number(0, of: "row"), version: try row.number(2, of: "row"))
        }
    }

    /// The sealed rows that a change asks for or replaces.
    private static func keys(of change: VaultChange, _ seal: VaultSeal) -> [RowKey] {
        func key(_ table: SealedTable, _ key: [UInt8]) -> RowKey {
            RowKey(table: table, name: table.name(of: key, seal))
        }
        var keys = change.identities.map { key(.identity, $0.id.digest.array) }
        keys += change.invitations.map { key(.invitation, $0.knock.digest.array) }
        keys += change.bundles.map { key(.bundle, $0.hash.array) }
        keys += change.services.map { key(.service, $0.key.array) }
        keys += change.queues.map { key(.queue, $0.id.array) }
        keys += change.transfers.map { key($0.isOpen ? .transfer : .endedTransfer, $0.key.bytes) }
        keys += change.wallet.map { key(.wallet($0.key.table), $0.key.bytes) }
        keys += change.hellos.map { key(.hello, $0.hash.array) }
        keys += change.spentTickets.map { key(.ticket, $0.knock.digest.array) }
        keys += change.idempotency.map { key(.idempotency, $0.key) }
        return keys
    }

    private mutating func newRow() -> Int64 {
        lastRow += 1
        return lastRow
    }

    // MARK: Relationships

    func relationship(_ name: [UInt8]) throws -> (place: RelationshipPlace, version: Int64)? {
        if let known = relationships[name] { return known }
        return try Self.known(transaction.rows(ofAll: [Self.question(name)])[0], name)
    }

    mutating func insert(_ name: [UInt8], version: Int64, isTimed: Bool, sealed: [UInt8]) throws -> RelationshipPlace {
        let place = RelationshipPlace(row: newRow(), name: name)
        try transaction.run(
            "INSERT INTO relationship (bucket, row, name, version, timed, sealed) VALUES ($1, $2, $3, $4, $5, $6)",
            place.key + [.bytes(name), .number(version), .flag(isTimed), .bytes(sealed)])
        try transaction.run(
            "INSERT INTO channel (bucket, relationship, version, written) VALUES ($1, $2, $3, $3)",
            place.key + [.number(version)])
        return place
    }

    func update(_ place: RelationshipPlace, version: Int64, isTimed: Bool, sealed: [UInt8]) throws {
        try transaction.run(
            "UPDATE relationship SET version = $3, timed = $4, sealed = $5 WHERE bucket = $1 AND name = $2",
            [place.bucket, .bytes(place.name), .number(version), .flag(isTimed), .bytes(sealed)])
    }

    func setVersion(_ version: Int64, of place: RelationshipPlace) throws {
        try transaction.run(
            "UPDATE channel SET version = $3 WHERE bucket = $1 AND relationship = $2", place.key + [.number(version)])
    }

    func setChannel(_ sealed: [UInt8]?, version: Int64, of place: RelationshipPlace) throws {
        try transaction.run(
            "UPDATE channel SET version = $3, written = $3, sealed = $4 WHERE bucket = $1 AND relationship = $2",
            place.key + [.number(version), .optional(sealed)])
    }

    func set(_ part: RelationshipPart, _ sealed: [UInt8]?, version: Int64, of place: RelationshipPlace) throws {
        guard let sealed else {
            return try transaction.run(
                "DELETE FROM \(part.table) WHERE bucket = $1 AND relationship = $2", place.key)
        }
        try transaction.run(
            """
            INSERT INTO \(part.table) (bucket, relationship, version, sealed) VALUES ($1, $2, $3, $4)
            ON CONFLICT (bucket, relationship) DO UPDATE SET version = excluded.version, sealed = excluded.sealed
            """, place.key + [.number(version), .bytes(sealed)])
    }

    func delete(_ place: RelationshipPlace) throws {
        for table in ["channel", "auxiliary", "resume", "entry", "outbox", "confirmed"] {
            try transaction.run("DELETE FROM \(table) WHERE bucket = $1 AND relationship = $2", place.key)
        }
        try transaction.run(
            "DELETE FROM relationship WHERE bucket = $1 AND name = $2", [place.bucket, .bytes(place.name)])
    }

    // MARK: Ledger

    func insert(_ entry: EntryPlace, sealed: [UInt8]) throws {
        try transaction.run(
            """
            INSERT INTO entry (bucket, relationship, direction, sequence, version, sealed) VALUES ($1, $2, $3, $4, 0, $5)
            """, try entry.key + [.bytes(sealed)])
    }

    func entry(_ entry: EntryPlace) throws -> (version: Int64, sealed: [UInt8])? {
        try transaction.rows(
            """
            SELECT version, sealed FROM entry
            WHERE bucket = $1 AND relationship = $2 AND direction = $3 AND sequence = $4
            """, entry.key
        ).first.map { row throws in (try row.number(0, of: "entry"), try row.bytes(1, of: "entry")) }
    }

    func update(_ entry: EntryPlace, version: Int64, sealed: [UInt8]) throws {
        try transaction.run(
            """
            UPDATE entry SET version = $5, sealed = $6
            WHERE bucket = $1 AND relationship = $2 AND direction = $3 AND sequence = $4
            """, try entry.key + [.number(version), .bytes(sealed)])
    }

    func deleteEntries(from entry: EntryPlace) throws {
        try transaction.run(
            "DELETE FROM entry WHERE bucket = $1 AND relationship = $2 AND direction = $3 AND sequence >= $4",
            try entry.key)
    }

    // MARK: Outbox

    mutating func insert(_ envelope: EnvelopePlace, sealed: [UInt8]) throws {
        try transaction.run(
            "INSERT INTO outbox (bucket, relationship, queue, number, sealed) VALUES ($1, $2, $3, $4, $5)",
            try envelope.key + [.bytes(sealed)])
        if envelopes[EnvelopeKey(envelope)] != nil { envelopes[EnvelopeKey(envelope)] = .some(sealed) }
    }

    func envelope(_ envelope: EnvelopePlace) throws -> [UInt8]? { envelopes[EnvelopeKey(envelope)] ?? nil }

    mutating func deleteEnvelopes(through envelope: EnvelopePlace) throws {
        try transaction.run(
            "DELETE FROM outbox WHERE bucket = $1 AND relationship = $2 AND queue = $3 AND number <= $4",
            try envelope.key)
        let last = EnvelopeKey(envelope)
        for key in envelopes.keys
        where key.relationship == last.relationship && key.queue == last.queue && key.number <= last.number {
            envelopes[key] = .some(nil)
        }
    }

    func setConfirmed(_ sealed: [UInt8], next: Int64, in queue: OutboxPlace) throws {
        try transaction.run(
            """
            INSERT INTO confirmed (bucket, relationship, queue, version, sealed) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (bucket, relationship, queue) DO UPDATE SET version = excluded.version, sealed = excluded.sealed
            """, queue.relationship.key + [.bytes(queue.queue), .number(next), .bytes(sealed)])
    }

    // MARK: Rows of the node

    mutating func row(_ name: [UInt8], in table: SealedTable) throws -> SealedRow? {
        let key = RowKey(table: table, name: name)
        if let row = rows[key] { return row }
        let row = try Self.row(transaction.rows(ofAll: [table.lookup(name)])[0])
        rows[key] = .some(row)
        return row
    }

    mutating func insert(
        _ name: [UInt8], in table: SealedTable, expires: Timestamp?, sealed: [UInt8]
    ) throws -> Int64? {
        guard try row(name, in: table) == nil else { return nil }
        let row = SealedRow(row: newRow(), version: 1)
        try transaction.run(
            """
            INSERT INTO \(table.name) (bucket, name, version, expires, sealed, row) VALUES ($1, $2, $3, $4, $5, $6)
            """, try Self.values(row, name, expires, sealed) + [.number(row.row)])
        rows[RowKey(table: table, name: name)] = .some(row)
        return row.row
    }

    mutating func replace(
        _ row: SealedRow, _ name: [UInt8], in table: SealedTable, expires: Timestamp?, sealed: [UInt8]
    ) throws {
        try transaction.run(
            "UPDATE \(table.name) SET version = $3, expires = $4, sealed = $5 WHERE bucket = $1 AND name = $2",
            try Self.values(row, name, expires, sealed))
        rows[RowKey(table: table, name: name)] = .some(row)
    }

    private static func values(
        _ row: SealedRow, _ name: [UInt8], _ expires: Timestamp?, _ sealed: [UInt8]
    ) throws(StoreError) -> [PostgresValue] {
        let expires = try expires.map { time throws(StoreError) in try time.seconds.stored } ?? .null
        return [Bucket(of: name).value, .bytes(name), .number(row.version), expires, .bytes(sealed)]
    }

    mutating func remove(_ name: [UInt8], from table: SealedTable) throws {
        try transaction.run(
            "DELETE FROM \(table.name) WHERE bucket = $1 AND name = $2", [Bucket(of: name).value, .bytes(name)])
        rows[RowKey(table: table, name: name)] = .some(nil)
    }

    func tend(_ queue: [UInt8], row: Int64, by service: [UInt8]) throws {
        try transaction.run(
            """
            INSERT INTO tended (bucket, name, row, service) VALUES ($1, $2, $3, $4)
            ON CONFLICT (bucket, name) DO UPDATE SET row = excluded.row, service = excluded.service
            """, [Bucket(of: queue).value, .bytes(queue), .number(row), .bytes(service)])
    }

    func untend(_ queue: [UInt8]) throws {
        try transaction.run(
            "DELETE FROM tended WHERE bucket = $1 AND name = $2", [Bucket(of: queue).value, .bytes(queue)])
    }

    func setCursor(_ name: [UInt8], to position: UInt64, goesBack: Bool) throws {
        try transaction.run(
            """
            INSERT INTO cursor (bucket, name, position) VALUES ($1, $2, $3)
            ON CONFLICT (bucket, name) DO UPDATE SET position =
                CASE WHEN $4 THEN excluded.position ELSE greatest(cursor.position, excluded.position) END
            """, [Bucket(of: name).value, .bytes(name), try position.stored, .flag(goesBack)])
    }

    // MARK: Feed

    func lastEvent() throws -> Int64 { last }

    func insertEvent(_ sealed: [UInt8], at position: Int64) throws {
        try transaction.run(
            "INSERT INTO event (bucket, position, sealed) VALUES (0, $1, $2)", [.number(position), .bytes(sealed)])
    }

    func finish(lastEvent: Int64?) throws {
        guard lastEvent != nil || lastRow != firstRow else { return }
        try transaction.run(
            "UPDATE feed SET last = $1, rows = $2 WHERE bucket = 0 AND row = 1",
            [.number(lastEvent ?? last), .number(lastRow)])
    }
}

extension PostgresVaultTables.EnvelopeKey {
    fileprivate init(_ place: EnvelopePlace) {
        self.init(relationship: place.outbox.relationship.name, queue: place.outbox.queue, number: place.number)
    }
}

extension RelationshipPlace {
    var bucket: PostgresValue { Bucket(of: name).value }
    /// What finds its rows in the other tables.
    var key: [PostgresValue] { [bucket, .number(row)] }

    /// Finds the row of a relationship.
    init?(of id: RelationshipID, in transaction: PostgresTransaction, _ seal: VaultSeal) throws {
        let name = Self.name(of: id, seal)
        let row = try transaction.rows(
            "SELECT row FROM relationship WHERE bucket = $1 AND name = $2", [Bucket(of: name).value, .bytes(name)]
        ).first
        guard let row else { return nil }
        self.init(row: try row.number(0, of: "relationship"), name: name)
    }
}

extension EntryPlace {
    fileprivate var key: [PostgresValue] {
        get throws(StoreError) {
            relationship.key + [.number(Int64(direction.rawValue)), try sequence.stored]
        }
    }
}

extension EnvelopePlace {
    fileprivate var key: [PostgresValue] {
        get throws(StoreError) { outbox.relationship.key + [.bytes(outbox.queue), try number.stored] }
    }
}

extension VaultChange {
    /// The relationships that it is about.
    fileprivate var relationships: [RelationshipID] {
        [relationship?.id].compactMap(\.self) + entries.map(\.relationship) + erasedEntries.map(\.relationship)
            + voided.map(\.relationship) + adoptions.map(\.relationship) + outbox.map(\.relationship)
            + outboxConfirmed.map(\.relationship) + forgotten
    }
}
