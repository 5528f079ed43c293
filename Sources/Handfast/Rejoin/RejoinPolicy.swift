public import HandfastChannel
public import HandfastCrypto

/// When a side asks for a new epoch, and which of the peer's rejoins it answers.
///
/// A pure value beside the relationship, stored with it. It holds no keys.
///
/// - Source: Spec/04 §4.9
public struct RejoinPolicy: Hashable, Sendable {
    /// So many envelopes in a row that do not open ask for a rejoin.
    static let unopenedLimit: UInt8 = 4
    /// What received bytes cause happens at most so often.
    static let secondsBetween: UInt64 = 3_600
    /// A rejoin without an answer, or own records that do not come back, are asked for again after so long.
    static let secondsToWait: UInt64 = 86_400

    /// A rejoin of ours on its way.
    struct Waiting: Hashable, Sendable {
        let epoch: UInt64
        let hash: Digest
        let since: Timestamp
        let cause: RejoinCause?
    }

    /// What to put into the next rejoin.
    public struct Plan: Hashable, Sendable {
        /// The epoch to begin.
        public let epoch: UInt64
        /// The epoch to resume; nil for none.
        public let resume: UInt64?
        /// The peer's rejoin that could not be answered.
        public let insteadOf: Digest?
    }

    /// Whether a rejoin of the peer is to be answered.
    public enum Verdict: Hashable, Sendable {
        /// Answer it now; a rejoin of ours on its way is given up.
        case answer
        /// Leave it; nothing but this value changes.
        case leave(Reason)
    }

    /// Why a rejoin is not answered.
    public enum Reason: String, Hashable, Sendable {
        /// It was answered before; the answer is on its way.
        case answered = "it was answered already"
        /// An own one, which the peer answers, goes before it.
        case ownStands = "a rejoin of this side goes before it"
        /// Its epoch is not later than the one that stands.
        case stale = "its epoch is over"
        /// It resumes an epoch that is not remembered here.
        case unknownResume = "it resumes an epoch that this side does not remember"
    }

    /// The epoch that stands; 0 is the handshake's.
    public internal(set) var epoch: UInt64 = 0
    /// Why a rejoin is wanted; nil if none is.
    public internal(set) var cause: RejoinCause?

    var waiting: Waiting?
    /// The peer's rejoin that the next own one replaces.
    var insteadOf: Digest?
    /// The latest epoch that the peer can be expected to remember; nil if it remembers none.
    var resumeBound: UInt64? = .max
    /// The highest epoch that a rejoin of the peer named.
    var highestSeen: UInt64 = 0
    /// The epoch of the rejoin that last showed where the peer receives without being answered.
    var shownAddresses: UInt64 = 0
    /// The rejoin that was answered last.
    var answeredHash: Digest?
    /// Envelopes in a row that did not open.
    var unopened: UInt8 = 0
    /// When the epoch that stands began; nil for the handshake's.
    var began: Timestamp?
    /// When received bytes last caused a rejoin.
    var lastCaused: Timestamp?
    /// The peer's key that a rejoin showed although the ledger has not come so far, and its place in the log.
    var shownKey: ShownKey?

    struct ShownKey: Hashable, Sendable {
        let eventCount: Int
        let key: SealingPublicKey
    }

    /// The handshake's epoch stands and all is well.
    public init() {}

    /// Whether a rejoin of ours waits for its answer: there is no channel, and nothing may be signed or sealed.
    public var isWaiting: Bool { waiting != nil }

    /// Why the rejoin that waits for its answer was made; nil where one waited too long for its answer.
    public var waitingCause: RejoinCause? { waiting?.cause }

    /// When the rejoin that waits for its answer was made.
    public var waitingSince: Timestamp? { waiting?.since }
}

// MARK: - Causes

extension RejoinPolicy {
    /// An envelope opened.
    public mutating func opened() {
        unopened = 0
    }

    /// An envelope was held (Spec/04 §4.3).
    public mutating func held() {
        count(.heldForEver)
    }

    /// An envelope was refused by the channel.
    public mutating func refused(_ error: ChannelError) {
        switch error {
        case .unknownTag, .notAuthentic: count(.unknownTags)
        case .tooManySkipped: want(.recordMissing)
        case .tooManyHeld: want(.heldForEver)
        default: break
        }
    }

    /// A record was refused by the relationship.
    public mutating func refused(_ error: RelationshipError) {
        switch error {
        case .missingRecord, .previousMismatch, .lastSeenAhead, .lastSeenMismatch: want(.recordMissing)
        default: break
        }
    }

    /// A rejoin is wanted. What a person or the peer's queue says goes before what messages say.
    public mutating func want(_ cause: RejoinCause) {
        guard !cause.isLimited || (self.cause == nil && waiting == nil) else { return }
        self.cause = cause
    }

    private mutating func count(_ cause: RejoinCause) {
        guard waiting == nil else { return }
        unopened = min(unopened + 1, Self.unopenedLimit)
        if unopened == Self.unopenedLimit { want(cause) }
    }

    /// A rejoin of the peer could not be opened, or its signature, its log or its heads are not in order.
    ///
    /// The peer may have sealed it to an older key; only a rejoin of ours can tell it.
    public mutating func couldNotOpen(_ hash: Digest) {
        guard hash != answeredHash else { return }
        replace(hash, resuming: .max)
    }

    private mutating func replace(_ hash: Digest, resuming bound: UInt64?) {
        if cause == nil { cause = .unanswerable }
        insteadOf = hash
        resumeBound = bound
    }
}

// MARK: - Asking

