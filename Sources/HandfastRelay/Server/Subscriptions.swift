internal import HandfastCrypto
internal import HandfastStore
internal import Synchronization

/// Who waits for messages of which service.
final class Subscriptions: Sendable {
    private let subscribers = Mutex<[VerificationKey: [Subscription]]>([:])

    func add(_ subscription: Subscription) {
        subscribers.withLock { $0[subscription.service, default: []].append(subscription) }
    }

    func remove(_ subscription: Subscription) {
        subscribers.withLock { subscribers in
            let left = (subscribers[subscription.service] ?? []).filter { $0 !== subscription }
            subscribers[subscription.service] = left.isEmpty ? nil : left
        }
    }

    /// Something new waits for a service.
    func wake(_ service: VerificationKey) {
        for subscription in of(service) { subscription.wakeUp.call() }
    }

    /// The services that somebody waits for.
    var services: [VerificationKey] { subscribers.withLock { Array($0.keys) } }

    /// The store tells how far a service has come, whoever stored it.
    func reach(_ service: VerificationKey, _ last: UInt64) {
        for subscription in of(service) where subscription.isBehind(last) { subscription.wakeUp.call() }
    }

    /// A service's cursor was moved.
    func acknowledge(_ service: VerificationKey, through position: UInt64) {
        for subscription in of(service) { subscription.acknowledge(through: position) }
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

    func acknowledge(through position: UInt64) {
        window.withLock { $0.acknowledge(through: position) }
        wakeUp.call()
    }

    /// Whether something up to this position was not delivered yet.
    func isBehind(_ last: UInt64) -> Bool { window.withLock { $0.next < last } }

    /// Delivers until the task is cancelled or the link ends.
    func run(
        from store: any RelayStore, metrics: RelayMetrics, _ send: ([[UInt8]]) async throws -> Void
    ) async throws {
        while !Task.isCancelled {
            let (next, room) = window.withLock { ($0.next, $0.room) }
            guard let room else {
                await wakeUp.wait()
                continue
            }
            let deliveries = try await store.deliveries(
                to: service, after: next, limit: room.messages, bytes: room.bytes)
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
