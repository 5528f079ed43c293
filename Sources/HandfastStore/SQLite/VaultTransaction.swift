internal import Foundation
internal import GRDB
internal import HandfastChannel
internal import HandfastCrypto

/// The changes of one batch on their way into the database, in one transaction.
struct VaultTransaction {
    /// A relationship's row: the number its other rows carry and the name that their seals carry.
    struct Place {
        let row: Int64
        let name: [UInt8]
    }

    /// A statement that every message passes, prepared once.
    private final class Insertion {
        var statement: DirectStatement

        init(_ sql: String, of table: StaticString, in database: Database) throws {
            statement = try DirectStatement(sql, of: table, in: database)
        }
    }

    private let database: Database
    private let seal: VaultSeal
    private let rows: RowSealer
    private let entries: Insertion
    private let events: Insertion
    private var places: [RelationshipID: Place] = [:]
    private var lastEvent: Int64?

    init(_ database: Database, _ seal: VaultSeal) throws {
        self.database = database
        self.seal = seal
        rows = seal.rows()
        entries = try Insertion(
            "INSERT INTO entry (relationship, direction, sequence, version, sealed) VALUES (?, ?, ?, 0, ?)",
            of: "entry", in: database)
        events = try Insertion("INSERT INTO event (position, sealed) VALUES (?, ?)", of: "event", in: database)
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
        if change.skippedPositions > 0 { lastEvent = try lastPosition() + change.skippedPositions }
        return .committed(events: try change.events.map { event throws in try append(event) })
    }

    /// Writes what the batch shares. Nothing may be applied afterwards.
    func finish() throws {
        if let lastEvent { try database.run("UPDATE feed SET last = ?", [lastEvent]) }
    }

    // MARK: Guards

    private mutating func conflict(of change: VaultChange) throws -> ChangeOutcome.Conflict? {
        if let update = change.relationship {
            let stored = try version(of: update.id)
            guard stored == update.expectedVersion else { return .version(update.id, stored: stored) }
        }
        for hello in change.hellos where try SealedTable.hello.contains(hello.hash.array, in: database, seal) {
            return .hello(hello.hash)
        }
        for ticket in change.spentTickets
        where try SealedTable.ticket.contains(ticket.knock.digest.array, in: database, seal) {
            return .ticket(ticket.knock)
        }
        for row in change.idempotency where try SealedTable.idempotency.contains(row.key, in: database, seal) {
            return .idempotency(key: row.key)
        }
        return nil
    }

    private mutating func version(of id: RelationshipID) throws -> Int64? {
        guard let place = try findPlace(of: id) else { return nil }
        guard let row = try database.row("SELECT version FROM channel WHERE relationship = ?", [place.row]) else {
            throw StoreError.corrupted("table channel, row \(place.row)")
        }
        return try row.number(0, of: "channel")
    }

    private mutating func findPlace(of id: RelationshipID) throws -> Place? {
        if let place = places[id] { return place }
        let place = try Place(of: id, in: database, seal)
        places[id] = place
        return place
    }

