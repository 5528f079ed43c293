package import HandfastChannel
internal import HandfastCrypto

/// What a vault's transaction needs of the tables below it; an engine supplies it, the transaction supplies the rules
/// and the seals.
///
/// Names are keyed digests, and every payload is sealed: an engine sees neither keys nor content.
package protocol VaultTables {
    // MARK: Relationships

    /// The relationship with a name and its version, or nil.
    mutating func relationship(_ name: [UInt8]) throws -> (place: RelationshipPlace, version: Int64)?
    /// Adds a relationship, and a channel of the same version that is empty.
    mutating func insert(_ name: [UInt8], version: Int64, isTimed: Bool, sealed: [UInt8]) throws -> RelationshipPlace
    mutating func update(_ place: RelationshipPlace, version: Int64, isTimed: Bool, sealed: [UInt8]) throws
    /// Counts the version on and leaves the channel as it is.
    mutating func setVersion(_ version: Int64, of place: RelationshipPlace) throws
    /// Writes the channel, or erases it.
    mutating func setChannel(_ sealed: [UInt8]?, version: Int64, of place: RelationshipPlace) throws
    /// Writes a row that changes seldom, or deletes it.
    mutating func set(
        _ part: RelationshipPart, _ sealed: [UInt8]?, version: Int64, of place: RelationshipPlace) throws
    /// Deletes a relationship with everything that hangs on it.
    mutating func delete(_ place: RelationshipPlace) throws

    // MARK: Ledger

    mutating func insert(_ entry: EntryPlace, sealed: [UInt8]) throws
    mutating func entry(_ entry: EntryPlace) throws -> (version: Int64, sealed: [UInt8])?
    mutating func update(_ entry: EntryPlace, version: Int64, sealed: [UInt8]) throws
    /// Deletes a record and all of its direction that follow it.
    mutating func deleteEntries(from entry: EntryPlace) throws

    // MARK: Outbox

    mutating func insert(_ envelope: EnvelopePlace, sealed: [UInt8]) throws
    mutating func envelope(_ envelope: EnvelopePlace) throws -> [UInt8]?
    /// Deletes an envelope and all of its queue that come before it.
    mutating func deleteEnvelopes(through envelope: EnvelopePlace) throws
    mutating func setConfirmed(_ sealed: [UInt8], next: Int64, in queue: OutboxPlace) throws

    // MARK: Rows of the node

    mutating func row(_ name: [UInt8], in table: SealedTable) throws -> SealedRow?
    /// Adds a row of version 1 and tells its number; nil, and nothing done, when the name is known already.
    mutating func insert(
        _ name: [UInt8], in table: SealedTable, expires: Timestamp?, sealed: [UInt8]
    ) throws -> Int64?
    mutating func replace(
        _ row: SealedRow, _ name: [UInt8], in table: SealedTable, expires: Timestamp?, sealed: [UInt8]) throws
    mutating func remove(_ name: [UInt8], from table: SealedTable) throws
    /// Has a service tend the queue with a name and a number.
    mutating func tend(_ queue: [UInt8], row: Int64, by service: [UInt8]) throws
    mutating func untend(_ queue: [UInt8]) throws
    mutating func setCursor(_ name: [UInt8], to position: UInt64, goesBack: Bool) throws

    // MARK: Feed

    /// The position of the last event before this transaction.
    mutating func lastEvent() throws -> Int64
    mutating func insertEvent(_ sealed: [UInt8], at position: Int64) throws
    /// Writes what the batch shares.
    ///
    /// - Parameter lastEvent: nil where the feed is as it was
    mutating func finish(lastEvent: Int64?) throws
}

/// Where a relationship is: the number that its other rows carry, and the name that their seals carry.
package struct RelationshipPlace: Sendable, Hashable {
    package let row: Int64
    package let name: [UInt8]

    package init(row: Int64, name: [UInt8]) {
        self.row = row
        self.name = name
    }

    /// The name by which a relationship's row is found.
    package static func name(of id: RelationshipID, _ seal: VaultSeal) -> [UInt8] {
        seal.name(id.digest.array, in: "relationship")
    }
}

/// What of a relationship has a row of its own because it changes seldom.
package enum RelationshipPart: Sendable {
    case auxiliary, resume

    package var table: StaticString {
        switch self {
        case .auxiliary: "auxiliary"
        case .resume: "resume"
        }
    }
}

/// Where a record of a ledger is.
package struct EntryPlace: Sendable {
    package let relationship: RelationshipPlace
    package let direction: SenderRole
    package let sequence: UInt64

    func sealed(version: Int64) -> RowPlace { .entry(relationship.name, direction, sequence, version: version) }
}

/// One queue that a relationship sends to, by its name.
package struct OutboxPlace: Sendable, Hashable {
    package let relationship: RelationshipPlace
    package let queue: [UInt8]

    package init(_ relationship: RelationshipPlace, _ queue: [UInt8]) {
        self.relationship = relationship
        self.queue = queue
    }
}

/// Where an envelope of the outbox is.
package struct EnvelopePlace: Sendable, Hashable {
    package let outbox: OutboxPlace
    package let number: UInt64

    package init(_ outbox: OutboxPlace, _ number: UInt64) {
        self.outbox = outbox
        self.number = number
    }

    var sealed: RowPlace { .outbox(outbox.relationship.name, outbox.queue, number) }
}

/// A row of a sealed table: its number and its version.
package struct SealedRow: Sendable {
    package let row: Int64
    package var version: Int64

    package init(row: Int64, version: Int64) {
        self.row = row
        self.version = version
    }
}
