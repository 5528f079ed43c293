internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// One party's direction of the ledger: its keys over time and how far its chain of records has come.
///
/// A relationship keeps one for each side, and verifying an export replays two.
struct LedgerSide: Hashable, Sendable {
    let relationship: RelationshipID
    let direction: SenderRole
    private(set) var keys: LedgerKeys
    /// The latest record of this direction.
    private(set) var head: RecordReference
    /// What the latest record had seen of the other direction.
    private(set) var lastSeen: RecordReference
    /// The number of the record that brought each event after the inception, ascending.
    private(set) var keyChanges: [UInt64] = []
    /// The log of the public identity that vouches for this side, if one does: its key may sign batches.
    private(set) var endorser: KeyLogOutline?
    /// The number of the record that brought each event of the endorser since the handshake, ascending.
    private(set) var endorserChanges: [UInt64] = []
    /// Whether the latest records include this side's end or revocation.
    private(set) var hasEnded = false

    /// A direction without records, of an identity that has only its inception.
    ///
    /// - Parameter signer: For the inviter, the log of the bundle's signer as of its signature of the welcome.
    init(
        relationship: RelationshipID, direction: SenderRole, log: KeyLog, signer: KeyLog? = nil
    ) throws(RelationshipError) {
        keys = try LedgerKeys(log)
        if let signer, signer.domain != nil { endorser = KeyLogOutline(signer) }
        self.relationship = relationship
        self.direction = direction
        head = .start(of: relationship)
        lastSeen = head
    }

    /// The direction as it stood after `last`, one of its records; nil is its beginning.
    func rewound(to last: Entry?) -> LedgerSide {
        var side = self
        side.head = last?.reference ?? .start(of: relationship)
        side.lastSeen = last?.record.lastSeen ?? .start(of: relationship)
        side.keyChanges.removeAll { $0 > side.head.sequence }
        side.keys = keys.prefix(side.keyChanges.count + 1)
        let laterCount = endorserChanges.count { $0 > side.head.sequence }
        side.endorserChanges.removeLast(laterCount)
        side.endorser = endorser.map { $0.prefix($0.count - laterCount) }
        // After an end only a revocation follows, so that the last record tells.
        side.hasEnded = last?.record.type == .end || last?.record.type == .revoke
        return side
    }

    /// The key that signs the record of this number, as far as the log is known.
    func key(at sequence: UInt64) -> VerificationKey {
        keys.outline.signingKey(ofEvent: keyChanges.count { $0 <= sequence })
    }

    /// The keys that may sign a record, as far as the logs are known.
    func keys(for record: Record) -> RecordKeys {
        let own = key(at: record.sequence)
        // What makes or ends keys and relationships stays with the identity whose they are.
        guard let endorser, !record.type.isPermanent else { return RecordKeys(own: own) }
        let later = endorserChanges.count { $0 > record.sequence }
        return RecordKeys(own: own, endorsing: endorser.key(after: endorser.count - later))
    }

    /// What came of a record that is well formed and next in its chain.
    enum Judgement {
        /// The side as it stands after the record.
        case next(LedgerSide, RecordMeaning)
        /// The record's key event contradicts one that is known; the record is signed by this key.
        case fork(ForkEvidence, refusal: ChannelError, signer: VerificationKey)
    }

