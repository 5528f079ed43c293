internal import HandfastChannel
public import HandfastCrypto
public import HandfastEncoding

/// A stored record that judging a received one needs.
public enum RecordLookup: Hashable, Sendable {
    /// The hash of an own record, to compare with what the peer has seen.
    case ownHash(UInt64)
    /// The peer's record of this number, to tell a duplicate from a fork.
    case peerEntry(UInt64)
}

extension Relationship {
    /// The one stored record that ``receive(_:ownHash:peerEntry:)`` will ask for; nil in the common case.
    ///
    /// Who reads the ledger asynchronously fetches it first and answers the closures from it.
    public func lookup(for entry: Entry) -> RecordLookup? {
        guard entry.record.sequence > 0 else { return nil }
        if entry.record.sequence < peerHead.sequence { return .peerEntry(entry.record.sequence) }
        if entry.record.sequence == peerHead.sequence {
            return entry.hash == peerHead.hash ? nil : .peerEntry(entry.record.sequence)
        }
        return peer?.lookup(for: entry.record, other: ownHead).map(RecordLookup.ownHash)
    }

    /// Judges a record of the peer and, if it is next and in order, moves on by it.
    ///
    /// - Parameters:
    ///   - entry: The record with its body.
    ///   - ownHash: The hash of the own record of a number, from the ledger; nil if there is none. Asked for only when
    ///     the peer has newly seen a record that is not the latest.
    ///   - peerEntry: The peer's record of a number, from the ledger. Asked for only when the number is not new.
    /// - Returns: What to store and show.
    /// - Throws: ``RelationshipError``; the relationship is then as it was.
    /// - Source: Spec/05 §5.2, §5.5
    public mutating func receive(
        _ entry: Entry, ownHash: (UInt64) throws(RelationshipError) -> Digest?,
        peerEntry: (UInt64) throws(RelationshipError) -> Entry?
    ) throws(RelationshipError) -> RecordOutcome {
        var batches = BatchVerifier()
        return try receive(entry, batches: &batches, ownHash: ownHash, peerEntry: peerEntry)
    }

    /// Judges a record as ``receive(_:ownHash:peerEntry:)`` does, one of several.
    ///
    /// - Parameter batches: Remembers the batch seen last, whose signature is then verified once.
    /// - Throws: ``RelationshipError``; the relationship is then as it was.
    /// - Source: Spec/05 §5.2, §5.9
    public mutating func receive(
        _ entry: Entry, batches: inout BatchVerifier, ownHash: (UInt64) throws(RelationshipError) -> Digest?,
        peerEntry: (UInt64) throws(RelationshipError) -> Entry?
    ) throws(RelationshipError) -> RecordOutcome {
        guard let peer, [.welcomed, .live, .ending].contains(state) else { throw .notAllowed(.receive, in: state) }
        try peer.checkAddressee(of: entry.record)
        if entry.record.sequence > 0, entry.record.sequence <= peer.head.sequence {
            return try receiveAgain(entry, from: peer, batches: &batches, peerEntry: peerEntry)
        }
        guard !entry.isErased else { throw .bodyMissing(sequence: entry.record.sequence) }
        switch try peer.judge(entry, other: ownHead, batches: &batches, otherHash: ownHash) {
        case .next(let next, let meaning):
            self.peer = next
            return .accepted(apply(meaning, of: entry.record.type))
        case .fork(let evidence, _, _):
            return .forked(freeze(with: evidence))
        }
    }

    /// Tells a duplicate from a fork.
    private mutating func receiveAgain(
        _ entry: Entry, from peer: LedgerSide, batches: inout BatchVerifier,
        peerEntry: (UInt64) throws(RelationshipError) -> Entry?
    ) throws(RelationshipError) -> RecordOutcome {
        let sequence = entry.record.sequence
        if entry.reference == peer.head { return .duplicate }
        guard let kept = try peerEntry(sequence), kept.record.sequence == sequence else {
            throw .recordNotAtHand(sequence: sequence)
        }
        if entry.hash == kept.hash { return .duplicate }
        try entry.verify(with: peer.keys(for: entry.record), batches: &batches)
        return .forked(freeze(with: .records(kept: kept.withoutBody, received: entry.withoutBody)))
    }

    @discardableResult
    mutating func freeze(with fork: ForkEvidence) -> ForkEvidence {
        evidence = fork
        state = .frozen
        return fork
    }

    private mutating func apply(_ meaning: RecordMeaning, of type: RecordType) -> Effect {
        switch meaning {
        case .message(let message): return .message(message)
        case .attachment(let attachment): return .attachment(attachment)
        case .claimRequest(let request): return .claimsRequested(request)
        case .claimPresentation(let presentation): return .claimsPresented(presentation)
        case .claimResult(let result): return .claimsJudged(result)
        case .introduction(let introduction):
            peerName = introduction.name
            return .introduced(introduction)
        case .rotation(let event): return .rotated(event)
        case .endorsement(let event): return .endorsed(event)
        case .move(let addresses):
            peerAddresses = addresses
            return .moved(addresses)
        case .revocation(let event):
            state = .ended
            return .revoked(event)
        case .ending(let ending):
            owesEnd = state != .ending
            state = .ended
            return .ended(ending, mustAnswer: owesEnd)
        case .unknown, .erased: return .unknownType(type)
        }
    }
}
