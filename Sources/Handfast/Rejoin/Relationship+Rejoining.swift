public import HandfastChannel
public import HandfastCrypto
internal import HandfastEncoding

extension Relationship {
    /// Whether its state lets this side ask for a new epoch.
    public var mayRejoin: Bool { [.welcomed, .live, .ending].contains(state) }

    /// Whether a rejoin of the peer is answered: where this side may ask itself, and where it froze over its own records,
    /// so that the peer is shown them.
    public var answersRejoin: Bool { mayRejoin || ownFork != nil }

    /// The number of the own record that contradicts another own one, over which the relationship froze.
    private var ownFork: UInt64? {
        guard state == .frozen, case .ownRecords(let kept, _) = evidence else { return nil }
        return kept.record.sequence
    }

    /// Whether the peer's records have seen every own rotation, so that it seals to the X-Wing key in force.
    ///
    /// ``Identity/forgetEarlierSealingKey()`` is due then.
    public var peerHasSeenOwnKeys: Bool { own.keyChanges.last ?? 0 <= peerLastSeen.sequence }

    /// How far both directions have come here, for a rejoin or its answer.
    ///
    /// - Parameter ownHash: The hash of the own record of a number; asked for ``LedgerHeads/numbers(upTo:)`` of
    ///   ``ownHead``, except the latest.
    /// - Throws: ``RelationshipError/recordNotAtHand(sequence:)``, and what `ownHash` throws.
    public func heads(
        ownHash: (UInt64) throws(RelationshipError) -> Digest?
    ) throws(RelationshipError) -> LedgerHeads {
        var references: [RecordReference] = []
        for number in LedgerHeads.numbers(upTo: ownHead.sequence) {
            guard let hash = number == ownHead.sequence ? ownHead.hash : try ownHash(number) else {
                throw .recordNotAtHand(sequence: number)
            }
            references.append(RecordReference(sequence: number, hash: hash))
        }
        return LedgerHeads(own: references, peer: peerHead)
    }

    /// The records whose hashes ``reconcile(with:ownHash:peerHash:)`` may ask for.
    public func lookups(for theirs: LedgerHeads) -> LedgerLookups {
        LedgerLookups(
            own: [theirs.peer.sequence].filter { $0 > 0 && $0 < ownHead.sequence },
            peer: theirs.own.map(\.sequence).filter { $0 < peerHead.sequence })
    }

    /// Compares both sides' heads: says what to send, and whether own records must come back before any is signed.
    ///
    /// A side that froze over its own records sends the one that it kept, and nothing else.
    ///
    /// - Parameters:
    ///   - theirs: What the peer told in its rejoin or in its answer.
    ///   - ownHash: The hash of the own record of a number, from the ledger.
    ///   - peerHash: The hash of the peer's record of a number, from the ledger.
    /// - Throws: ``RelationshipError/notAllowed(_:in:)``, and what the closures throw.
    /// - Source: Spec/05 §5.10
    public mutating func reconcile(
        with theirs: LedgerHeads, ownHash: (UInt64) throws(RelationshipError) -> Digest?,
        peerHash: (UInt64) throws(RelationshipError) -> Digest?
    ) throws(RelationshipError) -> Reconciliation {
        if let ownFork { return Reconciliation(resent: ownFork...ownFork, returned: nil) }
        guard mayRejoin else { throw .notAllowed(.rejoin, in: state) }
        var common: UInt64 = 0
        for reference in theirs.own where reference.sequence <= peerHead.sequence {
            let hash = reference.sequence == peerHead.sequence ? peerHead.hash : try peerHash(reference.sequence)
            if hash == reference.hash {
                common = reference.sequence
                break
            }
        }
        let held = theirs.peer
        let isHeldHere: Bool =
            if held.sequence == 0 {
                true
            } else if held.sequence == ownHead.sequence {
                held.hash == ownHead.hash
            } else if held.sequence < ownHead.sequence {
                try ownHash(held.sequence) == held.hash
            } else {
                false
            }
        awaited = isHeldHere ? nil : held
        return Reconciliation(
            resent: isHeldHere && held.sequence < ownHead.sequence ? held.sequence + 1...ownHead.sequence : nil,
            returned: common < peerHead.sequence ? common + 1...peerHead.sequence : nil)
    }