    /// Judges all but the signature of the record that should be next in this direction, changing nothing.
    ///
    /// - Parameters:
    ///   - other: The latest record of the other direction.
    ///   - known: What the body says, where its digest was just made of it.
    ///   - otherHash: The hash of an earlier record of the other direction; not asked for the latest.
    func examine(
        _ entry: Statement, other: RecordReference, meaning known: RecordMeaning? = nil,
        otherHash: (UInt64) throws(RelationshipError) -> Digest?
    ) throws(RelationshipError) -> Judgement {
        let record = entry.record
        try checkAddressee(of: record)
        guard head.sequence < .max, record.sequence == head.sequence + 1 else {
            throw .missingRecord(expected: head.sequence &+ 1, received: record.sequence)
        }
        guard record.previous == head.hash else { throw .previousMismatch(sequence: record.sequence) }
        try checkLastSeen(of: record, other: other, otherHash: otherHash)
        if known == nil { try entry.checkBodyDigest() }
        if entry.isErased, !record.type.isErasable { throw .bodyMissing(sequence: record.sequence) }
        let meaning = if let known { known } else { try RecordMeaning(of: record.type, body: entry.body) }
        if hasEnded {
            guard case .revocation = meaning, !keys.outline.isRevoked else {
                throw .recordAfterEnd(sequence: record.sequence)
            }
        }

        var next = self
        switch meaning {
        case .rotation(let event), .revocation(let event):
            if let fork = try next.append(event, with: record.sequence) {
                return .fork(
                    .keyEvents(kept: fork.known, received: fork.conflicting), refusal: .keyLogFork(fork),
                    signer: fork.conflicting.signingKey)
            }
        case .endorsement(let event):
            if let known = try next.endorse(event, with: record.sequence) {
                return .fork(
                    .endorsement(kept: known, received: event),
                    refusal: .keyLog(.wrongSequence, sequence: event.sequence), signer: keys.outline.currentKey)
            }
        default: break
        }
        switch meaning {
        case .revocation, .ending: next.hasEnded = true
        default: break
        }
        next.head = entry.reference
        next.lastSeen = record.lastSeen
        return .next(next, meaning)
    }

    /// Judges as ``examine(_:other:otherHash:)`` does and verifies the signature as well.
    func judge(
        _ entry: Entry, other: RecordReference, batches: inout BatchVerifier,
        otherHash: (UInt64) throws(RelationshipError) -> Digest?
    ) throws(RelationshipError) -> Judgement {
        let judgement = try examine(entry.statement, other: other, otherHash: otherHash)
        let keys =
            switch judgement {
            case .next(let next, _): next.keys(for: entry.record)
            case .fork(_, _, let signer): RecordKeys(own: signer)
            }
        try entry.verify(with: keys, batches: &batches)
        return judgement
    }

    /// Continues the key log with the event of a record; a contradicting event comes back as evidence.
    private mutating func append(_ event: KeyEvent, with sequence: UInt64) throws(RelationshipError) -> KeyLogFork? {
        let outcome: LedgerKeys.Outcome
        do {
            outcome = try keys.append(event)
        } catch {
            throw .keyEventRefused(sequence: sequence, error)
        }
        switch outcome {
        case .known:
            throw .keyEventRefused(sequence: sequence, .keyLog(.wrongSequence, sequence: event.sequence))
        case .contradicted(let fork): return fork
        case .added:
            keyChanges.append(sequence)
            return nil
        }
    }

    /// Follows the endorser's log by the event of a record; returns the digest of the known event that it contradicts.
    private mutating func endorse(_ event: KeyEvent, with sequence: UInt64) throws(RelationshipError) -> Digest? {
        let outcome: KeyLogOutline.Outcome?
        do {
            outcome = try endorser?.append(event)
        } catch {
            throw .keyEventRefused(sequence: sequence, error)
        }
        switch outcome {
        case nil: throw .notEndorsed(sequence: sequence)
        case .known:
            throw .keyEventRefused(sequence: sequence, .keyLog(.wrongSequence, sequence: event.sequence))
        case .contradicted(let known): return known
        case .added:
            endorserChanges.append(sequence)
            return nil
        }
    }

    /// Refuses a record that was said in another relationship or by the other side.
    func checkAddressee(of record: Record) throws(RelationshipError) {
        guard record.relationship == relationship else { throw .wrongRelationship(record.relationship) }
        guard record.direction == direction else { throw .wrongDirection(record.direction) }
    }

    /// The number whose hash ``examine(_:other:otherHash:)`` will ask for.
    func lookup(for record: Record, other: RecordReference) -> UInt64? {
        let seen = record.lastSeen.sequence
        return seen > lastSeen.sequence && seen < other.sequence ? seen : nil
    }

