internal import Handfast
internal import HandfastCrypto
internal import HandfastRelay
internal import HandfastStore

/// One connection to a relay as delivery sees it: a ``RelayClient``, or a simulated relay in tests.
protocol RelayPort: Sendable {
    /// Speaks for a service from now on; the position up to which everything is acknowledged, and that of the last
    /// message.
    func attach(_ service: borrowing SigningKey) async throws(RelayError) -> (acknowledged: UInt64, last: UInt64)
    /// Opens queues, which changes nothing where they are open.
    func open(_ queues: [QueueOpening]) async throws(RelayError)
    /// Sets the knocks that a knock queue accepts.
    func admit(_ knocks: [Knock], to queue: QueueID) async throws(RelayError)
    /// Sets the bundles beside a knock queue.
    func publish(_ bundles: [PublishedBundle], beside queue: QueueID) async throws(RelayError)
    /// The bundle in force beside a knock queue.
    func fetchBundle(of queue: QueueID) async throws(RelayError) -> [UInt8]
    /// Leaves a hello for the owner of a knock queue.
    func knock(_ knock: Knock, at queue: QueueID, hello: [UInt8]) async throws(RelayError)
    /// Appends envelopes to queues; one result for each item.
    func put(_ items: [PutItem]) async throws(RelayError) -> [PutResult]
    /// Has everything above a position delivered; each call of the result gives all that came since the last one.
    func deliveries(
        after position: UInt64
    ) async throws(RelayError) -> @Sendable () async throws(RelayError) -> [Delivery]?
    /// Has everything up to a position deleted.
    func acknowledge(through position: UInt64) async throws(RelayError)
    /// Closes queues for good.
    func close(_ queues: [QueueID]) async throws(RelayError)
    /// Ends the connection.
    func shutDown() async
}

/// Makes connections to relays.
typealias RelayConnector = @Sendable (RelayAddress) async throws -> any RelayPort

extension RelayClient: RelayPort {
    func deliveries(
        after position: UInt64
    ) async throws(RelayError) -> @Sendable () async throws(RelayError) -> [Delivery]? {
        let deliveries = try await subscribe(after: position)
        return { () async throws(RelayError) in
            var iterator = deliveries.makeAsyncIterator()
            return try await iterator.next()
        }
    }
}