    /// The stored records that ``receiveReturned(_:ownEntry:peerEntry:)`` may ask for.
    public func lookups(forReturned entry: Entry) -> LedgerLookups {
        let sequence = entry.record.sequence
        guard entry.record.direction == role else {
            switch lookup(for: entry) {
            case .ownHash(let number): return LedgerLookups(own: [number])
            case .peerEntry(let number): return LedgerLookups(peer: [number])
            case nil: return LedgerLookups()
            }
        }
        guard entry.reference != ownHead, sequence > 0 else { return LedgerLookups() }
        let seen = entry.record.lastSeen.sequence
        return LedgerLookups(
            own: sequence <= ownHead.sequence ? [sequence - 1, sequence].filter { $0 > 0 } : [],
            peer: seen > 0 && seen < peerHead.sequence ? [seen] : [])
    }

    /// Judges a record of either direction that came after a rejoin.
    ///
    /// A record of the peer is judged as ever. An own one proves itself by the own signature: where it follows the
    /// latest, it is back; where it contradicts own records that the peer has not acknowledged, those are void. Where the
    /// peer has acknowledged them, it holds what two copies of this vault said, and the relationship freezes.
    ///
    /// - Parameters:
    ///   - entry: The record; an own one may lack its body if the peer has erased it.
    ///   - ownEntry: The own record of a number, from the ledger; nil if there is none.
    ///   - peerEntry: The peer's record of a number, from the ledger; nil if there is none.
    /// - Throws: ``RelationshipError``; the relationship is then as it was.
    /// - Source: Spec/05 §5.10
    public mutating func receiveReturned(
        _ entry: Entry, ownEntry: (UInt64) throws(RelationshipError) -> Entry?,
        peerEntry: (UInt64) throws(RelationshipError) -> Entry?
    ) throws(RelationshipError) -> ReturnedOutcome {
        guard entry.record.direction == role else {
            return .peer(
                try receive(
                    entry, ownHash: { number throws(RelationshipError) in try ownEntry(number)?.hash },
                    peerEntry: peerEntry))
        }
        guard mayRejoin else { throw .notAllowed(.receive, in: state) }
        try own.checkAddressee(of: entry.record)
        let (sequence, head) = (entry.record.sequence, own.head)
        if entry.reference == head { return .known }
        var base = own
        var batches = BatchVerifier()
        if sequence > 0, sequence <= head.sequence {
            guard let kept = try ownEntry(sequence) else { throw .recordNotAtHand(sequence: sequence) }
            if kept.hash == entry.hash { return .known }
            guard sequence > peerLastSeen.sequence else {
                try entry.verify(with: own.keys(for: entry.record), batches: &batches)
                awaited = nil
                return .forked(freeze(with: .ownRecords(kept: kept.withoutBody, received: entry.withoutBody)))
            }
            base = try rewound(before: sequence, ownEntry: ownEntry)
        }
        let judgement = try base.judge(entry, other: peerHead, batches: &batches) { number throws(RelationshipError) in
            try peerEntry(number)?.hash
        }
        let meaning: RecordMeaning
        switch judgement {
        case .next(let next, let said): (own, meaning) = (next, said)
        case .fork(_, let refusal, _): throw .keyEventRefused(sequence: sequence, refusal)
        }
        switch meaning {
        case .revocation: state = .ended
        case .ending: state = .ending
        default: if state == .ending { state = .live }
        }
        if awaited == own.head { awaited = nil }
        return .restored(void: sequence <= head.sequence ? sequence...head.sequence : nil)
    }

    /// The own direction as it stood before a record.
    private func rewound(
        before sequence: UInt64, ownEntry: (UInt64) throws(RelationshipError) -> Entry?
    ) throws(RelationshipError) -> LedgerSide {
        guard sequence > 1 else { return own.rewound(to: nil) }
        guard let last = try ownEntry(sequence - 1) else { throw .recordNotAtHand(sequence: sequence - 1) }
        return own.rewound(to: last)
    }

