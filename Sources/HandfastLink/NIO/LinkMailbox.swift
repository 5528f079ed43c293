internal import Synchronization

/// What a connection's event loop and the tasks that use the connection hand each other.
///
/// Everything in it is bounded: the loop stops reading beyond `unreadBytes`, tasks wait beyond `unsentBytes`.
final class LinkMailbox: Sendable {
    /// What a frame costs in memory beside its bytes, so that many tiny frames are bounded, too.
    private static let frameCost = 64

    private struct State {
        var inbound: [[UInt8]] = []
        var inboundBytes = 0
        var readers: [CheckedContinuation<Void, Never>] = []
        var outbound: [[UInt8]] = []
        var unsentBytes = 0
        var writers: [CheckedContinuation<Void, Never>] = []
        var isFlushAsked = false
        var isClosing = false
        /// Whether the server's sum has what is unsent here.
        var isCounted = true
        var isInputOver = false
        var end: End?
    }

    /// How the connection ended.
    enum End {
        case clean
        case failed(LinkError)

        var error: LinkError {
            switch self {
            case .clean: .closed
            case .failed(let error): error
            }
        }
    }

    /// What keeps the loop from reading.
    enum Hold {
        case none
        case unread
        case unsent
    }

    private let state = Mutex(State())
    private let unreadLimit: Int
    private let unsentLimit: Int
    /// A server stops reading from a client that does not take its answers. A client must not: if both stopped, neither
    /// would ever go on.
    private let holdsForUnsent: Bool
    /// What all connections of the server have unsent; nil at a client.
    private let unsentOfAll: UnsentBytes?

    init(limits: LinkLimits, isServer: Bool, unsentOfAll: UnsentBytes? = nil) {
        self.unsentOfAll = unsentOfAll
        unreadLimit = limits.unreadBytes
        holdsForUnsent = isServer
        unsentLimit = limits.unsentBytes
    }

    private static func cost(of frames: [[UInt8]]) -> Int {
        frames.reduce(0) { $0 + $1.count + frameCost }
    }

    // MARK: For the event loop

    /// Hands received frames over.
    func deliver(_ frames: [[UInt8]]) {
        guard !frames.isEmpty else { return }
        let readers = state.withLock { state in
            if state.inbound.isEmpty { state.inbound = frames } else { state.inbound += frames }
            state.inboundBytes += Self.cost(of: frames)
            return Self.take(&state.readers)
        }
        for reader in readers { reader.resume() }
    }

    /// Why nothing should be read now.
    var hold: Hold {
        state.withLock { state in
            if holdsForUnsent, state.unsentBytes > unsentLimit { return .unsent }
            return state.inboundBytes >= unreadLimit ? .unread : .none
        }
    }

    /// Everything that waits to be sent.
    func takeOutbound() -> [[UInt8]] {
        state.withLock { state in
            state.isFlushAsked = false
            defer { state.outbound = [] }
            return state.outbound
        }
    }

    /// Notes that the system has taken these bytes. Whether reading may go on because of it.
    func sent(_ frames: Int, bytes: Int) -> Bool {
        let (writers, isBelow) = state.withLock { state in
            let wasAbove = state.unsentBytes > unsentLimit
            state.unsentBytes -= bytes + frames * Self.frameCost
            if state.isCounted { unsentOfAll?.subtract(bytes + frames * Self.frameCost) }
            guard state.unsentBytes <= unsentLimit else { return ([CheckedContinuation<Void, Never>](), false) }
            return (Self.take(&state.writers), wasAbove)
        }
        for writer in writers { writer.resume() }
        return isBelow
    }

    /// Notes the end of the connection, once; frames that came before it can still be taken.
    func end(_ end: End) {
        let waiting = state.withLock { state in
            if state.end == nil { state.end = end }
            state.outbound = []
            stopCounting(&state)
            return Self.take(&state.readers) + Self.take(&state.writers)
        }
        for continuation in waiting { continuation.resume() }
    }

    // MARK: For tasks

