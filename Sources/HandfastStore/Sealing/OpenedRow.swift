package import HandfastChannel
internal import HandfastCrypto

/// A sealed row of an engine, opened.
package struct OpenedRow {
    package let position: Int64
    package let payload: [UInt8]
    package let expires: Timestamp?

    package init(position: Int64, payload: [UInt8], expires: Timestamp?) {
        self.position = position
        self.payload = payload
        self.expires = expires
    }
}

extension StoredIdentity {
    package init(_ row: OpenedRow) throws {
        var payload = Payload(row.payload, of: "identity")
        self.init(position: row.position, id: IdentityID(try payload.digest()), bytes: payload.rest)
    }
}

extension StoredBundle {
    package init(_ row: OpenedRow) throws {
        var payload = Payload(row.payload, of: "bundle")
        self.init(
            position: row.position, hash: try payload.digest(), bytes: payload.rest,
            eraseAfter: row.expires ?? Timestamp(seconds: 0))
    }
}

extension StoredQueue {
    package init(_ row: OpenedRow) throws {
        var payload = Payload(row.payload, of: "queue")
        let id = try payload.queue()
        self.init(
            position: row.position, id: id, relationship: try payload.optionalRelationship(), bytes: payload.rest)
    }
}

extension StoredWalletRow {
    package init(_ row: OpenedRow, of table: WalletTable) throws {
        var payload = Payload(row.payload, of: "wallet")
        let count = Int(try payload.byte())
        let rest = payload.rest
        guard rest.count >= count else { throw StoreError.corrupted("a row of table \(table)") }
        self.init(
            position: row.position, key: WalletKey(table, Array(rest.prefix(count))),
            bytes: Array(rest.dropFirst(count)))
    }
}

extension StoredTransfer {
    package init(_ row: OpenedRow) throws {
        let (key, rest) = try TransferKey.taking(from: row.payload)
        self.init(position: row.position, key: key, bytes: rest)
    }
}

extension StoredInvitation {
    package init(_ row: OpenedRow, spentBy spender: RelationshipID?) throws {
        var payload = Payload(row.payload, of: "invitation")
        self.init(position: row.position, knock: Knock(try payload.digest()), bytes: payload.rest, spentBy: spender)
    }
}

extension StoredService {
    package init(_ row: OpenedRow, cursor: UInt64) throws {
        var payload = Payload(row.payload, of: "service")
        self.init(position: row.position, key: try payload.key(), bytes: payload.rest, cursor: cursor)
    }
}
