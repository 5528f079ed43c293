internal import Handfast
internal import HandfastCrypto

/// What one relationship has to put into its peer's queue, over the connections that come and go.
///
/// Numbers count the envelopes of the queue from 0. Nothing is put on a new connection before the queue's number and
/// digest were compared with the own ones: equal means that everything before arrived; anything else means that one of
/// the two stores was taken back to an older state, and then this lane has served: another takes over what the relay
/// holds.
///
/// A value without I/O: the driver asks what to do and tells what happened.
///
/// - Source: Spec/07, put
struct OutboxLane: Sendable {
    /// One sealed envelope of the outbox.
    struct Item: Hashable, Sendable {
        /// Its number in the peer's queue.
        let number: UInt64
        /// The sealed bytes; every attempt puts the same.
        let envelope: [UInt8]
        /// The queue's digest once this envelope is in it.
        let digest: Digest
    }

    /// What the driver does next for this lane.
    enum Step: Hashable, Sendable {
        /// Nothing to do until something is told.
        case rest
        /// Read unconfirmed envelopes from the store and tell them by ``load(_:)``.
        case load
        /// Put without envelopes, to learn number and digest; tell ``probing()``.
        case probe
        /// Put envelopes, to be had from ``take(envelopes:bytes:)``.
        case put
    }

    /// What a reply taught.
    enum Lesson: Hashable, Sendable {
        /// Nothing that needs storing.
        case nothing
        /// Everything below this number is at the relay.
        case confirmed(below: UInt64)
        /// The queue takes nothing, or not as much at once; wait before the next attempt.
        case held(PeerHold)
        /// The relay does not know the queue, or not the capability; wait before the next attempt.
        case refused
        /// The queue is not as we left it; nothing is sent until another lane takes over what the relay holds.
        case diverged(Divergence)
        /// Nothing is sent any more.
        case stopped(DeliveryStop)
    }

    private enum Phase: Hashable, Sendable {
        case disconnected, unprobed, probing, open, diverged
        case stopped(DeliveryStop)
    }

    /// The most envelopes kept in memory; what is beyond is read from the store once there is room.
    static let bufferLimit = 2_048

    private var phase = Phase.disconnected
    /// Everything below is confirmed.
    private(set) var confirmed: UInt64
    private var confirmedDigest: Digest
    /// Everything below was put on this connection.
    private var sent: UInt64
    /// Whether a put waits for its answer: the next one takes all that came meanwhile.
    private var isUnderWay = false
    /// The most envelopes of the next put, because the queue did not take as many as the last; grows with each success.
    private var most: Int?
    /// How many envelopes the last put had.
    private var lastCount = 0
    /// The number of the next envelope to be sealed.
    private(set) var end: UInt64
    /// Unconfirmed envelopes from `confirmed` on, without a gap; not always up to `end`.
    private var buffer: [Item] = []
    /// Whether a rejoin of ours waits for its answer: nothing will follow it, so that only a probe tells when the relay
    /// has lost it.
    private(set) var awaitsAnswer: Bool
    /// Whether number and digest at the relay were once those of this lane.
    private var hasAgreed = false
    /// Whether the relay is asked although there is nothing to put.
    private(set) var asksAnyway: Bool

    /// A lane as the vault knows it.
    ///
    /// - Parameters:
    ///   - confirmed: the number below which everything is confirmed.
    ///   - confirmedDigest: the queue's digest at that number.
    ///   - end: the number of the next envelope to be sealed.
    ///   - awaitsAnswer: whether a rejoin of ours waits for its answer.
    init(confirmed: UInt64, confirmedDigest: Digest, end: UInt64, awaitsAnswer: Bool = false) {
        self.confirmed = confirmed
        self.confirmedDigest = confirmedDigest
        self.sent = confirmed
        self.end = end
        self.awaitsAnswer = awaitsAnswer
        asksAnyway = awaitsAnswer
    }

    /// Why nothing is sent, or `nil`.
    var stop: DeliveryStop? {
        if case .stopped(let stop) = phase { stop } else { nil }
    }

    /// Whether every envelope is confirmed.
    var isEmpty: Bool { confirmed >= end }

    /// A connection stands.
    mutating func connected() {
        if stop == nil { phase = .unprobed }
        rewind()
    }

    /// The connection is gone; what was under way may or may not have arrived.
    ///
    /// - Parameter hasFailed: whether it broke, as when the relay starts anew.
    mutating func disconnected(hasFailed: Bool) {
        if stop == nil { phase = .disconnected }
        if hasFailed { asksAnyway = awaitsAnswer }
        rewind()
    }

    /// Envelopes were committed to the outbox.
    mutating func appended(_ items: [Item]) {
        for item in items where item.number >= end {
            awaitsAnswer = Rejoin.isRejoin(item.envelope.bytes)
            if item.number == buffered, buffer.count < Self.bufferLimit { buffer.append(item) }
            end = item.number + 1
        }
    }

    /// Unconfirmed envelopes of the store in order of number.
    mutating func load(_ items: [Item]) {
        for item in items where item.number == buffered && buffer.count < Self.bufferLimit { buffer.append(item) }
        if let last = items.last { end = max(end, last.number + 1) }
    }

