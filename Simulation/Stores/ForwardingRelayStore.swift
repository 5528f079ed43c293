public import HandfastChannel
public import HandfastCrypto
public import HandfastStore

/// A relay's store in front of another; whoever conforms says only what it does otherwise.
public protocol ForwardingRelayStore: RelayStore {
    /// The store behind it.
    var behind: MemoryRelayStore { get }
}

extension ForwardingRelayStore {
    /// As behind it.
    public func commit(_ writes: [RelayWrite]) async throws(StoreError) -> [RelayOutcome] {
        try await behind.commit(writes)
    }

    /// As behind it.
    public func deliveries(
        to service: VerificationKey, after position: UInt64, limit: Int, bytes: Int
    ) async throws(StoreError) -> [Delivery] {
        try await behind.deliveries(to: service, after: position, limit: limit, bytes: bytes)
    }

    /// As behind it.
    public func bundle(of queue: QueueID, at now: Timestamp) async throws(StoreError) -> [UInt8]? {
        try await behind.bundle(of: queue, at: now)
    }

    /// As behind it.
    public func expire(
        storedBefore moment: Timestamp, at now: Timestamp, limit: Int
    ) async throws(StoreError) -> Expiry {
        try await behind.expire(storedBefore: moment, at: now, limit: limit)
    }

    /// As behind it.
    public func kept() async throws(StoreError) -> RelayKept { try await behind.kept() }

    /// As behind it.
    public func close() async { await behind.close() }
}
