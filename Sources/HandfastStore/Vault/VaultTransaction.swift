internal import HandfastChannel
internal import HandfastCrypto

/// The changes of one batch on their way into a vault's tables, in one transaction, by the rules of Spec/08.
package struct VaultTransaction<Tables: VaultTables> {
    private typealias Known = (place: RelationshipPlace, version: Int64)

    private var tables: Tables
    private let seal: VaultSeal
    /// Seals what every message writes.
    private let rows: RowSealer
    /// Relationships that the batch is about; nil where there is none.
    private var relationships: [RelationshipID: Known?] = [:]
    /// The position of the last event, once it was asked for.
    private var lastEvent: Int64?
    private var feedHasChanged = false

    package init(_ tables: Tables, _ seal: VaultSeal) {
        self.tables = tables
        self.seal = seal
        rows = seal.rows()
    }

    /// Applies a change unless one of its guards fails.
    package mutating func apply(_ change: VaultChange) throws -> ChangeOutcome {
        if let conflict = try conflict(of: change) { return .conflict(conflict) }
        if let update = change.relationship { try apply(update) }
        for voided in change.voided { try remove(voided) }
        for entry in change.entries { try append(entry) }
        for entry in change.erasedEntries { try erase(entry) }
        for adoption in change.adoptions { try adopt(adoption) }
        for item in change.outbox { try append(item) }
        for confirmation in change.outboxConfirmed { try confirm(confirmation) }
        if let cursor = change.cursor {
            let name = seal.name(cursor.service.array, in: "cursor")
            try tables.setCursor(name, to: cursor.position, goesBack: cursor.goesBack)
        }
        try storeRows(of: change)
        for id in change.forgotten { try forget(id) }
        if change.skippedPositions > 0 {
            lastEvent = try lastPosition() + change.skippedPositions
            feedHasChanged = true
        }
        return .committed(events: try change.events.map { event throws in try append(event) })
    }

    /// Writes what the batch shares. Nothing may be applied afterwards.
    package mutating func finish() throws {
        try tables.finish(lastEvent: feedHasChanged ? lastEvent : nil)
    }

    // MARK: Guards

    private mutating func conflict(of change: VaultChange) throws -> ChangeOutcome.Conflict? {
        if let update = change.relationship {
            let stored = try find(update.id)?.version
            guard stored == update.expectedVersion else { return .version(update.id, stored: stored) }
        }
        for hello in change.hellos where try isKnown(hello.hash.array, in: .hello) { return .hello(hello.hash) }
        for ticket in change.spentTickets where try isKnown(ticket.knock.digest.array, in: .ticket) {
            return .ticket(ticket.knock)
        }
        for row in change.idempotency where try isKnown(row.key, in: .idempotency) {
            return .idempotency(key: row.key)
        }
        return nil
    }

    private mutating func isKnown(_ key: [UInt8], in table: SealedTable) throws -> Bool {
        try tables.row(table.name(of: key, seal), in: table) != nil
    }

    private mutating func find(_ id: RelationshipID) throws -> Known? {
        if let known = relationships[id] { return known }
        let known = try tables.relationship(RelationshipPlace.name(of: id, seal))
        relationships[id] = .some(known)
        return known
    }

    private mutating func place(of id: RelationshipID) throws -> RelationshipPlace {
        guard let known = try find(id) else { throw StoreError.missing("relationship \(id)") }
        return known.place
    }

    // MARK: Relationship

    private mutating func apply(_ update: RelationshipUpdate) throws {
        let version = (update.expectedVersion ?? 0) + 1
        let place: RelationshipPlace
        switch (update.state, update.expectedVersion) {
        case (.set(let state), nil):
            let name = RelationshipPlace.name(of: update.id, seal)
            let sealed = sealed(state, of: update.id, name, version: version)
            place = try tables.insert(name, version: version, isTimed: update.isTimed, sealed: sealed)
        case (.set(let state), .some):
            place = try self.place(of: update.id)
            let sealed = sealed(state, of: update.id, place.name, version: version)
            try tables.update(place, version: version, isTimed: update.isTimed, sealed: sealed)
        case (.unchanged, .some):
            place = try self.place(of: update.id)
        case (.unchanged, nil), (.erased, _):
            throw StoreError.missing("the state of relationship \(update.id)")
        }
        switch update.channel {
        case .unchanged:
            // A new one has the version already.
            if update.expectedVersion != nil { try tables.setVersion(version, of: place) }
        case .set(let bytes):
            let sealed = seal.seal(bytes, at: RowPlace("channel", name: place.name, version: version))
            try tables.setChannel(sealed, version: version, of: place)
        case .erased:
            try tables.setChannel(nil, version: version, of: place)
        }
        try write(.auxiliary, update.auxiliary, version: version, of: place)
        try write(.resume, update.resume, version: version, of: place)
        relationships[update.id] = .some((place, version))
    }

    private func sealed(_ state: [UInt8], of id: RelationshipID, _ name: [UInt8], version: Int64) -> [UInt8] {
        seal.seal(id.digest.array + state, at: RowPlace("relationship", name: name, version: version))
    }

    private mutating func write(
        _ part: RelationshipPart, _ change: RelationshipUpdate.Part, version: Int64, of place: RelationshipPlace
    ) throws {
        switch change {
        case .unchanged: break
        case .set(let bytes):
            let sealed = seal.seal(bytes, at: RowPlace(part.table, name: place.name, version: version))
            try tables.set(part, sealed, version: version, of: place)
        case .erased:
            try tables.set(part, nil, version: version, of: place)
        }
    }

    private mutating func forget(_ id: RelationshipID) throws {
        try tables.delete(try place(of: id))
        relationships[id] = .some(nil)
    }

    // MARK: Ledger

    private mutating func append(_ entry: NewEntry) throws {
        let place = try place(of: entry)
        try rows.seal(at: place.sealed(version: 0)) { row in
            row.append(contentsOf: entry.hash.array)
            row.append(contentsOf: entry.bytes)
        }
        try tables.insert(place, sealed: rows.sealed)
    }

    private mutating func erase(_ entry: NewEntry) throws {
        let place = try place(of: entry)
        guard let stored = try tables.entry(place) else {
            throw StoreError.missing("record \(entry.sequence) of relationship \(entry.relationship)")
        }
        guard try seal.open(stored.sealed, at: place.sealed(version: stored.version)).starts(with: entry.hash.array)
        else { throw StoreError.duplicate("record \(entry.sequence) of relationship \(entry.relationship)") }
        let version = stored.version + 1
        let sealed = seal.seal(entry.hash.array + entry.bytes, at: place.sealed(version: version))
        try tables.update(place, version: version, sealed: sealed)
    }

    private mutating func place(of entry: NewEntry) throws -> EntryPlace {
        EntryPlace(
            relationship: try place(of: entry.relationship), direction: entry.direction, sequence: entry.sequence)
    }

    private mutating func remove(_ voided: VoidedEntries) throws {
        try tables.deleteEntries(
            from: EntryPlace(
                relationship: try place(of: voided.relationship), direction: voided.direction, sequence: voided.first))
    }

    // MARK: Outbox

    private mutating func adopt(_ adoption: QueueAdoption) throws {
        let outbox = try outbox(of: adoption.relationship, to: adoption.queue)
        try setConfirmed(adoption.queue.array + adoption.chain.array, next: adoption.next, in: outbox)
        try tables.deleteEnvelopes(through: EnvelopePlace(outbox, UInt64(Int64.max)))
    }

    private mutating func append(_ item: OutboxItem) throws {
        let place = EnvelopePlace(try outbox(of: item.relationship, to: item.queue), item.number)
        try tables.insert(
            place, sealed: seal.seal(item.queue.array + item.chain.array + item.envelope, at: place.sealed))
    }

    private mutating func confirm(_ confirmation: OutboxConfirmation) throws {
        let outbox = try outbox(of: confirmation.relationship, to: confirmation.queue)
        let place = EnvelopePlace(outbox, confirmation.through)
        // Confirmed before: the relay's second answer to the same bytes.
        guard let sealed = try tables.envelope(place) else { return }
        let item = try seal.open(sealed, at: place.sealed)
        try setConfirmed(Array(item.prefix(48)), next: confirmation.through + 1, in: outbox)
        try tables.deleteEnvelopes(through: place)
    }

    private mutating func outbox(of id: RelationshipID, to queue: QueueID) throws -> OutboxPlace {
        OutboxPlace(try place(of: id), queue.name(seal))
    }

    /// - Parameter content: queue and queue digest.
    private mutating func setConfirmed(_ content: [UInt8], next: UInt64, in outbox: OutboxPlace) throws {
        guard let version = Int64(exactly: next) else {
            throw StoreError.inputOutput("the number \(next) is too large")
        }
        let place = RowPlace("confirmed", name: outbox.relationship.name + outbox.queue, version: version)
        try tables.setConfirmed(seal.seal(content, at: place), next: version, in: outbox)
    }

    // MARK: Rows of the node

    private mutating func storeRows(of change: VaultChange) throws {
        for row in change.identities { try store(row.id.digest.array, row.bytes, in: .identity) }
        for row in change.invitations { try store(row.knock.digest.array, row.bytes, in: .invitation) }
        for row in change.bundles { try store(row.hash.array, row.bytes, expires: row.eraseAfter, in: .bundle) }
        for row in change.services { try store(row.key.array, row.bytes, in: .service) }
        for row in change.queues { try store(row) }
        for queue in change.closedQueues {
            let name = SealedTable.queue.name(of: queue.array, seal)
            try tables.untend(name)
            try tables.remove(name, from: .queue)
        }
        for row in change.transfers {
            let (table, other) =
                row.isOpen
                ? (SealedTable.transfer, SealedTable.endedTransfer) : (SealedTable.endedTransfer, SealedTable.transfer)
            try tables.remove(other.name(of: row.key.bytes, seal), from: other)
            try store(row.key.bytes, row.bytes, in: table)
        }
        for row in change.wallet { try store(row) }
        for row in change.hellos {
            let payload = row.relationship.digest.array
            guard try insert(row.hash.array, payload, expires: row.eraseAfter, in: .hello) else {
                throw StoreError.duplicate("a hello, twice in one change")
            }
        }
        for row in change.spentTickets {
            guard try insert(row.knock.digest.array, row.relationship.digest.array, in: .ticket) else {
                throw StoreError.duplicate("a ticket, twice in one change")
            }
        }
        for row in change.idempotency {
            guard try insert(row.key, row.result, expires: row.eraseAfter, in: .idempotency) else {
                throw StoreError.duplicate("an idempotency key, twice in one change")
            }
        }
    }

    private mutating func store(_ row: QueueRow) throws {
        let relationship = row.relationship.map { id in [1] + id.digest.array } ?? [0]
        let number = try store(row.id.array, relationship + row.bytes, in: .queue)
        let name = SealedTable.queue.name(of: row.id.array, seal)
        if let service = row.tendedBy {
            try tables.tend(name, row: number, by: seal.name(service.array, in: "tended"))
        } else {
            try tables.untend(name)
        }
    }

    private mutating func store(_ row: WalletRow) throws {
        let (table, key) = (SealedTable.wallet(row.key.table), row.key.bytes)
        guard let count = UInt8(exactly: key.count) else {
            throw StoreError.missing("a key of 1 to 255 bytes of a row of the wallet")
        }
        if let bytes = row.bytes {
            try store(key, payload: [count] + key + bytes, expires: nil, in: table)
        } else {
            try tables.remove(table.name(of: key, seal), from: table)
        }
    }

    /// Stores a row, whose payload begins with its key, in place of the one with this key, and tells its number.
    @discardableResult
    private mutating func store(
        _ key: [UInt8], _ bytes: [UInt8], expires: Timestamp? = nil, in table: SealedTable
    ) throws -> Int64 {
        try store(key, payload: key + bytes, expires: expires, in: table)
    }

    @discardableResult
    private mutating func store(
        _ key: [UInt8], payload: [UInt8], expires: Timestamp?, in table: SealedTable
    ) throws -> Int64 {
        let name = table.name(of: key, seal)
        guard var row = try tables.row(name, in: table) else {
            let sealed = seal.seal(payload, at: RowPlace(table.table, name: name, version: 1))
            guard let number = try tables.insert(name, in: table, expires: expires, sealed: sealed) else {
                throw StoreError.duplicate("table \(table.name)")
            }
            return number
        }
        row.version += 1
        let sealed = seal.seal(payload, at: RowPlace(table.table, name: name, version: row.version))
        try tables.replace(row, name, in: table, expires: expires, sealed: sealed)
        return row.row
    }

    /// Stores a new row; false, and nothing done, when the key is known already.
    private mutating func insert(
        _ key: [UInt8], _ payload: [UInt8], expires: Timestamp? = nil, in table: SealedTable
    ) throws -> Bool {
        let name = table.name(of: key, seal)
        let sealed = seal.seal(payload, at: RowPlace(table.table, name: name, version: 1))
        return try tables.insert(name, in: table, expires: expires, sealed: sealed) != nil
    }

    // MARK: Feed

    private mutating func lastPosition() throws -> Int64 {
        if let lastEvent { return lastEvent }
        let last = try tables.lastEvent()
        lastEvent = last
        return last
    }

    private mutating func append(_ event: EventDraft) throws -> Int64 {
        let position = try lastPosition() + 1
        try rows.seal(at: .event(position)) { row in
            row.append(event.relationship == nil ? 0 : 1)
            if let id = event.relationship { row.append(contentsOf: id.digest.array) }
            row.append(contentsOf: event.payload)
        }
        try tables.insertEvent(rows.sealed, at: position)
        lastEvent = position
        feedHasChanged = true
        return position
    }
}