    /// Takes over what the store has confirmed since this lane began: the last word of another before it.
    ///
    /// - Parameters:
    ///   - number: the number below which everything is confirmed.
    ///   - digest: the queue's digest at that number.
    /// - Returns: whether the store is ahead of what is loaded here.
    mutating func overtaken(confirmed number: UInt64, digest: Digest) -> Bool {
        guard number > buffered else { return false }
        (confirmed, confirmedDigest) = (number, digest)
        end = max(end, number)
        buffer = []
        _ = reprobe()
        return true
    }

    /// What to do now.
    var next: Step {
        switch phase {
        case .disconnected, .probing, .diverged, .stopped:
            return .rest
        case .unprobed where isEmpty && !asksAnyway:
            return .rest
        case .unprobed:
            return buffered < end && buffer.count < Self.bufferLimit ? .load : .probe
        case .open where isUnderWay || sent >= end:
            return .rest
        case .open:
            if sent < buffered { return .put }
            return buffer.count < Self.bufferLimit ? .load : .rest
        }
    }

    /// The probe is on its way.
    mutating func probing() {
        phase = .probing
    }

    /// The next envelopes for a put; no other put of this lane begins before it is answered.
    ///
    /// - Parameters:
    ///   - envelopes: the most envelopes.
    ///   - bytes: the most bytes; one envelope is given even if it is larger.
    mutating func take(envelopes: Int, bytes: Int) -> [Item] {
        let start = Int(sent - confirmed)
        var taken: [Item] = []
        var size = 0
        for item in buffer[min(start, buffer.count)...] {
            guard taken.count < min(envelopes, most ?? envelopes), taken.isEmpty || size + item.envelope.count <= bytes
            else { break }
            size += item.envelope.count
            taken.append(item)
        }
        sent += UInt64(taken.count)
        isUnderWay = !taken.isEmpty
        lastCount = taken.count
        return taken
    }

    /// The answer to a probe, or to a put that did not fit.
    ///
    /// - Parameters:
    ///   - next: the number that the queue expects.
    ///   - digest: its digest.
    mutating func probed(next: UInt64, digest: Digest) -> Lesson {
        if next > end { return diverged(.ownStoreWentBack, next, digest) }
        if next < confirmed { return diverged(.queueWentBack, next, digest) }
        // More is at the relay than was loaded: nothing can be compared until the store was read.
        guard next <= buffered else { return reprobe() }
        guard self.digest(at: next) == digest else { return diverged(.queueDiffers, next, digest) }
        phase = .open
        hasAgreed = true
        asksAnyway = false
        sent = next
        return settle(below: next)
    }

    /// The relay stored everything below `next`.
    mutating func stored(next: UInt64, digest: Digest) -> Lesson {
        isUnderWay = false
        most = most.flatMap { $0 < Self.bufferLimit ? $0 * 2 : nil }
        guard next > confirmed else { return .nothing }
        guard next <= sent, self.digest(at: next) == digest else { return diverged(.queueDiffers, next, digest) }
        return settle(below: next)
    }

    /// The relay expects another number than the put's first; only a new probe tells what it has.
    mutating func reprobe() -> Lesson {
        if stop == nil { phase = .unprobed }
        rewind()
        return .nothing
    }

    /// The queue takes nothing, or not as much at once: nothing more until the next probe.
    ///
    /// - Parameter room: how many envelopes it takes now, where that is known.
    mutating func held(_ hold: PeerHold, room: Int = 0) -> Lesson {
        let hadSeveral = isUnderWay && lastCount > 1
        _ = reprobe()
        if hold == .paused { return .held(hold) }
        most = max(1, room)
        // Fewer may fit at once, and those before one that is too large.
        return hadSeveral && (hold != .throttled || room > 0) ? .nothing : .held(hold)
    }

    /// Asks the relay once more for what it has, where a rejoin of ours waits for its answer.
    mutating func askAgain() {
        guard awaitsAnswer else { return }
        asksAnyway = true
        if phase == .open, !isUnderWay { _ = reprobe() }
    }

    /// The relay does not let us put: nothing more until the next probe.
    mutating func refused() -> Lesson {
        _ = reprobe()
        return .refused
    }

    /// Nothing is sent any more.
    mutating func stopped(_ stop: DeliveryStop) -> Lesson {
        phase = .stopped(stop)
        buffer = []
        return .stopped(stop)
    }

    private mutating func diverged(_ cause: RejoinCause, _ next: UInt64, _ digest: Digest) -> Lesson {
        phase = .diverged
        let isOfAnother = hasAgreed && cause != .queueWentBack
        return .diverged(Divergence(cause: cause, next: next, digest: digest, isOfAnother: isOfAnother))
    }

    private mutating func rewind() {
        sent = confirmed
        isUnderWay = false
    }

    private var buffered: UInt64 { confirmed + UInt64(buffer.count) }

    private func digest(at number: UInt64) -> Digest {
        number == confirmed ? confirmedDigest : buffer[Int(number - confirmed) - 1].digest
    }

    private mutating func settle(below next: UInt64) -> Lesson {
        guard next > confirmed else { return .nothing }
        confirmedDigest = digest(at: next)
        buffer.removeFirst(Int(next - confirmed))
        confirmed = next
        return .confirmed(below: next)
    }
}
