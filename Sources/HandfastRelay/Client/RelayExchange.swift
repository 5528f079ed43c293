internal import HandfastCrypto
internal import HandfastLink
internal import HandfastStore
internal import Synchronization

/// The client's side of a conversation: which answers are awaited, and which messages have come.
final class RelayExchange: Sendable {
    /// What the relay said to one request.
    typealias Answer = Result<RelayAnswer, RelayRefusal>

    /// Requests that were sent together and whose answers are awaited together.
    private struct Group {
        var answers: [Answer?]
        var missing: Int
        let asked: ContinuousClock.Instant
        var waiting: CheckedContinuation<Void, Never>?
    }

    private struct State {
        var nextRequest: UInt32 = 1
        var nextGroup = 0
        /// Where the answer to a request belongs; requests of a group that nobody awaits any more stay until answered.
        var places: [UInt32: (group: Int, index: Int)] = [:]
        var groups: [Int: Group] = [:]
        var hasSubscribed = false
        var lastPosition: UInt64 = 0
        var deliveries: [Delivery] = []
        var deliveredBytes = 0
        var taker: CheckedContinuation<Void, Never>?
        var end: RelayError?
        var isShutDown = false
    }

    private let state = Mutex(State())
    private let time: RelayNetwork.Time

    init(time: RelayNetwork.Time) {
        self.time = time
    }

    // MARK: Requests

    /// Names so many requests of one group.
    func begin(_ count: Int) throws(RelayError) -> (group: Int, requests: [UInt32]) {
        let asked = time.now()
        let result: Result<(group: Int, requests: [UInt32]), RelayError> = state.withLock { state in
            if let end = state.end { return .failure(end) }
            let group = state.nextGroup
            state.nextGroup += 1
            var requests: [UInt32] = []
            for index in 0..<count {
                while state.places[state.nextRequest] != nil || state.nextRequest == 0 { state.nextRequest &+= 1 }
                state.places[state.nextRequest] = (group, index)
                requests.append(state.nextRequest)
                state.nextRequest &+= 1
            }
            state.groups[group] = Group(
                answers: Array(repeating: nil, count: count), missing: count, asked: asked, waiting: nil)
            return .success((group, requests))
        }
        return try result.get()
    }

    /// Waits for all answers of a group.
    func answers(_ group: Int) async throws(RelayError) -> [Answer] {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isWaiting = state.withLock { state in
                    guard state.end == nil, !Task.isCancelled, let missing = state.groups[group]?.missing, missing > 0
                    else { return false }
                    state.groups[group]?.waiting = continuation
                    return true
                }
                if !isWaiting { continuation.resume() }
            }
        } onCancel: {
            let waiting = state.withLock { $0.groups[group]?.waiting.take() }
            waiting?.resume()
        }
        let result: Result<[Answer], RelayError> = state.withLock { state in
            guard let found = state.groups.removeValue(forKey: group) else { return .failure(.link(.closed)) }
            if found.missing == 0 { return .success(found.answers.compactMap { $0 }) }
            return .failure(state.end ?? .link(.cancelled))
        }
        return try result.get()
    }

    /// Forgets a group that was not sent, or not wholly.
    func abandon(_ group: Int) {
        state.withLock { state in
            state.groups[group] = nil
        }
    }

    /// Whether any request has waited for its answer for longer than a time.
    func hasWaited(longerThan time: Duration) -> Bool {
        let latest = self.time.now() - time
        return state.withLock { $0.groups.values.contains { $0.missing > 0 && $0.asked < latest } }
    }

    // MARK: Deliveries

    /// Allows deliveries above a position.
    func subscribe(after position: UInt64) {
        state.withLock { state in
            state.hasSubscribed = true
            state.lastPosition = position
        }
    }

    /// Everything delivered since the last call.
    func nextDeliveries() async throws(RelayError) -> [Delivery]? {
        while true {
            let taken: Result<[Delivery]?, RelayError>? = state.withLock { state in
                if !state.deliveries.isEmpty {
                    defer { (state.deliveries, state.deliveredBytes) = ([], 0) }
                    return .success(state.deliveries)
                }
                if state.isShutDown { return .success(nil) }
                return state.end.map { .failure($0) }
            }
            if let taken { return try taken.get() }
            await waitForDeliveries()
            if Task.isCancelled { throw .link(.cancelled) }
        }
    }

    private func waitForDeliveries() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isWaiting = state.withLock { state in
                    guard state.deliveries.isEmpty, state.end == nil, state.taker == nil, !Task.isCancelled else {
                        return false
                    }
                    state.taker = continuation
                    return true
                }
                if !isWaiting { continuation.resume() }
            }
        } onCancel: {
            let taker = state.withLock { $0.taker.take() }
            taker?.resume()
        }
    }

    // MARK: Frames

    /// Takes the relay's frames.
    /// - Throws: ``RelayError``, if the relay breaks the protocol
    func receive(_ frames: [[UInt8]]) throws(RelayError) {
        for frame in frames {
            switch try RelayFrame.decode(frame.bytes) {
            case .answer(let request, let answer): try take(.success(answer), for: request)
            case .refusal(0, let refusal): throw .refused(refusal)
            case .refusal(let request, let refusal): try take(.failure(refusal), for: request)
            case .push(let deliveries): try take(deliveries)
            }
        }
    }

    private func take(_ answer: Answer, for request: UInt32) throws(RelayError) {
        let (isExpected, waiting) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard let place = state.places.removeValue(forKey: request) else { return (false, nil) }
            // A group that is gone was cancelled.
            guard var group = state.groups[place.group] else { return (true, nil) }
            group.answers[place.index] = answer
            group.missing -= 1
            let waiting = group.missing == 0 ? group.waiting.take() : nil
            state.groups[place.group] = group
            return (true, waiting)
        }
        guard isExpected else { throw .unexpectedAnswer }
        waiting?.resume()
    }

    private func take(_ deliveries: [Delivery]) throws(RelayError) {
        let (isExpected, taker) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard state.hasSubscribed else { return (false, nil) }
            for delivery in deliveries {
                guard delivery.position > state.lastPosition, state.deliveries.count < RelayLimit.windowMessages,
                    state.deliveredBytes < RelayLimit.windowBytes
                else { return (false, nil) }
                state.lastPosition = delivery.position
                state.deliveredBytes += delivery.byteCount
                state.deliveries.append(delivery)
            }
            return (true, state.deliveries.isEmpty ? nil : state.taker.take())
        }
        guard isExpected else { throw .unexpectedDelivery }
        taker?.resume()
    }

    // MARK: End

    /// Ends the conversation; everything that waits is told.
    func end(_ error: RelayError, isShutDown: Bool = false) {
        let waiting = state.withLock { state in
            guard state.end == nil else { return [CheckedContinuation<Void, Never>]() }
            state.end = error
            state.isShutDown = isShutDown
            var waiting = state.groups.keys.compactMap { state.groups[$0]?.waiting.take() }
            if let taker = state.taker.take() { waiting.append(taker) }
            return waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
