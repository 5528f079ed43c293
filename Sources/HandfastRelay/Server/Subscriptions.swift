internal import HandfastCrypto
internal import HandfastStore
internal import Synchronization

/// Who waits for messages of which service, and what was stored for them lately.
final class Subscriptions: Sendable {
    private let subscribers = Mutex<[VerificationKey: [Subscription]]>([:])
    private let recent: RecentMessages?

    /// - Parameter isAlone: whether nobody else changes the store: what is remembered here would otherwise be delivered
    ///   although another process has deleted it.
    init(isAlone: Bool = true) {
        recent = isAlone ? RecentMessages() : nil
    }

    func add(_ subscription: Subscription) {
        subscribers.withLock { $0[subscription.service, default: []].append(subscription) }
    }

    func remove(_ subscription: Subscription) {
        subscribers.withLock { subscribers in
            let left = (subscribers[subscription.service] ?? []).filter { $0 !== subscription }
            subscribers[subscription.service] = left.isEmpty ? nil : left
        }
    }

    /// These messages of a service are committed, in order of position and after all before them.
    func store(_ messages: [Delivery], of service: VerificationKey) {
        guard let last = messages.last else { return }
        recent?.append(messages, of: service)
        for subscription in of(service) { subscription.reach(last.position) }
    }

    /// The store has deleted messages of a service, and has a notice about it.
    func forget(_ arrival: Arrival) {
        recent?.forget(arrival.service)
        for subscription in of(arrival.service) { subscription.reach(arrival.last) }
    }

    /// The services that somebody waits for.
    var services: [VerificationKey] { subscribers.withLock { Array($0.keys) } }

    /// The store tells how far a service has come, whoever stored it.
    func reach(_ service: VerificationKey, _ last: UInt64) {
        for subscription in of(service) { subscription.reach(last) }
    }

    /// The owner of a service has asked to move its cursor.
    func openWindow(_ service: VerificationKey, through position: UInt64) {
        for subscription in of(service) { subscription.openWindow(through: position) }
    }

    /// A service's cursor was moved.
    func acknowledge(_ service: VerificationKey, through position: UInt64) {
        recent?.acknowledge(service, through: position)
        for subscription in of(service) { subscription.acknowledge(through: position) }
    }

    /// Messages for a subscription that were stored lately; none if the store has to be asked.
    func recent(for service: VerificationKey, after position: UInt64, limit: Int, bytes: Int) -> [Delivery] {
        recent?.deliveries(to: service, after: position, limit: limit, bytes: bytes) ?? []
    }

    private func of(_ service: VerificationKey) -> [Subscription] {
        subscribers.withLock { $0[service] ?? [] }
    }
}

/// One connection's subscription.
final class Subscription: Sendable {
    let service: VerificationKey
    let wakeUp = WakeUp()
    private let window: Mutex<DeliveryWindow>

    init(service: VerificationKey, after position: UInt64) {
        self.service = service
        window = Mutex(DeliveryWindow(after: position))
    }

    /// The owner has everything up to a position, whether or not that is committed here: more may be on its way.
    func openWindow(through position: UInt64) {
        window.withLock { $0.open(through: position) }
        wakeUp.call()
    }

    func acknowledge(through position: UInt64) {
        window.withLock { $0.acknowledge(through: position) }
        wakeUp.call()
    }

    /// The service has something up to this position.
    func reach(_ last: UInt64) {
        let isBehind = window.withLock { $0.reach(last) }
        if isBehind { wakeUp.call() }
    }

    /// Delivers until the task is cancelled or the link ends.
    func run(
        from store: any RelayStore, and subscriptions: Subscriptions, metrics: RelayMetrics,
        _ send: ([[UInt8]]) async throws -> Void
    ) async throws {
        // Only the store knows what is acknowledged, and what was there before.
        var (hasAsked, mayHaveMore) = (false, true)
        while !Task.isCancelled {
            let (next, room, isBehind) = window.withLock { ($0.next, $0.room, $0.isBehind) }
            guard let room else {
                await wakeUp.wait()
                continue
            }
            var deliveries: [Delivery] = []
            if hasAsked {
                deliveries = subscriptions.recent(
                    for: service, after: next, limit: room.messages, bytes: room.bytes)
            }
            if deliveries.isEmpty, mayHaveMore || isBehind {
                deliveries = try await store.deliveries(
                    to: service, after: next, limit: room.messages, bytes: room.bytes)
                (hasAsked, mayHaveMore) = (true, !deliveries.isEmpty)
            }
            guard !deliveries.isEmpty else {
                await wakeUp.wait()
                continue
            }
            window.withLock { $0.deliver(deliveries) }
            try await send(DeliveryWindow.pushes(deliveries).map { $0.encoded() })
            metrics.delivered(deliveries)
        }
    }
}