    /// Says again a rotation whose record has become void: the identity has moved on, the ledger has not.
    ///
    /// Call it once ``awaited`` is nil, before anything else is signed.
    ///
    /// - Returns: The record to keep and send; nil when there is nothing to say again.
    /// - Throws: ``RelationshipError/notAllowed(_:in:)``, ``RelationshipError/awaitingOwnRecords(upTo:)``,
    ///   ``RelationshipError/wrongIdentity(_:)`` when more than one rotation was lost: only the last one's key is left to
    ///   sign, so that the relationship cannot go on.
    /// - Source: Spec/05 §5.10
    public mutating func restateRotation(
        at time: Timestamp, with identity: borrowing Identity, using random: inout some RandomNumberGenerator
    ) throws(RelationshipError) -> Entry? {
        guard !own.keys.outline.matches(identity.log) else { return nil }
        if let awaited { throw .awaitingOwnRecords(upTo: awaited.sequence) }
        guard state == .welcomed || state == .live else { throw .notAllowed(.rotate, in: state) }
        guard let event = identity.log.events.last, event.kind == .rotation else { throw .wrongIdentity(identity.id) }
        let (next, entry) = try sign(.rotate, Rotation(event), at: time, with: identity, using: &random)
        own = next
        return entry
    }

    /// Freezes the relationship with two key events of the peer that exclude each other, as a rejoin showed them.
    ///
    /// - Throws: ``RelationshipError/notAllowed(_:in:)`` unless it could rejoin.
    public mutating func freeze(with fork: KeyLogFork) throws(RelationshipError) {
        guard mayRejoin else { throw .notAllowed(.receive, in: state) }
        freeze(with: .keyEvents(kept: fork.known, received: fork.conflicting))
    }
}

extension Relationship {
    /// Takes where the peer receives from a rejoin of its that stands, or from the answer to an own one; the next `move`
    /// takes its place.
    ///
    /// - Returns: whether that is elsewhere than was known.
    /// - Source: Spec/05 §5.11
    public mutating func peerReceives(at addresses: [Address]) -> Bool {
        guard !addresses.isEmpty, addresses != peerAddresses else { return false }
        peerAddresses = addresses
        return true
    }
}

extension RecordContent {
    /// Joins records of both directions in an order in which each follows those that it has seen.
    ///
    /// - Parameters:
    ///   - own: Records of one direction without a gap, ascending.
    ///   - peer: Records of the other, likewise.
    /// - Source: Spec/05 §5.10
    public static func merged(own: [Entry], peer: [Entry]) -> [Entry] {
        var merged: [Entry] = []
        merged.reserveCapacity(own.count + peer.count)
        var (own, peer) = (own[...], peer[...])
        while let next = peer.first {
            if let other = own.first, next.record.lastSeen.sequence >= other.record.sequence {
                merged.append(own.removeFirst())
            } else {
                merged.append(peer.removeFirst())
            }
        }
        return merged + own
    }

    /// The first records of a longer list of both directions, in the order of ``merged(own:peer:)``.
    ///
    /// - Parameters:
    ///   - own: The next records of one direction, ascending.
    ///   - ownIsAll: Whether no more follow in it.
    ///   - peer: The next of the other, likewise.
    ///   - peerIsAll: Whether no more follow in it.
    /// - Returns: Those whose place does not depend on what follows; at least one where there is any.
    public static func merged(own: [Entry], ownIsAll: Bool, peer: [Entry], peerIsAll: Bool) -> [Entry] {
        let all = merged(own: own, peer: peer)
        var end = all.count
        for last in [ownIsAll ? nil : own.last, peerIsAll ? nil : peer.last].compactMap(\.?.reference) {
            guard let index = all.firstIndex(where: { $0.reference == last }) else { continue }
            end = min(end, index + 1)
        }
        return Array(all[..<end])
    }
}
