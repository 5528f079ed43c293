internal import HandfastStore
internal import Synchronization

/// Brings the writes of all connections to the store: while one transaction is committed, the next gathers.
/// - Source: Spec/07 §7.5
final class GroupCommit: Sendable {
    /// Told what became of its writes, after their commit.
    typealias Completion = @Sendable (Result<ArraySlice<RelayOutcome>, StoreError>) -> Void

    private struct Request {
        let writes: [RelayWrite]
        let bytes: Int
        let completion: Completion
    }

    private struct State {
        var waiting: [Request] = []
        var waitingBytes = 0
        var isStopped = false
        var held: [CheckedContinuation<Void, Never>] = []
    }

    /// What one transaction takes at most, so that no commit holds up all others for long.
    private static let writesPerCommit = 4_096
    private static let bytesPerCommit = 16 << 20
    /// Beyond so many waiting bytes of all connections nothing more is read.
    private static let waitingBytesLimit = 64 << 20

    private let store: any RelayStore
    private let metrics: RelayMetrics
    private let state = Mutex(State())
    private let wakeUp = WakeUp()

    init(store: any RelayStore, metrics: RelayMetrics) {
        self.store = store
        self.metrics = metrics
    }

    /// Queues writes, to be committed together and after everything queued before.
    func submit(_ writes: [RelayWrite], bytes: Int, _ completion: @escaping Completion) {
        let isStopped = state.withLock { state in
            guard !state.isStopped else { return true }
            state.waiting.append(Request(writes: writes, bytes: bytes, completion: completion))
            state.waitingBytes += bytes
            return false
        }
        if isStopped { completion(.failure(.closed)) } else { wakeUp.call() }
    }

    /// Waits while too much is queued.
    func room() async {
        await withCheckedContinuation { continuation in
            let isRoom = state.withLock { state in
                guard state.waitingBytes > Self.waitingBytesLimit, !state.isStopped else { return true }
                state.held.append(continuation)
                return false
            }
            if isRoom { continuation.resume() }
        }
    }

    /// Commits until ``stop()``, and then what is still queued.
    /// - Throws: ``StoreError/syncFailed(_:)`` or ``StoreError/closed``, after which nothing can be committed any more
    func run() async throws(StoreError) {
        var done: ([Request], Result<[RelayOutcome], StoreError>)?
        while true {
            let (batch, isStopped) = take()
            if batch.isEmpty {
                Self.complete(done)
                done = nil
                if isStopped { return }
                await wakeUp.wait()
                continue
            }
            // The store works while the answers to the last commit are written.
            async let committed = commit(batch)
            Self.complete(done)
            let result = await committed
            done = (batch, result)
            if case .failure(let error) = result, Self.isFinal(error) {
                Self.complete(done)
                fail(error)
                throw error
            }
        }
    }

    /// Takes nothing more.
    func stop() {
        state.withLock { $0.isStopped = true }
        wakeUp.call()
    }

    private func commit(_ batch: [Request]) async -> Result<[RelayOutcome], StoreError> {
        let writes = batch.flatMap(\.writes)
        let start = ContinuousClock.now
        do {
            let outcomes = try await store.commit(writes)
            metrics.committed(writes: writes.count, in: ContinuousClock.now - start)
            return .success(outcomes)
        } catch {
            metrics.storageFailed()
            return .failure(error)
        }
    }

    private func take() -> ([Request], isStopped: Bool) {
        let (batch, held, bytes, isStopped) = state.withLock { state in
            var (writes, bytes, count) = (0, 0, 0)
            for request in state.waiting {
                guard count == 0 || writes + request.writes.count <= Self.writesPerCommit,
                    count == 0 || bytes + request.bytes <= Self.bytesPerCommit
                else { break }
                writes += request.writes.count
                bytes += request.bytes
                count += 1
            }
            let batch = Array(state.waiting.prefix(count))
            state.waiting.removeFirst(count)
            state.waitingBytes -= bytes
            defer { if state.waitingBytes <= Self.waitingBytesLimit { state.held = [] } }
            return (
                batch, state.waitingBytes <= Self.waitingBytesLimit ? state.held : [], state.waitingBytes,
                state.isStopped
            )
        }
        metrics.waits(bytes)
        for continuation in held { continuation.resume() }
        return (batch, isStopped)
    }

    private func fail(_ error: StoreError) {
        let (waiting, held) = state.withLock { state in
            state.isStopped = true
            defer { (state.waiting, state.held) = ([], []) }
            return (state.waiting, state.held)
        }
        for request in waiting { request.completion(.failure(error)) }
        for continuation in held { continuation.resume() }
    }

    private static func complete(_ done: ([Request], Result<[RelayOutcome], StoreError>)?) {
        guard let (batch, result) = done else { return }
        switch result {
        case .success(let outcomes):
            var rest = outcomes[...]
            for request in batch {
                request.completion(.success(rest.prefix(request.writes.count)))
                rest = rest.dropFirst(request.writes.count)
            }
        case .failure(let error):
            for request in batch { request.completion(.failure(error)) }
        }
    }

    private static func isFinal(_ error: StoreError) -> Bool {
        switch error {
        case .syncFailed, .closed: true
        default: false
        }
    }
}