    private func checkLastSeen(
        of record: Record, other: RecordReference,
        otherHash: (UInt64) throws(RelationshipError) -> Digest?
    ) throws(RelationshipError) {
        let seen = record.lastSeen
        guard seen.sequence >= lastSeen.sequence else { throw .lastSeenWentBack(sequence: record.sequence) }
        guard seen.sequence <= other.sequence else { throw .lastSeenAhead(sequence: record.sequence) }
        let expected: Digest? =
            if seen.sequence == lastSeen.sequence {
                lastSeen.hash
            } else if seen.sequence == other.sequence {
                other.hash
            } else {
                try otherHash(seen.sequence)
            }
        guard seen.hash == expected else { throw .lastSeenMismatch(sequence: record.sequence) }
    }
}

// MARK: - Stored form

extension LedgerSide {
    func write(to writer: inout CBORWriter) {
        writer.writeArrayHeader(endorser == nil ? 6 : 8)
        keys.write(to: &writer)
        head.write(to: &writer)
        lastSeen.write(to: &writer)
        writer.writeArrayHeader(keyChanges.count)
        for sequence in keyChanges { writer.writeUnsigned(sequence) }
        writer.writeBool(hasEnded)
        guard let endorser else { return }
        endorser.write(to: &writer)
        writer.writeArrayHeader(endorserChanges.count)
        for sequence in endorserChanges { writer.writeUnsigned(sequence) }
    }

    init(reading reader: inout CBORReader, relationship: RelationshipID, direction: SenderRole) throws {
        self.relationship = relationship
        self.direction = direction
        let start = reader.offset
        let count = try reader.readArrayHeader(maximum: 8)
        guard count == 6 || count == 8 else { throw CBORError.wrongLength(expected: 6, actual: count, at: start) }
        keys = try LedgerKeys(reading: &reader)
        head = try RecordReference(reading: &reader)
        lastSeen = try RecordReference(reading: &reader)
        keyChanges = try Self.readChanges(&reader)
        hasEnded = try reader.readBool()
        if count == 8 {
            endorser = try KeyLogOutline(reading: &reader)
            endorserChanges = try Self.readChanges(&reader)
        }

        let beginning = RecordReference.start(of: relationship)
        guard head.sequence > 0 || (head == beginning && lastSeen == beginning && !hasEnded) else {
            throw RelationshipError.inconsistent("a direction without records has more than its start")
        }
        guard keyChanges.count == keys.outline.count - 1, areRecords(keyChanges) else {
            throw RelationshipError.inconsistent("the key log and the records that carried its events")
        }
        guard endorserChanges.count <= (endorser?.count ?? 1) - 1, areRecords(endorserChanges) else {
            throw RelationshipError.inconsistent("the endorsing identity's log and the records that carried its events")
        }
        guard endorser == nil || direction == .inviter else {
            throw RelationshipError.inconsistent("an invitee is endorsed")
        }
        guard hasEnded || !keys.outline.isRevoked else {
            throw RelationshipError.inconsistent("a revoked identity goes on")
        }
    }

    private static func readChanges(_ reader: inout CBORReader) throws(CBORError) -> [UInt64] {
        var changes: [UInt64] = []
        for _ in 0..<(try reader.readArrayHeader(maximum: KeyLog.maximumEventCount - 1)) {
            changes.append(try reader.readUnsigned())
        }
        return changes
    }

    /// Whether these are numbers of records of this direction, ascending.
    private func areRecords(_ changes: [UInt64]) -> Bool {
        zip(changes, changes.dropFirst()).allSatisfy { $0 < $1 }
            && changes.allSatisfy { 1 <= $0 && $0 <= head.sequence }
    }
}

/// The keys that may sign one record.
struct RecordKeys {
    /// The key in force of the identity that says it, alone or in a batch.
    let own: VerificationKey
    /// The key in force of the public identity that vouches for it, in a batch only.
    var endorsing: VerificationKey?
}
