internal import HandfastChannel
internal import HandfastCrypto
internal import Synchronization

/// Where services and queues are, as far as it was asked before: rows' numbers never change.
///
/// Only of use to ask less: a queue that is not where it was is looked for again.
final class QueuePlaces: Sendable {
    /// Where a queue is.
    struct Place: Sendable {
        let queue: Int64
        let service: Int64
    }

    private struct Known {
        var queues: [QueueID: Place] = [:]
        var services: [VerificationKey: Int64] = [:]
    }

    /// How many of each are remembered, about 100 bytes apiece.
    private static let limit = 200_000

    private let known = Mutex(Known())

    func place(of queue: QueueID) -> Place? { known.withLock { $0.queues[queue] } }

    func row(of service: VerificationKey) -> Int64? { known.withLock { $0.services[service] } }

    func remember(_ place: Place?, of queue: QueueID) {
        known.withLock { known in
            if known.queues.count >= Self.limit { known.queues = [:] }
            known.queues[queue] = place
        }
    }

    func remember(_ row: Int64, of service: VerificationKey) {
        known.withLock { known in
            if known.services.count >= Self.limit { known.services = [:] }
            known.services[service] = row
        }
    }
}
