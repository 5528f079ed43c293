internal import HandfastCrypto
internal import HandfastStore
internal import Synchronization

/// What was stored lately and is not acknowledged, so that to deliver it nothing needs to be read.
///
/// Only what is committed is in it, and all of it is in the store as well: it may be forgotten at any time.
final class RecentMessages: Sendable {
    /// Bytes that are kept at most, each message with what it takes beside its content.
    private static let byteLimit = 64 << 20
    private static let messageCost = 96

    private struct State {
        var services: [VerificationKey: RecentRun] = [:]
        /// From the service whose turn it is to forget; it may name services that have nothing here any more.
        var order: [VerificationKey] = []
        var turn = 0
        var bytes = 0
    }

    private let state = Mutex(State())

    /// Notes messages of a service in order of position, after their commit and in the order of commits.
    func append(_ messages: [Delivery], of service: VerificationKey) {
        state.withLock { state in
            if state.services[service] == nil { state.order.append(service) }
            state.bytes += state.services[service, default: RecentRun()].append(messages)
            while state.bytes > Self.byteLimit, Self.forgetSome(&state) {}
            if state.order.count - state.turn > 2 * state.services.count + 64 {
                (state.order, state.turn) = (Array(state.services.keys), 0)
            }
        }
    }

    /// Forgets what is acknowledged.
    func acknowledge(_ service: VerificationKey, through position: UInt64) {
        state.withLock { state in
            guard let freed = state.services[service]?.remove(through: position) else { return }
            state.bytes -= freed
            if state.services[service]?.isEmpty == true { state.services[service] = nil }
        }
    }

    /// Forgets everything of a service: the store has deleted some of it.
    func forget(_ service: VerificationKey) {
        state.withLock { state in
            state.bytes -= state.services.removeValue(forKey: service)?.bytes ?? 0
        }
    }

    /// Messages right above a position, without a gap before or among them; none if the store has to be asked.
    ///
    /// - Parameters:
    ///   - limit: messages at most.
    ///   - bytes: ends after the message that reaches this many bytes of content.
    func deliveries(to service: VerificationKey, after position: UInt64, limit: Int, bytes: Int) -> [Delivery] {
        state.withLock { $0.services[service]?.messages(after: position, limit: limit, bytes: bytes) ?? [] }
    }

    /// Lets the service whose turn it is forget the older half of what it has here.
    private static func forgetSome(_ state: inout State) -> Bool {
        guard state.turn < state.order.count else { return false }
        let service = state.order[state.turn]
        state.turn += 1
        if state.turn >= 1_024 {
            state.order.removeFirst(state.turn)
            state.turn = 0
        }
        guard let freed = state.services[service]?.removeOlderHalf() else { return true }
        state.bytes -= freed
        if state.services[service]?.isEmpty == true {
            state.services[service] = nil
        } else {
            state.order.append(service)
        }
        return true
    }

    /// Messages of one service with positions in a row.
    private struct RecentRun {
        private var messages: [Delivery?] = []
        /// Where they begin; what was before is nil.
        private var start = 0
        /// The position of the first.
        private var first: UInt64 = 0
        private(set) var bytes = 0

        var isEmpty: Bool { start == messages.count }
        private var count: Int { messages.count - start }

        /// Appends messages; those before a gap are forgotten. How many bytes it takes more.
        mutating func append(_ new: [Delivery]) -> Int {
            let before = bytes
            for message in new {
                if isEmpty || message.position != first + UInt64(count) {
                    messages.removeAll(keepingCapacity: true)
                    (start, first, bytes) = (0, message.position, 0)
                }
                messages.append(message)
                bytes += message.byteCount + messageCost
            }
            return bytes - before
        }

        func messages(after position: UInt64, limit: Int, bytes: Int) -> [Delivery] {
            // What asks is a client's number, and may be the largest.
            guard !isEmpty, position < first + UInt64(count) - 1, position + 1 >= first else { return [] }
            let rest = messages[(start + Int(position + 1 - first))...].prefix(limit)
            var size = 0
            return rest.prefix { message in
                defer { size += message?.byteCount ?? 0 }
                return size < bytes
            }.compactMap(\.self)
        }

        /// How many bytes it takes less.
        mutating func remove(through position: UInt64) -> Int {
            guard position >= first else { return 0 }
            return remove(Int(min(position - first + 1, UInt64(count))))
        }

        mutating func removeOlderHalf() -> Int { remove((count + 1) / 2) }

        private mutating func remove(_ number: Int) -> Int {
            let before = bytes
            for index in start..<start + number {
                bytes -= (messages[index]?.byteCount ?? 0) + messageCost
                messages[index] = nil
            }
            start += number
            first += UInt64(number)
            // Moved only once there is as much before as behind, so that each message is moved once at most.
            if start >= messages.count - start {
                messages.removeFirst(start)
                start = 0
            }
            return before - bytes
        }
    }
}