    private mutating func place(of id: RelationshipID) throws -> Place {
        guard let place = try findPlace(of: id) else { throw StoreError.missing("relationship \(id)") }
        return place
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
            try database.run(
                "UPDATE relationship SET version = ?, timed = ?, sealed = ? WHERE row = ?",
                [
                    version, update.isTimed, sealed(state, of: update.id, at: place, version: version).blob,
                    place.row,
                ])
        case (.erased, _):
            throw StoreError.missing("the state of relationship \(update.id)")
        }
        try write(update.channel, version: version, at: place)
        try write(update.auxiliary, to: "auxiliary", version: version, at: place)
        try write(update.resume, to: "resume", version: version, at: place)
    }

    private func write(
        _ part: RelationshipUpdate.Part, to table: StaticString, version: Int64, at place: Place
    ) throws {
        switch part {
        case .unchanged: break
        case .set(let bytes):
            let sealed = seal.seal(bytes, at: RowPlace(table, name: place.name, version: version))
            try database.run(
                "INSERT OR REPLACE INTO \(table) (relationship, version, sealed) VALUES (?, ?, ?)",
                [place.row, version, sealed.blob])
        case .erased:
            try database.run("DELETE FROM \(table) WHERE relationship = ?", [place.row])
        }
    }

    private mutating func insert(_ update: RelationshipUpdate, version: Int64) throws -> Place {
        guard case .set(let state) = update.state else {
            throw StoreError.missing("the state of relationship \(update.id)")
        }
        let name = Place.name(of: update.id, seal)
        try database.run(
            "INSERT INTO relationship (name, version, timed, sealed) VALUES (?, ?, ?, ?)",
            [
                name.blob, version, update.isTimed,
                sealed(state, of: update.id, at: Place(row: 0, name: name), version: version).blob,
            ])
        let place = Place(row: database.lastInsertedRowID, name: name)
        try database.run(
            "INSERT INTO channel (relationship, version, written) VALUES (?, ?, ?)", [place.row, version, version])
        places[update.id] = place
        return place
    }

    private func sealed(_ state: [UInt8], of id: RelationshipID, at place: Place, version: Int64) -> [UInt8] {
        seal.seal(id.digest.array + state, at: RowPlace("relationship", name: place.name, version: version))
    }

    private func write(_ channel: RelationshipUpdate.Part, version: Int64, at place: Place) throws {
        switch channel {
        case .unchanged:
            try database.run("UPDATE channel SET version = ? WHERE relationship = ?", [version, place.row])
        case .set(let bytes):
            let sealed = seal.seal(bytes, at: RowPlace("channel", name: place.name, version: version))
            try database.run(
                "UPDATE channel SET version = ?, written = ?, sealed = ? WHERE relationship = ?",
                [version, version, sealed.blob, place.row])
        case .erased:
            try database.run(
                "UPDATE channel SET version = ?, written = ?, sealed = NULL WHERE relationship = ?",
                [version, version, place.row])
        }
    }

    private mutating func forget(_ id: RelationshipID) throws {
        let place = try place(of: id)
        for table in ["channel", "auxiliary", "resume", "entry", "outbox", "confirmed"] {
            try database.run("DELETE FROM \(table) WHERE relationship = ?", [place.row])
        }
        try database.run("DELETE FROM relationship WHERE row = ?", [place.row])
        places[id] = nil
    }

    // MARK: Ledger and outbox

    private mutating func append(_ entry: NewEntry) throws {
        let place = try place(of: entry.relationship)
        try rows.seal(at: .entry(place.name, entry.direction, entry.sequence, version: 0)) { row in
            row.append(contentsOf: entry.hash.array)
            row.append(contentsOf: entry.bytes)
        }
        try entries.statement.bind(place.row)
        try entries.statement.bind(Int64(entry.direction.rawValue))
        try entries.statement.bind(entry.sequence)
        let sealed = rows.sealed
        try entries.statement.run(with: sealed.bytes)
    }

    private mutating func erase(_ entry: NewEntry) throws {
        let place = try place(of: entry.relationship)
        let key: [any DatabaseValueConvertible] = [
            place.row, Int64(entry.direction.rawValue), try entry.sequence.stored,
        ]
        let sql = "SELECT version, sealed FROM entry WHERE relationship = ? AND direction = ? AND sequence = ?"
        guard let row = try database.row(sql, key) else {
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
        try database.run(
            """
            UPDATE entry SET version = ?, sealed = ? WHERE relationship = ? AND direction = ? AND sequence = ?
            """, [version + 1, sealed.blob] + key)
    }

    private mutating func remove(_ voided: VoidedEntries) throws {
        let place = try place(of: voided.relationship)
        try database.run(
            "DELETE FROM entry WHERE relationship = ? AND direction = ? AND sequence >= ?",
            [place.row, Int64(voided.direction.rawValue), try voided.first.stored])
    }

    private mutating func adopt(_ adoption: QueueAdoption) throws {
        let place = try place(of: adoption.relationship)
        let queue = adoption.queue.name(seal)
        try setConfirmed(adoption.queue.array + adoption.chain.array, next: try adoption.next.stored, queue, place)
        try database.run("DELETE FROM outbox WHERE relationship = ? AND queue = ?", [place.row, queue.blob])
    }

    private mutating func append(_ item: OutboxItem) throws {
        let place = try place(of: item.relationship)
        let queue = item.queue.name(seal)
        let sealed = seal.seal(
            item.queue.array + item.chain.array + item.envelope, at: .outbox(place.name, queue, item.number))
        try database.run(
            "INSERT INTO outbox (relationship, queue, number, sealed) VALUES (?, ?, ?, ?)",
            [place.row, queue.blob, try item.number.stored, sealed.blob])
    }

    private mutating func confirm(_ confirmation: OutboxConfirmation) throws {
        let place = try place(of: confirmation.relationship)
        let queue = confirmation.queue.name(seal)
        let number = try confirmation.through.stored
        let sql = "SELECT sealed FROM outbox WHERE relationship = ? AND queue = ? AND number = ?"
        // Confirmed before: the relay's second answer to the same bytes.
        guard let row = try database.row(sql, [place.row, queue.blob, number]) else { return }
        let item = try seal.open(
            row.bytes(0, of: "outbox"), at: .outbox(place.name, queue, confirmation.through))
        try setConfirmed(Array(item.prefix(48)), next: number + 1, queue, place)
        try database.run(
            "DELETE FROM outbox WHERE relationship = ? AND queue = ? AND number <= ?",
            [place.row, queue.blob, number])
    }

    /// - Parameter content: queue and queue digest.
    private func setConfirmed(_ content: [UInt8], next: Int64, _ queue: [UInt8], _ place: Place) throws {
        let sealed = seal.seal(content, at: RowPlace("confirmed", name: place.name + queue, version: next))
        try database.run(
            "INSERT OR REPLACE INTO confirmed (relationship, queue, version, sealed) VALUES (?, ?, ?, ?)",
            [place.row, queue.blob, next, sealed.blob])
    }

    // MARK: Rows of the node

    private func move(_ cursor: ServiceCursor) throws {
        try database.run(
            """
            INSERT INTO cursor (name, position) VALUES (?, ?)
            ON CONFLICT (name) DO UPDATE SET position = iif(?, excluded.position, max(position, excluded.position))
            """,
            [seal.name(cursor.service.array, in: "cursor").blob, try cursor.position.stored, cursor.goesBack])
    }

    private func storeRows(of change: VaultChange) throws {
        for row in change.identities {
            let key = row.id.digest.array
            try SealedTable.identity.store(key, key + row.bytes, in: database, seal)
        }
        for row in change.invitations {
            let key = row.knock.digest.array
            try SealedTable.invitation.store(key, key + row.bytes, in: database, seal)
        }
        for row in change.bundles {
            let key = row.hash.array
            try SealedTable.bundle.store(key, key + row.bytes, expires: row.eraseAfter, in: database, seal)
        }
        for row in change.services {
            let key = row.key.array
            try SealedTable.service.store(key, key + row.bytes, in: database, seal)
        }
        for row in change.queues { try store(row) }
        for queue in change.closedQueues {
            try tend(queue, by: nil)
            try SealedTable.queue.remove(queue.array, in: database, seal)
        }
        for row in change.transfers {
            let (table, other) =
                row.isOpen
                ? (SealedTable.transfer, SealedTable.endedTransfer) : (SealedTable.endedTransfer, SealedTable.transfer)
            let key = row.key.bytes
            try other.remove(key, in: database, seal)
            try table.store(key, key + row.bytes, in: database, seal)
        }
        for row in change.wallet {
            let table = SealedTable.wallet(row.key.table)
            guard let count = UInt8(exactly: row.key.bytes.count) else {
                throw StoreError.missing("a key of 1 to 255 bytes of a row of the wallet")
            }
            if let bytes = row.bytes {
                try table.store(row.key.bytes, [count] + row.key.bytes + bytes, in: database, seal)
            } else {
                try table.remove(row.key.bytes, in: database, seal)
            }
        }
        for row in change.hellos {
            let payload = row.relationship.digest.array
            guard
                try SealedTable.hello.insert(row.hash.array, payload, expires: row.eraseAfter, in: database, seal)
            else { throw StoreError.duplicate("a hello, twice in one change") }
        }
        for row in change.spentTickets {
            let payload = row.relationship.digest.array
            guard try SealedTable.ticket.insert(row.knock.digest.array, payload, in: database, seal) else {
                throw StoreError.duplicate("a ticket, twice in one change")
            }
        }
        for row in change.idempotency {
            guard
                try SealedTable.idempotency.insert(
                    row.key, row.result, expires: row.eraseAfter, in: database, seal)
            else { throw StoreError.duplicate("an idempotency key, twice in one change") }
        }
    }

    private func store(_ row: QueueRow) throws {
        let relationship = row.relationship.map { id in [1] + id.digest.array } ?? [0]
        try SealedTable.queue.store(row.id.array, row.id.array + relationship + row.bytes, in: database, seal)
        try tend(row.id, by: row.tendedBy)
    }

    private func tend(_ queue: QueueID, by service: VerificationKey?) throws {
        let name = seal.name(queue.array, in: SealedTable.queue.table)
        guard let service else {
            return try database.run(
                "DELETE FROM tended WHERE queue = (SELECT row FROM queue WHERE name = ?)", [name.blob])
        }
        try database.run(
            "INSERT OR REPLACE INTO tended (queue, service) SELECT row, ? FROM queue WHERE name = ?",
            [seal.name(service.array, in: "tended").blob, name.blob])
    }

    private func lastPosition() throws -> Int64 {
        if let lastEvent { return lastEvent }
        return try database.row("SELECT last FROM feed")?.number(0, of: "feed") ?? 0
    }

    private mutating func append(_ event: EventDraft) throws -> Int64 {
        let position = try lastPosition() + 1
        try rows.seal(at: .event(position)) { row in
            row.append(event.relationship == nil ? 0 : 1)
            if let id = event.relationship { row.append(contentsOf: id.digest.array) }
            row.append(contentsOf: event.payload)
        }
        try events.statement.bind(position)
        let sealed = rows.sealed
        try events.statement.run(with: sealed.bytes)
        lastEvent = position
        return position
    }
}

extension VaultTransaction.Place {
    static func name(of id: RelationshipID, _ seal: VaultSeal) -> [UInt8] {
        seal.name(id.digest.array, in: "relationship")
    }

    /// Finds the row of a relationship.
    init?(of id: RelationshipID, in database: Database, _ seal: VaultSeal) throws {
        let name = Self.name(of: id, seal)
        guard let row = try database.row("SELECT row FROM relationship WHERE name = ?", [name.blob]) else {
            return nil
        }
        self.init(row: try row.number(0, of: "relationship"), name: name)
    }
}