extension RejoinPolicy {
    /// Whether to ask for a new epoch in this transaction.
    public func isDue(for relationship: Relationship, at now: Timestamp) -> Bool {
        guard relationship.mayRejoin, max(epoch, waiting?.epoch ?? 0, highestSeen) < Rejoin.maximumEpoch else {
            return false
        }
        if let cause, !cause.isLimited || Self.has(Self.secondsBetween, passedSince: lastCaused, at: now) {
            return true
        }
        guard let start = patienceStart(for: relationship) else { return false }
        return Self.has(Self.secondsToWait, passedSince: start, at: now)
    }

    /// Since when something has been awaited of the peer: the answer to a rejoin, or own records that it holds.
    private func patienceStart(for relationship: Relationship) -> Timestamp? {
        waiting?.since ?? (relationship.awaited == nil ? nil : began)
    }

    /// When ``isDue(for:at:)`` becomes true by the passing of time alone; nil if never.
    public func nextCheck(for relationship: Relationship) -> Timestamp? {
        guard relationship.mayRejoin else { return nil }
        let patience = patienceStart(for: relationship)?.adding(seconds: Self.secondsToWait)
        guard let cause else { return patience }
        guard cause.isLimited, let lastCaused else { return Timestamp(seconds: 0) }
        let next = lastCaused.adding(seconds: Self.secondsBetween)
        return patience.map { min($0, next) } ?? next
    }

    /// A clock that was set back must not stop a relationship.
    private static func has(_ seconds: UInt64, passedSince start: Timestamp?, at now: Timestamp) -> Bool {
        guard let start else { return true }
        return now >= start.adding(seconds: seconds) || now < start
    }

    /// What the next rejoin says.
    ///
    /// - Parameter resumes: The latest of which is named that both sides may hold; after a rejoin of the peer that could
    ///   not be answered, none later than the one that it named.
    public func plan(_ resumes: borrowing ResumeSecrets) -> Plan {
        let last = min(max(epoch, waiting?.epoch ?? 0, highestSeen), Rejoin.maximumEpoch - 1)
        let resume = resumeBound.flatMap { resumes.latest(atMost: min($0, last)) }
        return Plan(epoch: last + 1, resume: resume, insteadOf: insteadOf)
    }

    /// The X-Wing key to seal the next rejoin to: the log's, unless the peer has shown a later one.
    public func sealingKey(of peerLog: KeyLog) -> SealingPublicKey {
        guard let shownKey, shownKey.eventCount > peerLog.events.count else { return peerLog.sealingKey }
        return shownKey.key
    }

    /// A rejoin was made from ``plan(_:)``: store this value, the pending rejoin and the bytes together, and erase the
    /// channel.
    public mutating func asked(_ rejoin: borrowing Rejoin, at now: Timestamp) {
        if cause?.isLimited == true { lastCaused = now }
        waiting = Waiting(epoch: rejoin.pending.epoch, hash: rejoin.hash, since: now, cause: cause)
        settle()
    }

    /// The own rejoin's answer opened: its epoch stands.
    public mutating func rejoined(at now: Timestamp) {
        guard let waiting else { return }
        epoch = waiting.epoch
        began = now
        self.waiting = nil
        settle()
    }

    /// This side was restored from a backup: what it waited for is lost with its keys.
    public mutating func restored() {
        highestSeen = max(highestSeen, waiting?.epoch ?? 0)
        waiting = nil
        settle()
        cause = .restored
    }

    private mutating func settle() {
        cause = nil
        insteadOf = nil
        resumeBound = .max
        unopened = 0
    }
}

// MARK: - Answering

extension RejoinPolicy {
    /// Says whether a rejoin that opened is answered, and notes what follows if it is not.
    ///
    /// - Parameters:
    ///   - received: The peer's rejoin.
    ///   - resumes: The own resume secrets.
    ///   - own: The own pairwise identity.
    ///   - knownLog: The peer's key log as the ledger has it.
    public mutating func judge(
        _ received: borrowing ReceivedRejoin, resumes: borrowing ResumeSecrets, own: IdentityID, knownLog: KeyLogOutline
    ) -> Verdict {
        guard received.hash != answeredHash else { return .leave(.answered) }
        let shown = received.peerLog.events.count
        if shown > max(knownLog.count, shownKey?.eventCount ?? 0) {
            shownKey = ShownKey(eventCount: shown, key: received.peerLog.sealingKey)
        }
        if let waiting, received.insteadOf != waiting.hash {
            guard (received.epoch, own) > (waiting.epoch, received.peerLog.id) else { return .leave(.ownStands) }
        }
        highestSeen = max(highestSeen, received.epoch)
        guard received.epoch > epoch else {
            replace(received.hash, resuming: received.resume)
            return .leave(.stale)
        }
        guard received.resume.map({ resumes.epochs.contains($0) }) ?? true else {
            replace(received.hash, resuming: received.resume)
            return .leave(.unknownResume)
        }
        return .answer
    }

    /// Whether a rejoin that ``judge(_:resumes:own:knownLog:)`` left tells where the peer receives now: the own one that
    /// goes before it, or answers for it, would else go to where the peer listens no more.
    ///
    /// One that came before, or whose epoch is over, tells nothing: whoever repeats it sends nobody anywhere.
    public mutating func showsAddresses(_ received: borrowing ReceivedRejoin) -> Bool {
        guard received.epoch > max(epoch, shownAddresses), !received.addresses.isEmpty else { return false }
        shownAddresses = received.epoch
        highestSeen = max(highestSeen, received.epoch)
        return true
    }

    /// A rejoin was answered: its epoch stands, and a rejoin of ours on its way is given up.
    public mutating func answered(_ received: borrowing ReceivedRejoin, at now: Timestamp) {
        epoch = received.epoch
        began = now
        answeredHash = received.hash
        waiting = nil
        settle()
    }
}
