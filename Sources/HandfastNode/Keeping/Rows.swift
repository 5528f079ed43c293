internal import Handfast
internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// What the vault keeps of a service: one recipient's set of queues at the own relay.
struct KeptService: Codable, Hashable, Sendable {
    /// The relay, `host:port/key`.
    var relay: String
    /// The seed of the service's signing key, 32 bytes.
    var seed: [UInt8]
    /// The queue in which invitees knock; `nil` for a service that only receives.
    var knockQueue: [UInt8]?
    /// The identity that signs the bundles beside the knock queue.
    var signer: [UInt8]?
    /// Whether all relationships of this node receive by it: so for a public identity.
    var isShared: Bool
    /// Whether its one relationship ended and its queues are closed.
    var isClosed: Bool = false
    /// Whether a thief may know its seed, so that it only receives until everybody uses another.
    var isReplaced: Bool?
    /// What the relay was told last of what its knock queue lets come, and has confirmed; nil while it was told nothing.
    var toldOfStrangers: ReceptionChange?
    /// How far its queues are opened again at a relay that lost them; nil where that is done.
    var reopening: Reopening?

    /// How far the queues of all relationships are opened again.
    struct Reopening: Codable, Hashable, Sendable {
        /// The position of the last relationship that is done.
        var after: Int64 = 0
        /// Whether the relay was taken back, so that the channels are begun anew as well.
        var rejoins: Bool
    }
}

/// What the vault keeps of an own queue.
struct KeptQueue: Codable, Hashable, Sendable {
    /// The service that it belongs to.
    var service: [UInt8]
    /// The digest of the send capability; `nil` for a knock queue.
    var capability: [UInt8]?
    /// Whether the relationship ended and the relay is still to be told.
    var isClosing: Bool = false
    /// Whether the relay is to begin it anew, so that the peer, whose numbers are over then, asks for a new epoch.
    var beginsAnew: Bool?
}

/// What the vault keeps of an invitation that was made here.
struct KeptInvitation: Codable, Hashable, Sendable {
    /// The invitation as given away.
    var uri: String
    /// The own note on whom it is for.
    var label: String?
    /// When it was made, seconds since 1970.
    var created: UInt64
    /// After this time hellos with its ticket are refused.
    var expires: UInt64
    /// The service in whose knock queue its ticket counts.
    var service: [UInt8]
}

/// What the vault keeps of an identity.
struct KeptIdentity: Codable, Hashable, Sendable {
    /// What an identity is for.
    enum Use: String, Codable, Hashable, Sendable {
        /// Tied to a domain; signs bundles.
        case `public`
        /// Signs the bundles of one invitation.
        case invitation
        /// One relationship.
        case pairwise
    }

    /// What it is for.
    var use: Use
    /// Log and private keys.
    var secret: [UInt8]
    /// For a public identity: relationships up to this position of their list have been told of its latest key event;
    /// `nil` once all have.
    var toldThrough: Int64?
}

/// What the vault keeps of a bundle.
struct KeptBundle: Codable, Hashable, Sendable {
    /// The bundle as published.
    var bytes: [UInt8]
    /// The seed of its X-Wing key, 32 bytes.
    var seed: [UInt8]
    /// The service beside whose knock queue it lies.
    var service: [UInt8]
    /// The identity that signed it.
    var signer: [UInt8]
}

/// What the vault keeps of an event.
struct KeptEvent: Hashable, Sendable {
    /// Where a record stands that an event tells of.
    struct RecordPlace: Hashable, Sendable {
        /// The side that said it.
        var direction: SenderRole
        /// Its record hash; its number is in the detail.
        var hash: Digest
    }

    /// What happened.
    var kind: NodeEvent.Kind
    /// When, seconds since 1970.
    var time: UInt64
    /// What else is known.
    var detail: NodeEvent.Detail
    /// The record in the ledger that holds text, name or body of the detail; nil where the detail is complete.
    var record: RecordPlace?

