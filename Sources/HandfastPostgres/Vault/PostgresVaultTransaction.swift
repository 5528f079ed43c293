internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastStore

/// The changes of one batch on their way into the database, in one transaction.
///
/// Everything that a batch's guards ask for is read in one round trip, under the lock of the feed's row; everything it
/// writes goes out in another.
struct PostgresVaultTransaction {
    /// A relationship's row: the number its other rows carry and the name that their seals carry.
    struct Place {
        let row: Int64
        let name: [UInt8]

        var bucket: PostgresValue { Bucket(of: name).value }
        /// What finds its rows in the other tables.
        var key: [PostgresValue] { [bucket, .number(row)] }
    }

    private struct SealedKey: Hashable {
        let table: PostgresSealedTable
        let name: [UInt8]
    }

    private struct SealedRow {
        let row: Int64
        let version: Int64
    }

    private struct Envelope: Hashable {
        let relationship: RelationshipID
        let queue: QueueID
        let number: UInt64
    }

    private struct Known {
        var place: Place
        var version: Int64
    }

    private let transaction: PostgresTransaction
    private let seal: VaultSeal
    private var relationships: [RelationshipID: Known?] = [:]
    private var rows: [SealedKey: SealedRow?] = [:]
    /// Queue and queue digest of envelopes that wait, as far as the batch is about them; nil where there is none.
    private var envelopes: [Envelope: [UInt8]?] = [:]
    private var lastEvent: Int64
    private var lastRow: Int64
    private var feedHasChanged = false

    /// Locks the feed and reads what the changes are about.
    ///
    /// - Throws: ``StoreError/locked(path:process:)`` when the vault was taken by another holder
    init(_ transaction: PostgresTransaction, _ seal: VaultSeal, held tenure: VaultTenure, for changes: [VaultChange])
        throws
    {
        self.transaction = transaction
        self.seal = seal
        let ids = Array(Set(changes.flatMap(\.relationships)))
        let keys = Array(Set(changes.flatMap { Self.keys(of: $0, seal) }))
        let confirmed = Array(
            Set(
                changes.flatMap(\.outboxConfirmed).map {
                    Envelope(relationship: $0.relationship, queue: $0.queue, number: $0.through)
                }))
        let feed = PostgresStatement("SELECT last, rows, term FROM feed WHERE bucket = 0 AND row = 1 FOR UPDATE")
        let answers = try transaction.rows(
            ofAll: [feed] + ids.map { Self.question($0, seal) } + keys.map { $0.table.lookup($0.name) }
                + confirmed.map { envelope throws in try Self.question(envelope, seal) })
        guard let row = answers[0].first else { throw StoreError.corrupted("table feed is empty") }
        lastEvent = try row.number(0, of: "feed")
        lastRow = try row.number(1, of: "feed")
        try tenure.check(term: row.number(2, of: "feed"))
        for (id, answer) in zip(ids, answers[1...]) { relationships[id] = .some(try Self.known(answer, id, seal)) }
        for (key, answer) in zip(keys, answers[(1 + ids.count)...]) { rows[key] = .some(try Self.row(answer)) }
        for (envelope, answer) in zip(confirmed, answers[(1 + ids.count + keys.count)...]) {
            envelopes[envelope] = .some(try Self.content(answer, of: envelope, seal))
        }
    }

    private static func question(_ envelope: Envelope, _ seal: VaultSeal) throws(StoreError) -> PostgresStatement {
        let name = name(of: envelope.relationship, seal)
        return PostgresStatement(
            """
            SELECT o.sealed FROM relationship r JOIN outbox o ON o.bucket = r.bucket AND o.relationship = r.row
            WHERE r.bucket = $1 AND r.name = $2 AND o.queue = $3 AND o.number = $4
            """,
            [
                Bucket(of: name).value, .bytes(name), .bytes(envelope.queue.name(seal)), try envelope.number.stored,
            ])
    }

    private static func content(_ answer: PostgresRows, of envelope: Envelope, _ seal: VaultSeal) throws -> [UInt8]? {
        try answer.first.map { row throws in
            let place = RowPlace.outbox(
                name(of: envelope.relationship, seal), envelope.queue.name(seal), envelope.number)
            return Array(try seal.open(row.bytes(0, of: "outbox"), at: place).prefix(48))
        }
    }

