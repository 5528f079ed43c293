public import HandfastStore

/// What a relay delivers to a subscriber, in batches as they come, to the end of the connection. One task at a time.
///
/// Messages that are taken and not acknowledged come again after the next subscription.
public struct RelayDeliveries: AsyncSequence, Sendable {
    private let exchange: RelayExchange

    init(_ exchange: RelayExchange) {
        self.exchange = exchange
    }

    /// The one iterator.
    public func makeAsyncIterator() -> Iterator {
        Iterator(exchange)
    }

    /// Gives out the batches.
    public struct Iterator: AsyncIteratorProtocol {
        private let exchange: RelayExchange

        init(_ exchange: RelayExchange) {
            self.exchange = exchange
        }

        /// Everything delivered since the last call, at least one message, in order of position; nil after
        /// ``RelayClient/shutDown()``.
        /// - Throws: ``RelayError`` when the connection ends otherwise
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(RelayError) -> [Delivery]? {
            try await exchange.nextDeliveries()
        }

        /// Everything delivered since the last call.
        public mutating func next() async throws(RelayError) -> [Delivery]? {
            try await exchange.nextDeliveries()
        }
    }
}
