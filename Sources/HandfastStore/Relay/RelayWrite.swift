public import HandfastChannel
public import HandfastCrypto

/// One request that changes what a relay keeps.
///
/// Whether the connection may speak for `service` is decided before: the store checks only who owns what.
///
/// - Source: Spec/07
public enum RelayWrite: Sendable, Equatable {
    /// Tells where the service stands: at 0 where it has no queue.
    case attach(service: VerificationKey)
    /// Opens queues, or replaces the capability of queues that this service has. The first makes the service, whose
    /// positions begin above `after`: whoever was connected while it was forgotten has those below. Unless `mayAdd`, all
    /// of them have to be there already.
    case open(service: VerificationKey, queues: [QueueOpening], after: UInt64 = 0, mayAdd: Bool = true)
    /// Sets the knocks that a knock queue accepts.
    case admit(service: VerificationKey, queue: QueueID, knocks: [Knock])
    /// Replaces the bundles of a queue.
    case publish(service: VerificationKey, queue: QueueID, bundles: [PublishedBundle])
    /// Stores a hello for the owner of a knock queue, once per hash.
    case knock(queue: QueueID, knock: Knock, hash: Digest, hello: [UInt8], at: Timestamp)
    /// Appends envelopes to a queue; without envelopes it asks for next number and digest.
    case put(queue: QueueID, capability: Digest, first: UInt64, envelopes: [[UInt8]], at: Timestamp)
    /// Moves the cursor of a service and deletes everything up to it.
    case acknowledge(service: VerificationKey, position: UInt64)
    /// Sets the policies of queues, in place of those before.
    case policy(service: VerificationKey, settings: [PolicySetting], at: Timestamp)
    /// Closes queues for good; what waits in them is still delivered.
    case close(service: VerificationKey, queues: [QueueID], at: Timestamp)
}

/// A queue to open.
public struct QueueOpening: Sendable, Equatable {
    /// What a queue receives.
    public enum Kind: Sendable, Equatable {
        /// Hellos of those who hold an admitted ticket.
        case knock
        /// Envelopes of the one who holds the capability with this digest.
        case send(capability: Digest)
        /// The same, from number 0 on whatever came before: the sender learns that what it knew of the queue is over.
        case sendAnew(capability: Digest)
    }

    /// The queue.
    public var id: QueueID
    /// What it receives.
    public var kind: Kind

    /// Makes an opening.
    public init(id: QueueID, kind: Kind) {
        self.id = id
        self.kind = kind
    }
}

/// The policy of one queue.
public struct PolicySetting: Sendable, Equatable {
    /// The queue.
    public var id: QueueID
    /// What its owner lets come.
    public var policy: QueuePolicy

    /// Makes a setting.
    public init(id: QueueID, policy: QueuePolicy) {
        self.id = id
        self.policy = policy
    }
}

/// A bundle beside a knock queue.
public struct PublishedBundle: Sendable, Equatable {
    /// From when it is shown before others.
    public var notBefore: Timestamp
    /// Until when.
    public var expires: Timestamp
    /// The signed bundle, opaque to the relay.
    public var bytes: [UInt8]

    /// Makes a bundle to publish.
    public init(notBefore: Timestamp, expires: Timestamp, bytes: [UInt8]) {
        self.notBefore = notBefore
        self.expires = expires
        self.bytes = bytes
    }
}

/// What became of one request of a batch.
public enum RelayOutcome: Sendable, Equatable {
    /// The service stands here; the connection may speak for it.
    case attached(acknowledged: UInt64, last: UInt64)
    /// Done, and durable.
    case done
    /// What a put came to; the arrival is nil when nothing was stored.
    case put(PutResult, Arrival?)
    /// The hello was stored.
    case knocked(Arrival)
    /// A hello that is stored already or was: nothing changed.
    case repeated
    /// Unknown queue, not this service's, wrong capability or knock: one answer for all.
    case refused
    /// A limit would be passed.
    case limit
    /// The service keeps as much as one service may.
    case serviceFull
    /// What the relay has left is promised to queues that are there.
    case relayFull
    /// The queue was closed by its owner.
    case closed
    /// Not now: the queue is paused, too much comes, or too many queues were opened.
    case busy
}

/// Something new waits for a service: its subscribers may be woken.
public struct Arrival: Sendable, Hashable {
    /// The service.
    public let service: VerificationKey
    /// The position of the last message that waits for it.
    public let last: UInt64
}

/// The relay's answer to one item of a put.
public struct PutResult: Sendable, Hashable {
    /// How an item of a put ended; the raw values stand on the wire.
    public enum Status: UInt8, Sendable, Hashable, CaseIterable {
        /// Stored durably, with everything before.
        case ok = 0
        /// The first number is below the next: nothing stored.
        case behind = 1
        /// The first number is above the next: nothing stored.
        case gap = 2
        /// Unknown queue or wrong capability.
        case refused = 3
        /// The queue has no room for the whole item: nothing stored.
        case full = 4
        /// The queue was closed by its owner.
        case closed = 5
        /// An envelope is larger than the relay or the queue's owner takes: nothing stored.
        case tooLarge = 6
        /// The queue's owner takes nothing for now: nothing stored.
        case paused = 7
        /// More than the rate of the queue allows now: nothing stored.
        case throttled = 8
    }

    /// How it ended.
    public let status: Status
    /// The number that the queue expects next; 0 where the capability did not hold.
    public let next: UInt64
    /// The queue digest before that number; zeros where the capability did not hold.
    public let digest: Digest
    /// Messages of the queue that expired unread since it was opened.
    public let expired: UInt64
    /// How many messages the rate allows now; 0 unless throttled.
    public let room: Int
    /// Seconds until the rate allows one message; 0 unless throttled.
    public let wait: Int

    /// Makes a result.
    public init(
        status: Status, next: UInt64, digest: Digest, expired: UInt64 = 0, room: Int = 0, wait: Int = 0
    ) {
        self.status = status
        self.next = next
        self.digest = digest
        self.expired = expired
        self.room = room
        self.wait = wait
    }
}
