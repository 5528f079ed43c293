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
struct KeptEvent: Codable, Hashable, Sendable {
    /// What happened.
    var kind: NodeEvent.Kind
    /// When, seconds since 1970.
    var time: UInt64
    /// What else is known.
    var detail: NodeEvent.Detail
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