    private static func question(_ id: RelationshipID, _ seal: VaultSeal) -> PostgresStatement {
        let name = name(of: id, seal)
        return PostgresStatement(
            """
            SELECT r.row, c.version FROM relationship r
            LEFT JOIN channel c ON c.bucket = r.bucket AND c.relationship = r.row
            WHERE r.bucket = $1 AND r.name = $2
            """, [Bucket(of: name).value, .bytes(name)])
    }

    private static func known(_ answer: PostgresRows, _ id: RelationshipID, _ seal: VaultSeal) throws -> Known? {
        try answer.first.map { row throws in
            let place = Place(row: try row.number(0, of: "relationship"), name: name(of: id, seal))
            return Known(place: place, version: try row.number(1, of: "channel"))
        }
    }

    private static func row(_ answer: PostgresRows) throws -> SealedRow? {
        try answer.first.map { row throws in
            SealedRow(row: try row.number(0, of: "row"), version: try row.number(2, of: "row"))
        }
    }

    /// The sealed rows that a change asks for or replaces.
    private static func keys(of change: VaultChange, _ seal: VaultSeal) -> [SealedKey] {
        func key(_ table: PostgresSealedTable, _ key: [UInt8]) -> SealedKey {
            SealedKey(table: table, name: seal.name(key, in: table.table))
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

    /// Applies a change unless one of its guards fails.
    mutating func apply(_ change: VaultChange) throws -> ChangeOutcome {
        if let conflict = try conflict(of: change) { return .conflict(conflict) }
        if let update = change.relationship { try apply(update) }
        for voided in change.voided { try remove(voided) }
        for entry in change.entries { try append(entry) }
        for entry in change.erasedEntries { try erase(entry) }
        for adoption in change.adoptions { try adopt(adoption) }
        for item in change.outbox { try append(item) }
        for confirmation in change.outboxConfirmed { try confirm(confirmation) }
        if let cursor = change.cursor { try move(cursor) }
        try storeRows(of: change)
        for id in change.forgotten { try forget(id) }
        if change.skippedPositions > 0 {
            lastEvent += change.skippedPositions
            feedHasChanged = true
        }
        return .committed(events: try change.events.map { event throws in try append(event) })
    }

    /// Writes what the batch shares. Nothing may be applied afterwards.
    func finish() throws {
        guard feedHasChanged else { return }
        try transaction.run(
            "UPDATE feed SET last = $1, rows = $2 WHERE bucket = 0 AND row = 1", [.number(lastEvent), .number(lastRow)])
    }

    private mutating func newRow() -> Int64 {
        lastRow += 1
        feedHasChanged = true
        return lastRow
    }

    // MARK: Guards

    private mutating func conflict(of change: VaultChange) throws -> ChangeOutcome.Conflict? {
        if let update = change.relationship {
            let stored = try find(update.id)?.version
            guard stored == update.expectedVersion else { return .version(update.id, stored: stored) }
        }
        for hello in change.hellos where try find(.hello, hello.hash.array) != nil { return .hello(hello.hash) }
        for ticket in change.spentTickets where try find(.ticket, ticket.knock.digest.array) != nil {
            return .ticket(ticket.knock)
        }
        for row in change.idempotency where try find(.idempotency, row.key) != nil {
            return .idempotency(key: row.key)
        }
        return nil
    }

    private mutating func find(_ id: RelationshipID) throws -> Known? {
        if let known = relationships[id] { return known }
        let known = try Self.known(transaction.rows(ofAll: [Self.question(id, seal)])[0], id, seal)
        relationships[id] = .some(known)
        return known
    }

    private mutating func place(of id: RelationshipID) throws -> Place {
        guard let known = try find(id) else { throw StoreError.missing("relationship \(id)") }
        return known.place
    }

    // MARK: Relationship

    private mutating func apply(_ update: RelationshipUpdate) throws {
        let version = (update.expectedVersion ?? 0) + 1
        let place =
            update.expectedVersion == nil
            ? try insert(update, version: version) : try self.place(of: update.id)
        switch (update.state, update.expectedVersion) {
        case (_, nil), (.unchanged, _): break
        case (.set(let state), _):
            try transaction.run(
                "UPDATE relationship SET version = $3, timed = $4, sealed = $5 WHERE bucket = $1 AND name = $2",
                [
                    place.bucket, .bytes(place.name), .number(version), .flag(update.isTimed),
                    .bytes(sealed(state, of: update.id, at: place, version: version)),
                ])
        case (.erased, _):
            throw StoreError.missing("the state of relationship \(update.id)")
        }
        try write(update.channel, version: version, at: place)
        try write(update.auxiliary, to: "auxiliary", version: version, at: place)
        try write(update.resume, to: "resume", version: version, at: place)
        relationships[update.id] = .some(Known(place: place, version: version))
    }

    private func write(
        _ part: RelationshipUpdate.Part, to table: StaticString, version: Int64, at place: Place
    ) throws {
        switch part {
        case .unchanged: break
        case .set(let bytes):
            let sealed = seal.seal(bytes, at: RowPlace(table, name: place.name, version: version))
            try transaction.run(
                """
                INSERT INTO \(table) (bucket, relationship, version, sealed) VALUES ($1, $2, $3, $4)
                ON CONFLICT (bucket, relationship) DO UPDATE SET version = excluded.version, sealed = excluded.sealed
                """, place.key + [.number(version), .bytes(sealed)])
        case .erased:
            try transaction.run("DELETE FROM \(table) WHERE bucket = $1 AND relationship = $2", place.key)
        }
    }

    private mutating func insert(_ update: RelationshipUpdate, version: Int64) throws -> Place {
        guard case .set(let state) = update.state else {
            throw StoreError.missing("the state of relationship \(update.id)")
        }
        let place = Place(row: newRow(), name: Self.name(of: update.id, seal))
        try transaction.run(
            "INSERT INTO relationship (bucket, row, name, version, timed, sealed) VALUES ($1, $2, $3, $4, $5, $6)",
            place.key + [
                .bytes(place.name), .number(version), .flag(update.isTimed),
                .bytes(sealed(state, of: update.id, at: place, version: version)),
            ])
        try transaction.run(
            "INSERT INTO channel (bucket, relationship, version, written) VALUES ($1, $2, $3, $3)",
            place.key + [.number(version)])
        return place
    }

    private func sealed(_ state: [UInt8], of id: RelationshipID, at place: Place, version: Int64) -> [UInt8] {
        seal.seal(id.digest.array + state, at: RowPlace("relationship", name: place.name, version: version))
    }

    private func write(_ channel: RelationshipUpdate.Part, version: Int64, at place: Place) throws {
        switch channel {
        case .unchanged:
            try transaction.run(
                "UPDATE channel SET version = $3 WHERE bucket = $1 AND relationship = $2",
                place.key + [.number(version)])
        case .set(let bytes):
            let sealed = seal.seal(bytes, at: RowPlace("channel", name: place.name, version: version))
            try transaction.run(
                "UPDATE channel SET version = $3, written = $3, sealed = $4 WHERE bucket = $1 AND relationship = $2",
                place.key + [.number(version), .bytes(sealed)])
        case .erased:
            try transaction.run(
                "UPDATE channel SET version = $3, written = $3, sealed = NULL WHERE bucket = $1 AND relationship = $2",
                place.key + [.number(version)])
        }
    }

    private mutating func forget(_ id: RelationshipID) throws {
        let place = try place(of: id)
        for table in ["channel", "auxiliary", "resume", "entry", "outbox", "confirmed"] {
            try transaction.run("DELETE FROM \(table) WHERE bucket = $1 AND relationship = $2", place.key)
        }
        try transaction.run(
            "DELETE FROM relationship WHERE bucket = $1 AND name = $2", [place.bucket, .bytes(place.name)])
        relationships[id] = .some(nil)
    }

    // MARK: Ledger and outbox

    private mutating func append(_ entry: NewEntry) throws {
        let place = try place(of: entry.relationship)
        let sealed = seal.seal(
            entry.hash.array + entry.bytes, at: .entry(place.name, entry.direction, entry.sequence, version: 0))
        try transaction.run(
            """
            INSERT INTO entry (bucket, relationship, direction, sequence, version, sealed) VALUES ($1, $2, $3, $4, 0, $5)
            """, try place.key(entry) + [.bytes(sealed)])
    }

    private mutating func erase(_ entry: NewEntry) throws {
        let place = try place(of: entry.relationship)
        let row = try transaction.rows(
            """
            SELECT version, sealed FROM entry
            WHERE bucket = $1 AND relationship = $2 AND direction = $3 AND sequence = $4
            """, place.key(entry)
        ).first
        guard let row else {
            throw StoreError.missing("record \(entry.sequence) of relationship \(entry.relationship)")
        }
        let version = try row.number(0, of: "entry")
        let stored = try seal.open(
            row.bytes(1, of: "entry"), at: .entry(place.name, entry.direction, entry.sequence, version: version))
        guard stored.starts(with: entry.hash.array) else {
            throw StoreError.duplicate("record \(entry.sequence) of relationship \(entry.relationship)")
        }
        let sealed = seal.seal(
            entry.hash.array + entry.bytes,
            at: .entry(place.name, entry.direction, entry.sequence, version: version + 1))
        try transaction.run(
            """
            UPDATE entry SET version = $5, sealed = $6
            WHERE bucket = $1 AND relationship = $2 AND direction = $3 AND sequence = $4
            """, try place.key(entry) + [.number(version + 1), .bytes(sealed)])
    }

    private mutating func remove(_ voided: VoidedEntries) throws {
        let place = try place(of: voided.relationship)
        try transaction.run(
            "DELETE FROM entry WHERE bucket = $1 AND relationship = $2 AND direction = $3 AND sequence >= $4",
            place.key + [.number(Int64(voided.direction.rawValue)), try voided.first.stored])
    }

    private mutating func adopt(_ adoption: QueueAdoption) throws {
        let place = try place(of: adoption.relationship)
        let queue = adoption.queue.name(seal)
        try setConfirmed(adoption.queue.array + adoption.chain.array, next: adoption.next, queue, place)
        try transaction.run(
            "DELETE FROM outbox WHERE bucket = $1 AND relationship = $2 AND queue = $3", place.key + [.bytes(queue)])
        drop(from: adoption.relationship, to: adoption.queue, through: .max)
    }

    private mutating func append(_ item: OutboxItem) throws {
        let place = try place(of: item.relationship)
        let queue = item.queue.name(seal)
        let sealed = seal.seal(
            item.queue.array + item.chain.array + item.envelope, at: .outbox(place.name, queue, item.number))
        try transaction.run(
            "INSERT INTO outbox (bucket, relationship, queue, number, sealed) VALUES ($1, $2, $3, $4, $5)",
            place.key + [.bytes(queue), try item.number.stored, .bytes(sealed)])
        let envelope = Envelope(relationship: item.relationship, queue: item.queue, number: item.number)
        if envelopes[envelope] != nil { envelopes[envelope] = .some(item.queue.array + item.chain.array) }
    }

    private mutating func confirm(_ confirmation: OutboxConfirmation) throws {
        let place = try place(of: confirmation.relationship)
        let queue = confirmation.queue.name(seal)
        let envelope = Envelope(
            relationship: confirmation.relationship, queue: confirmation.queue, number: confirmation.through)
        // Confirmed before: the relay's second answer to the same bytes.
        guard let content = envelopes[envelope] ?? nil else { return }
        try setConfirmed(content, next: confirmation.through + 1, queue, place)
        try transaction.run(
            "DELETE FROM outbox WHERE bucket = $1 AND relationship = $2 AND queue = $3 AND number <= $4",
            place.key + [.bytes(queue), try confirmation.through.stored])
        drop(from: confirmation.relationship, to: confirmation.queue, through: confirmation.through)
    }

    /// Notes that envelopes do not wait any more.
    private mutating func drop(from relationship: RelationshipID, to queue: QueueID, through number: UInt64) {
        for envelope in envelopes.keys
        where envelope.relationship == relationship && envelope.queue == queue && envelope.number <= number {
            envelopes[envelope] = .some(nil)
        }
    }

    /// - Parameter content: queue and queue digest.
    private func setConfirmed(_ content: [UInt8], next: UInt64, _ queue: [UInt8], _ place: Place) throws {
        guard let version = Int64(exactly: next) else {
            throw StoreError.inputOutput("the number \(next) is too large")
        }
        let sealed = seal.seal(content, at: RowPlace("confirmed", name: place.name + queue, version: version))
        try transaction.run(
            """
            INSERT INTO confirmed (bucket, relationship, queue, version, sealed) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (bucket, relationship, queue) DO UPDATE SET version = excluded.version, sealed = excluded.sealed
            """, place.key + [.bytes(queue), .number(version), .bytes(sealed)])
    }

    // MARK: Rows of the node

    private func move(_ cursor: ServiceCursor) throws {
        let name = seal.name(cursor.service.array, in: "cursor")
        try transaction.run(
            """
            INSERT INTO cursor (bucket, name, position) VALUES ($1, $2, $3)
            ON CONFLICT (bucket, name) DO UPDATE SET position =
                CASE WHEN $4 THEN excluded.position ELSE greatest(cursor.position, excluded.position) END
            """, [Bucket(of: name).value, .bytes(name), try cursor.position.stored, .flag(cursor.goesBack)])
    }

    private mutating func storeRows(of change: VaultChange) throws {
        for row in change.identities { try store(.identity, row.id.digest.array, row.id.digest.array + row.bytes) }
        for row in change.invitations {
            try store(.invitation, row.knock.digest.array, row.knock.digest.array + row.bytes)
        }
        for row in change.bundles {
            try store(.bundle, row.hash.array, row.hash.array + row.bytes, expires: row.eraseAfter)
        }
        for row in change.services { try store(.service, row.key.array, row.key.array + row.bytes) }
        for row in change.queues {
            let relationship = row.relationship.map { id in [1] + id.digest.array } ?? [0]
            let number = try store(.queue, row.id.array, row.id.array + relationship + row.bytes)
            try tend(row.id, number, by: row.tendedBy)
        }
        for queue in change.closedQueues {
            try tend(queue, 0, by: nil)
            try remove(.queue, queue.array)
        }
        for row in change.transfers {
            let (table, other) =
                row.isOpen
                ? (PostgresSealedTable.transfer, PostgresSealedTable.endedTransfer)
                : (PostgresSealedTable.endedTransfer, PostgresSealedTable.transfer)
            let key = row.key.bytes
            try remove(other, key)
            try store(table, key, key + row.bytes)
        }
        for row in change.wallet {
            let table = PostgresSealedTable.wallet(row.key.table)
            guard let count = UInt8(exactly: row.key.bytes.count) else {
                throw StoreError.missing("a key of 1 to 255 bytes of a row of the wallet")
            }
            if let bytes = row.bytes {
                try store(table, row.key.bytes, [count] + row.key.bytes + bytes)
            } else {
                try remove(table, row.key.bytes)
            }
        }
        for row in change.hellos {
            let payload = row.relationship.digest.array
            guard try insert(.hello, row.hash.array, payload, expires: row.eraseAfter) else {
                throw StoreError.duplicate("a hello, twice in one change")
            }
        }
        for row in change.spentTickets {
            guard try insert(.ticket, row.knock.digest.array, row.relationship.digest.array) else {
                throw StoreError.duplicate("a ticket, twice in one change")
            }
        }
        for row in change.idempotency {
            guard try insert(.idempotency, row.key, row.result, expires: row.eraseAfter) else {
                throw StoreError.duplicate("an idempotency key, twice in one change")
            }
        }
    }

    private func tend(_ queue: QueueID, _ row: Int64, by service: VerificationKey?) throws {
        let name = seal.name(queue.array, in: PostgresSealedTable.queue.table)
        let key = [Bucket(of: name).value, PostgresValue.bytes(name)]
        guard let service else {
            return try transaction.run("DELETE FROM tended WHERE bucket = $1 AND name = $2", key)
        }
        try transaction.run(
            """
            INSERT INTO tended (bucket, name, row, service) VALUES ($1, $2, $3, $4)
            ON CONFLICT (bucket, name) DO UPDATE SET row = excluded.row, service = excluded.service
            """, key + [.number(row), .bytes(seal.name(service.array, in: "tended"))])
    }

    private mutating func append(_ event: EventDraft) throws -> Int64 {
        lastEvent += 1
        feedHasChanged = true
        let relationship = event.relationship.map { id in [1] + id.digest.array } ?? [0]
        let sealed = seal.seal(relationship + event.payload, at: .event(lastEvent))
        try transaction.run(
            "INSERT INTO event (bucket, position, sealed) VALUES (0, $1, $2)", [.number(lastEvent), .bytes(sealed)])
        return lastEvent
    }

    // MARK: Sealed rows

    private mutating func find(_ table: PostgresSealedTable, _ key: [UInt8]) throws -> SealedRow? {
        let key = SealedKey(table: table, name: seal.name(key, in: table.table))
        if let row = rows[key] { return row }
        let row = try Self.row(transaction.rows(ofAll: [table.lookup(key.name)])[0])
        rows[key] = .some(row)
        return row
    }

    /// Stores a new row; false, and nothing done, when the key is known already.
    private mutating func insert(
        _ table: PostgresSealedTable, _ key: [UInt8], _ payload: [UInt8], expires: Timestamp? = nil
    ) throws -> Bool {
        guard try find(table, key) == nil else { return false }
        _ = try store(table, key, payload, expires: expires)
        return true
    }

    /// Stores a row in place of the one with this key, if there is one, and gives its number.
    @discardableResult
    private mutating func store(
        _ table: PostgresSealedTable, _ key: [UInt8], _ payload: [UInt8], expires: Timestamp? = nil
    ) throws -> Int64 {
        let known = try find(table, key)
        let name = seal.name(key, in: table.table)
        let row = SealedRow(row: known?.row ?? newRow(), version: (known?.version ?? 0) + 1)
        let sealed = seal.seal(payload, at: RowPlace(table.table, name: name, version: row.version))
        let values: [PostgresValue] = [
            Bucket(of: name).value, .bytes(name), .number(row.version),
            try expires.map { expires throws in try expires.seconds.stored } ?? .null, .bytes(sealed),
        ]
        if known == nil {
            try transaction.run(
                """
                INSERT INTO \(table.name) (bucket, name, version, expires, sealed, row) VALUES ($1, $2, $3, $4, $5, $6)
                """, values + [.number(row.row)])
        } else {
            try transaction.run(
                "UPDATE \(table.name) SET version = $3, expires = $4, sealed = $5 WHERE bucket = $1 AND name = $2",
                values)
        }
        rows[SealedKey(table: table, name: name)] = .some(row)
        return row.row
    }

    private mutating func remove(_ table: PostgresSealedTable, _ key: [UInt8]) throws {
        let name = seal.name(key, in: table.table)
        try transaction.run(
            "DELETE FROM \(table.name) WHERE bucket = $1 AND name = $2", [Bucket(of: name).value, .bytes(name)])
        rows[SealedKey(table: table, name: name)] = .some(nil)
    }

    // MARK: Names

    /// The name by which a relationship's rows are found.
    static func name(of id: RelationshipID, _ seal: VaultSeal) -> [UInt8] {
        seal.name(id.digest.array, in: "relationship")
    }
}

extension PostgresVaultTransaction.Place {
    /// What finds a record.
    fileprivate func key(_ entry: NewEntry) throws(StoreError) -> [PostgresValue] {
        key + [.number(Int64(entry.direction.rawValue)), try entry.sequence.stored]
    }

    /// Finds the row of a relationship.
    init?(of id: RelationshipID, in transaction: PostgresTransaction, _ seal: VaultSeal) throws {
        let name = PostgresVaultTransaction.name(of: id, seal)
        let row = try transaction.rows(
            "SELECT row FROM relationship WHERE bucket = $1 AND name = $2", [Bucket(of: name).value, .bytes(name)]
        ).first
        guard let row else { return nil }
        self.init(row: try row.number(0, of: "relationship"), name: name)
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