    init(kind: NodeEvent.Kind, time: UInt64, detail: NodeEvent.Detail) {
        self.kind = kind
        self.time = time
        self.detail = detail
    }

    /// An event of a record that is in the ledger, where readers of the feed find what it says.
    init(kind: NodeEvent.Kind, time: UInt64, record entry: Entry) {
        self.kind = kind
        self.time = time
        detail = NodeEvent.Detail(of: entry.record)
        record = RecordPlace(direction: entry.record.direction, hash: entry.hash)
    }

    /// The row's bytes. Every message makes one, so that they are written by hand.
    func encoded() -> [UInt8] {
        let textCount = (detail.text?.utf8.count ?? 0) + (detail.body?.count ?? 0) + (detail.reason?.utf8.count ?? 0)
        var writer = CBORWriter(reservingCapacity: 192 + textCount)
        writer.writeMap { writer in
            writer.writeKey(1)
            writer.writeText(kind.rawValue)
            writer.writeKey(2)
            writer.writeUnsigned(time)
            if let sequence = detail.sequence {
                writer.writeKey(3)
                writer.writeUnsigned(sequence)
            }
            let texts = [detail.type, detail.thread, detail.text, detail.name, detail.reason]
            for (index, text) in texts.enumerated() {
                guard let text else { continue }
                writer.writeKey(4 + index)
                writer.writeText(text)
            }
            if let body = detail.body {
                writer.writeKey(9)
                writer.writeBytes(body)
            }
            if let record {
                writer.writeKey(10)
                writer.writeUnsigned(UInt64(record.direction.rawValue))
                writer.writeKey(11)
                writer.writeBytes(record.hash.bytes)
            }
        }
        return writer.bytes
    }

    /// Reads the row.
    ///
    /// - Throws: ``NodeError/damaged(_:)``
    init(decoding bytes: [UInt8]) throws(NodeError) {
        self = try NodeError.reading("event") {
            var reader = CBORReader(bytes.bytes, limits: CBORLimits(size: Self.maximumByteCount))
            var map = try reader.readIntegerMap(maximum: 11)
            try map.requireKey(1, &reader)
            guard let kind = NodeEvent.Kind(rawValue: try reader.readText(maximum: 64)) else {
                throw NodeError.damaged("kind of an event")
            }
            try map.requireKey(2, &reader)
            let time = try reader.readUnsigned()
            let sequence = try map.hasKey(3, &reader) ? reader.readUnsigned() : nil
            var texts: [String?] = []
            for key in 4...8 {
                texts.append(try map.hasKey(key, &reader) ? reader.readText(maximum: Self.maximumByteCount) : nil)
            }
            let body = try map.hasKey(9, &reader) ? reader.readByteArray(maximum: Self.maximumByteCount) : nil
            var record: RecordPlace?
            if try map.hasKey(10, &reader) {
                let direction: SenderRole = try reader.readUnsigned(maximum: 1) == 0 ? .invitee : .inviter
                try map.requireKey(11, &reader)
                record = RecordPlace(direction: direction, hash: Digest(try reader.readFixedBytes()))
            }
            try map.finish(&reader)
            try reader.finish()
            let detail = NodeEvent.Detail(
                sequence: sequence, type: texts[0], thread: texts[1], text: texts[2], name: texts[3], body: body,
                reason: texts[4])
            var event = KeptEvent(kind: kind, time: time, detail: detail)
            event.record = record
            return event
        }
    }

    private static let maximumByteCount = 1 << 18
}

/// Encoding of the rows that change rarely.
enum Row {
    static func encode(_ value: some Encodable) throws(NodeError) -> [UInt8] {
        do {
            return try CBOREncoder().encode(value)
        } catch {
            throw .badData("a row of the vault cannot be encoded: \(error)")
        }
    }

    static func decode<T: Decodable>(_ type: T.Type, _ bytes: [UInt8]) throws(NodeError) -> T {
        try NodeError.reading("\(type)") { try CBORDecoder().decode(type, from: bytes) }
    }
}
