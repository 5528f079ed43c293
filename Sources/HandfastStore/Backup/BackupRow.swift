public import HandfastChannel
public import HandfastCrypto

/// What a backup keeps of a vault, row by row.
///
/// Left out by their nature are channels, outboxes, bundles, invitations, tickets, replay entries and idempotency keys.
///
/// - Source: Spec/08 §8.6
public enum BackupRow: Sendable, Equatable {
    /// A service at a relay, and how far it has been received.
    case service(VerificationKey, cursor: UInt64, bytes: [UInt8])
    /// An identity with its keys.
    case identity(IdentityID, bytes: [UInt8])
    /// A queue of the node's own; `relationship` is nil for a knock queue.
    case queue(QueueID, relationship: RelationshipID?, bytes: [UInt8])
    /// A relationship without its channel, its resume secrets, and what relays have confirmed to it.
    case relationship(RelationshipID, state: [UInt8], resume: [UInt8]?, heads: [BackupQueueHead])
    /// A record of a ledger.
    case record(NewEntry)
    /// A row of the wallet.
    case wallet(WalletKey, bytes: [UInt8])
    /// How far an attachment has come.
    case transfer(TransferKey, isOpen: Bool, bytes: [UInt8])
    /// An event of the feed.
    case event(position: Int64, relationship: RelationshipID?, payload: [UInt8])
    /// A file of the vault's folder.
    case file(name: String, bytes: [UInt8])
}

/// How far a queue of a peer has come.
public struct BackupQueueHead: Sendable, Equatable {
    /// The queue.
    public let queue: QueueID
    /// The relay's next number.
    public let next: UInt64
    /// The queue digest at that number.
    public let chain: Digest

    /// Names the queue and how far it has come.
    public init(queue: QueueID, next: UInt64, chain: Digest) {
        self.queue = queue
        self.next = next
        self.chain = chain
    }
}

extension BackupRow {
    /// The kinds of rows, as numbers.
    enum Kind: UInt8, CaseIterable {
        case part = 0
        case service = 1
        case identity = 2
        case queue = 3
        case relationship = 4
        case record = 5
        case wallet = 6
        case transfer = 7
        case event = 8
        case file = 9
    }

    var kind: Kind {
        switch self {
        case .service: .service
        case .identity: .identity
        case .queue: .queue
        case .relationship: .relationship
        case .record: .record
        case .wallet: .wallet
        case .transfer: .transfer
        case .event: .event
        case .file: .file
        }
    }
}
