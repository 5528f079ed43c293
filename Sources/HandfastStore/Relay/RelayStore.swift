public import HandfastChannel
public import HandfastCrypto

/// What a relay keeps: services, their queues, and the messages that wait in them.
///
/// - Source: Spec/07, Spec/08 §8.4
public protocol RelayStore: Sendable {
    /// Applies the requests of many connections in one transaction with one flush, and returns when it is durable.
    ///
    /// - Parameter writes: applied in order; a later one sees the earlier ones.
    /// - Returns: one outcome per request, in the same order. A request that is not allowed stores nothing and does not
    ///   touch the others.
    /// - Throws: any ``StoreError``; then nothing of the batch is acknowledged.
    func commit(_ writes: [RelayWrite]) async throws(StoreError) -> [RelayOutcome]

    /// Messages of a service above a position, in order of position.
    ///
    /// - Parameters:
    ///   - position: messages at or below it, or at or below what is acknowledged, are left out.
    ///   - limit: messages at most, 1…10,000.
    ///   - bytes: ends after the message that reaches this many bytes of content, so that one always comes.
    func deliveries(
        to service: VerificationKey, after position: UInt64, limit: Int, bytes: Int
    ) async throws(StoreError) -> [Delivery]

    /// The bundle that a queue shows at a time: the one in force, else the last to expire; nil when none is published
    /// or there is no such open queue.
    func bundle(of queue: QueueID, at now: Timestamp) async throws(StoreError) -> [UInt8]?

    /// Deletes messages that were stored before a moment, the oldest first, those whose queue's own retention is over,
    /// empty queues that were closed before the moment, and services with their last queue. Owners get a notice.
    ///
    /// - Parameters:
    ///   - moment: the relay's retention ago.
    ///   - now: the present moment, by which the retention of queues is judged.
    ///   - limit: messages, and queues, deleted at most in this one transaction, 1…10,000.
    /// - Returns: what was deleted; call again while there is ``Expiry/more``.
    func expire(storedBefore moment: Timestamp, at now: Timestamp, limit: Int) async throws(StoreError) -> Expiry

    /// What the relay keeps altogether.
    func kept() async throws(StoreError) -> RelayKept

    /// How often to ask for what other processes have stored; nil where nobody else can.
    var pollInterval: Duration? { get }

    /// The position of the last message of each of these services that the store knows.
    func lastPositions(of services: [VerificationKey]) async throws(StoreError) -> [VerificationKey: UInt64]

    /// Ends the use of the store; later calls throw ``StoreError/closed``.
    func close() async
}

extension RelayStore {
    /// Nil: nobody else stores anything here.
    public var pollInterval: Duration? { nil }

    /// None: nobody else stores anything here.
    public func lastPositions(of services: [VerificationKey]) async throws(StoreError) -> [VerificationKey: UInt64] {
        [:]
    }
}

/// One message, or one notice about messages, on its way to the owner of a service.
public struct Delivery: Sendable, Equatable {
    /// What comes.
    public enum Content: Sendable, Equatable {
        /// The envelope or hello.
        case message([UInt8])
        /// What became of messages that do not come.
        case notice(QueueNotice)
    }

    /// Its place among everything the service ever received, from 1.
    public let position: UInt64
    /// The queue it came by.
    public let queue: QueueID
    /// What it is.
    public let content: Content

    /// The envelope or hello; empty for a notice.
    public var bytes: [UInt8] {
        if case .message(let bytes) = content { bytes } else { [] }
    }

    /// Bytes of the envelope or hello; 0 for a notice.
    public var byteCount: Int {
        if case .message(let bytes) = content { bytes.count } else { 0 }
    }

    /// Makes a message as it came from a relay.
    public init(position: UInt64, queue: QueueID, bytes: [UInt8]) {
        self.init(position: position, queue: queue, .message(bytes))
    }

    /// Makes what came from a relay.
    public init(position: UInt64, queue: QueueID, _ content: Content) {
        self.position = position
        self.queue = queue
        self.content = content
    }
}

/// What a relay keeps altogether.
public struct RelayKept: Sendable, Equatable {
    /// Bytes, as ``RelayLimits/totalBytes`` counts them.
    public var bytes: Int
    /// Open queues.
    public var queues: Int

    /// Makes a count.
    public init(bytes: Int = 0, queues: Int = 0) {
        self.bytes = bytes
        self.queues = queues
    }
}

/// What one run of expiry deleted.
public struct Expiry: Sendable, Equatable {
    /// How many messages were deleted.
    public let deleted: Int
    /// How many closed queues were deleted.
    public let queues: Int
    /// Services that have a notice about it.
    public let arrivals: Set<Arrival>
    /// Whether the limit was reached, so that there may be more to delete.
    public let more: Bool
}

/// The sizes that the store itself enforces, because only it knows the counts.
///
/// - Source: Spec/07, limits
public struct RelayLimits: Sendable, Equatable {
    /// Messages that wait in one queue at most.
    public var queueMessages = 10_000
    /// Bytes of content that wait in one queue at most.
    public var queueBytes = 64 << 20
    /// Queues of one service at most; closed ones do not count.
    public var queuesPerService = 1_000_000
    /// Bytes that the relay keeps altogether at most: content of messages and bundles, and for each message, queue,
    /// knock and service what its row takes, rounded up.
    public var totalBytes = 64 << 30
    /// Bytes that one service keeps with all its queues at most, counted in the same way.
    public var serviceBytes = 8 << 30
    /// Bytes that every open queue may hold whatever others have taken, counted in the same way but for the queue's row.
    ///
    /// Nothing else gets this room, and at most half of ``totalBytes`` is promised so: with that, no more queues are opened.
    public var reservedPerQueue = 8 << 10
    /// Different hellos stored for one knock at most.
    public var hellosPerKnock = 4
    /// Knocks that one queue admits at most.
    public var admittedKnocks = 10_000
    /// Different hellos that one knock queue takes an hour, 1…3,600,000, whatever its owner allows.
    public var hellosPerHour = 36_000
    /// Different hellos that it takes at once after a silence, 1…10,000.
    public var helloBurst = 10_000
    /// Different hellos for one knock that may come at once.
    public var hellosPerKnockAtOnce = 2
    /// Seconds between further ones, at least.
    public var secondsBetweenHellos: UInt64 = 60
    /// Seconds between two notices to one owner that senders to one queue were turned away, at least.
    public var secondsBetweenRefusalNotices: UInt64 = 3_600

    /// The latest time that a published bundle may name, because every engine can store it.
    package static let latestTime = Timestamp(seconds: UInt64(Int64.max))

    /// The highest position that a service may begin after, because every engine can store many more.
    static let latestPosition: UInt64 = 1 << 62

    /// What a message takes beside its content, in bytes.
    static let messageCost = 128
    /// What an empty queue takes, in bytes, and as much a service.
    static let queueCost = 256
    /// What an admitted knock takes with its hellos' hashes, in bytes.
    static let knockCost = 512

    /// The limits of Spec/07.
    public static let standard = RelayLimits()

    /// The limits of a relay that shares its disk with the vault of the one node that it serves: 4 GiB altogether, all
    /// of it for any queue of that node's.
    public static var ofOneNode: RelayLimits {
        var limits = RelayLimits()
        limits.totalBytes = 4 << 30
        limits.serviceBytes = limits.totalBytes
        limits.reservedPerQueue = 0
        return limits
    }

    /// Open queues of the whole relay at most; nil where none has room of its own.
    public var openQueues: Int? { reservedPerQueue == 0 ? nil : totalBytes / 2 / reservedPerQueue }

    /// Makes the standard limits, to be changed.
    public init() {}
}