    /// Everything received since the last call, waiting for at least one frame; nil at the end of the connection.
    /// The second value says that reading had stopped and may go on.
    func next() async throws(LinkError) -> (frames: [[UInt8]], wasHeld: Bool)? {
        while true {
            let taken: Result<(frames: [[UInt8]], wasHeld: Bool)?, LinkError>? = state.withLock { state in
                if !state.inbound.isEmpty {
                    let wasHeld = state.inboundBytes >= unreadLimit
                    let frames = state.inbound
                    state.inbound = []
                    state.inboundBytes = 0
                    return .success((frames, wasHeld))
                }
                switch state.end {
                case nil: return state.isInputOver ? .success(nil) : nil
                case .clean: return .success(nil)
                case .failed(let error): return state.isClosing ? .success(nil) : .failure(error)
                }
            }
            if let taken { return try taken.get() }
            try await wait(as: .reader)
        }
    }

    /// Queues frames to be sent. Whether the loop has to be asked to flush.
    func enqueue(_ frames: [[UInt8]]) throws(LinkError) -> Bool {
        for frame in frames where !(1...LinkFrame.maximumCount).contains(frame.count) {
            throw .frameNotSendable(count: frame.count)
        }
        let result: Result<Bool, LinkError> = state.withLock { state in
            if let end = state.end { return .failure(end.error) }
            if state.isClosing { return .failure(.closed) }
            state.outbound += frames
            state.unsentBytes += Self.cost(of: frames)
            if state.isCounted { unsentOfAll?.add(Self.cost(of: frames)) }
            defer { state.isFlushAsked = true }
            return .success(!state.isFlushAsked)
        }
        unsentOfAll?.relieve()
        return try result.get()
    }

    /// Bytes that are unsent and count towards the server's sum.
    var countedBytes: Int { state.withLock { $0.isCounted ? $0.unsentBytes : 0 } }

    /// Takes what is unsent out of the server's sum at once, for a connection that is closed without sending it.
    func abandon() {
        state.withLock { state in
            state.isClosing = true
            stopCounting(&state)
        }
    }

    private func stopCounting(_ state: inout State) {
        if state.isCounted { unsentOfAll?.subtract(state.unsentBytes) }
        state.isCounted = false
    }

    /// Waits until no more than the limit is unsent.
    func room() async throws(LinkError) {
        while true {
            let result: Result<Bool, LinkError> = state.withLock { state in
                if let end = state.end { return .failure(end.error) }
                return .success(state.unsentBytes <= unsentLimit)
            }
            if try result.get() { return }
            try await wait(as: .writer)
        }
    }

    /// Refuses everything that tasks still want to send.
    func close() {
        state.withLock { $0.isClosing = true }
    }

    /// Lets the reader see the end after what has come; for shutting down in good order.
    func finishInput() {
        let readers = state.withLock { state in
            state.isInputOver = true
            return Self.take(&state.readers)
        }
        for reader in readers { reader.resume() }
    }

    private enum Waiter {
        case reader
        case writer
    }

    /// Suspends until something has changed for such a waiter.
    private func wait(as waiter: Waiter) async throws(LinkError) {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isWaiting = state.withLock { state in
                    guard state.end == nil, !Task.isCancelled else { return false }
                    switch waiter {
                    case .reader:
                        guard state.inbound.isEmpty, !state.isInputOver else { return false }
                        state.readers.append(continuation)
                    case .writer:
                        guard state.unsentBytes > unsentLimit else { return false }
                        state.writers.append(continuation)
                    }
                    return true
                }
                if !isWaiting { continuation.resume() }
            }
        } onCancel: {
            // All wake; those that were not cancelled look and wait again.
            let waiting = state.withLock { Self.take(&$0.readers) + Self.take(&$0.writers) }
            for continuation in waiting { continuation.resume() }
        }
        if Task.isCancelled { throw .cancelled }
    }

    private static func take(_ list: inout [CheckedContinuation<Void, Never>]) -> [CheckedContinuation<Void, Never>] {
        defer { list = [] }
        return list
    }
}
