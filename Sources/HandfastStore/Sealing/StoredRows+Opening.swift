package import HandfastChannel
internal import HandfastCrypto

extension StoredRelationship {
    /// The columns that make one, of tables relationship `r`, channel `c`, auxiliary `a` and resume `s`.
    package static let columns =
        "r.version, r.sealed, c.version, c.written, c.sealed, a.version, a.sealed, s.version, s.sealed"

    /// Opens a row with the columns of ``columns``.
    package init(_ row: some EngineRow, _ id: RelationshipID, _ seal: VaultSeal) throws(StoreError) {
        let name = RelationshipPlace.name(of: id, seal)
        let place = RowPlace("relationship", name: name, version: try row.number(0, of: "relationship"))
        var state = Payload(try seal.open(row.bytes(1, of: "relationship"), at: place), of: place)
        guard try state.digest() == id.digest else { throw .corrupted(place.text) }
        func part(_ table: StaticString, _ version: Int, _ sealed: Int) throws(StoreError) -> [UInt8]? {
            guard let bytes = try row.optionalBytes(sealed, of: table) else { return nil }
            return try seal.open(bytes, at: RowPlace(table, name: name, version: row.number(version, of: table)))
        }
        self.init(
            id: id, version: try row.number(2, of: "channel"), state: state.rest, channel: try part("channel", 3, 4),
            auxiliary: try part("auxiliary", 5, 6), resume: try part("resume", 7, 8))
    }
}

extension RelationshipSummary {
    /// Opens a row with the columns row, name, version and sealed of table relationship, and version of table channel.
    package init(_ row: some EngineRow, _ seal: VaultSeal) throws(StoreError) {
        var state = try Payload(ofRelationship: row, seal)
        self.init(
            position: try row.number(0, of: "relationship"), id: RelationshipID(try state.digest()),
            version: try row.number(4, of: "channel"), state: state.rest)
    }
}

extension RelationshipReference {
    /// Opens a row with the columns row, name, version and sealed of table relationship.
    package init(_ row: some EngineRow, _ seal: VaultSeal) throws(StoreError) {
        var state = try Payload(ofRelationship: row, seal)
        self.init(position: try row.number(0, of: "relationship"), id: RelationshipID(try state.digest()))
    }
}

extension Payload {
    fileprivate init(ofRelationship row: some EngineRow, _ seal: VaultSeal) throws(StoreError) {
        let place = RowPlace(
            "relationship", name: try row.bytes(1, of: "relationship"), version: try row.number(2, of: "relationship"))
        self.init(try seal.open(row.bytes(3, of: "relationship"), at: place), of: place)
    }
}

extension StoredEntry {
    /// Opens a row with the columns sequence, version and sealed of table entry.
    package init(
        _ row: some EngineRow, of relationship: RelationshipPlace, _ direction: SenderRole, _ seal: VaultSeal
    ) throws(StoreError) {
        let sequence = try row.count(0, of: "entry")
        let place = RowPlace.entry(relationship.name, direction, sequence, version: try row.number(1, of: "entry"))
        var entry = Payload(try seal.open(row.bytes(2, of: "entry"), at: place), of: place)
        self.init(sequence: sequence, hash: try entry.digest(), bytes: entry.rest)
    }
}

extension OutboxItem {
    /// Opens a row with the columns queue, number and sealed of table outbox.
    package init(
        _ row: some EngineRow, of id: RelationshipID, _ relationship: RelationshipPlace, _ seal: VaultSeal
    ) throws(StoreError) {
        let number = try row.count(1, of: "outbox")
        let place = RowPlace.outbox(relationship.name, try row.bytes(0, of: "outbox"), number)
        var item = Payload(try seal.open(row.bytes(2, of: "outbox"), at: place), of: place)
        self.init(
            relationship: id, queue: try item.queue(), number: number, chain: try item.digest(), envelope: item.rest)
    }
}

extension StoredEvent {
    /// Opens a row with the columns position and sealed of table event.
    package init(_ row: some EngineRow, _ seal: VaultSeal) throws(StoreError) {
        let position = try row.number(0, of: "event")
        var event = Payload(try seal.open(row.bytes(1, of: "event"), at: .event(position)), of: .event(position))
        self.init(position: position, relationship: try event.optionalRelationship(), payload: event.rest)
    }
}
