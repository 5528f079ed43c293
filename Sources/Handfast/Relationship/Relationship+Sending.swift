public import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

extension Relationship {
    /// Signs the next own record with a body of one of the types that this version knows.
    ///
    /// - Throws: as ``append(_:_:thread:at:with:using:)``.
    public mutating func append(
        _ body: some RecordBody, thread: ThreadID? = nil, at time: Timestamp, with identity: borrowing Identity,
        using random: inout some RandomNumberGenerator
    ) throws(RelationshipError) -> Entry {
        try append(type(of: body).recordType, body, thread: thread, at: time, with: identity, using: &random)
    }

    /// Signs the next own record: links it to the one before and to the peer's latest, and moves the own head.
    ///
    /// - Parameters:
    ///   - type: The record type; of the family `relationship` only ``RecordType/introduce``.
    ///   - body: Encoded as a CBOR map with text keys, at most 61,440 bytes.
    ///   - thread: The matter that the record belongs to.
    ///   - time: The present moment, as this side's clock has it.
    ///   - identity: The own identity, at the same event of its log as ``ownLog``.
    ///   - random: Draws the salt, 16 bytes.
    /// - Throws: ``RelationshipError/notAllowed(_:in:)``, ``RelationshipError/reservedType(_:)``,
    ///   ``RelationshipError/malformedBody(_:reason:)``, ``RelationshipError/bodyTooLarge(bytes:)``,
    ///   ``RelationshipError/wrongIdentity(_:)``, ``RelationshipError/identity(_:)``,
    ///   ``RelationshipError/awaitingOwnRecords(upTo:)``.
    /// - Source: Spec/05 §5.1, §5.5
    public mutating func append(
        _ type: RecordType, _ body: some Encodable, thread: ThreadID? = nil, at time: Timestamp,
        with identity: borrowing Identity, using random: inout some RandomNumberGenerator
    ) throws(RelationshipError) -> Entry {
        guard state == .welcomed || state == .live else { throw .notAllowed(.append, in: state) }
        let entries = try append(
            [NewRecord(type, body, thread: thread)], at: time, with: identity, using: &random)
        return entries[0]
    }

    /// Signs the next own records, in order, all or none: several by one signature.
    ///
    /// - Parameters:
    ///   - records: 1 to 32,768.
    ///   - time: The present moment, as this side's clock has it.
    ///   - identity: The own identity, at the same event of its log as ``ownLog``.
    ///   - random: Draws a salt for each body, 16 bytes, and for each place in the batch, 32.
    /// - Throws: ``RelationshipError/notAllowed(_:in:)``, ``RelationshipError/tooMany(_:limit:)``,
    ///   ``RelationshipError/malformedBody(_:reason:)``, ``RelationshipError/wrongIdentity(_:)``.
    /// - Source: Spec/05 §5.1, §5.9
    public mutating func append(
        _ records: [NewRecord], at time: Timestamp, with identity: borrowing Identity,
        using random: inout some RandomNumberGenerator
    ) throws(RelationshipError) -> [Entry] {
        guard state == .welcomed || state == .live else { throw .notAllowed(.append, in: state) }
        guard (1...LedgerLimits.batch).contains(records.count) else {
            throw .tooMany("records in a batch", limit: LedgerLimits.batch)
        }
        try checkOwn(identity.log)
        if let record = records.first, records.count == 1 {
            let (next, entry) = try sign(record, at: time, with: identity, using: &random)
            own = next
            return [entry]
        }
        var side = own
        var entries: [UnsignedEntry] = []
        entries.reserveCapacity(records.count)
        for record in records {
            let (next, entry) = try make(record, after: side, at: time, using: &random)
            side = next
            entries.append(entry)
        }
        own = side
        return UnsignedEntry.sign(entries, with: identity.signingKey, using: &random)
    }

    /// Makes the next own record, which the signature of the broadcast will cover, and moves the own head.
    ///
    /// - Throws: ``RelationshipError/notAllowed(_:in:)``, ``RelationshipError/wrongPublicIdentity(_:)`` unless the
    ///   broadcast's identity vouches for this side and the peer knows its present key,
    ///   ``RelationshipError/tooMany(_:limit:)``, ``RelationshipError/reservedType(_:)`` for the family `relationship`,
    ///   ``RelationshipError/malformedBody(_:reason:)``.
    /// - Source: Spec/05 §5.9
    public mutating func append(
        _ record: NewRecord, to broadcast: inout Broadcast, at time: Timestamp,
        using random: inout some RandomNumberGenerator
    ) throws(RelationshipError) {
        guard state == .welcomed || state == .live else { throw .notAllowed(.append, in: state) }
        guard let endorser = own.endorser, endorser.matches(broadcast.log), !endorser.isRevoked else {
            throw .wrongPublicIdentity(broadcast.log.id)
        }
        guard !record.type.isPermanent else { throw .reservedType(record.type) }
        let (next, entry) = try make(record, after: own, at: time, using: &random)
        try broadcast.add(entry)
        own = next
    }

    /// Tells the peer of the next key event of the public identity that vouches for this side.
    ///
    /// - Throws: ``RelationshipError/notAllowed(_:in:)``, ``RelationshipError/wrongIdentity(_:)``,
    ///   ``RelationshipError/notEndorsed(sequence:)``, ``RelationshipError/keyEventRefused(sequence:_:)``.
    /// - Source: Spec/05 §5.9
    public mutating func endorse(
        _ event: KeyEvent, at time: Timestamp, with identity: borrowing Identity,
        using random: inout some RandomNumberGenerator
    ) throws(RelationshipError) -> Entry {
        guard state == .welcomed || state == .live else { throw .notAllowed(.endorse, in: state) }
        try checkOwn(identity.log)
        let (next, entry) = try sign(.endorse, Endorsement(event), at: time, with: identity, using: &random)
        own = next
        return entry
    }

    /// Tells the peer where this side receives from now on.
    ///
    /// - Parameter addresses: 1 to 4, the preferred one first.
    /// - Throws: ``RelationshipError/notAllowed(_:in:)``, ``RelationshipError/wrongIdentity(_:)``,
    ///   ``RelationshipError/malformedBody(_:reason:)``, ``RelationshipError/awaitingOwnRecords(upTo:)``.
    /// - Source: Spec/05 §5.11
    public mutating func move(
        to addresses: [Address], at time: Timestamp, with identity: borrowing Identity,
        using random: inout some RandomNumberGenerator
    ) throws(RelationshipError) -> Entry {
        guard state == .welcomed || state == .live else { throw .notAllowed(.move, in: state) }
        try checkOwn(identity.log)
        let (next, entry) = try sign(.move, Move(addresses), at: time, with: identity, using: &random)
        own = next
        return entry
    }

    /// Replaces the own keys and signs the record that tells the peer, with the new key.
    ///
    /// Store identity, relationship and entry together: a record signed by a key that was not stored is lost.
    ///
    /// - Parameter promise: The next key, of the recovery root; nil for a random one.
    /// - Throws: ``RelationshipError/notAllowed(_:in:)``, ``RelationshipError/wrongIdentity(_:)``,
    ///   ``RelationshipError/identity(_:)``.
    /// - Source: Spec/02 §2.2; Spec/05 §5.3
    public mutating func rotate(
        _ identity: inout Identity, at time: Timestamp, promising promise: PromisedKey? = nil,
        using random: inout some RandomNumberGenerator
    ) throws(RelationshipError) -> Entry {
        guard state == .welcomed || state == .live else { throw .notAllowed(.rotate, in: state) }
        try checkOwn(identity.log)
        let event: KeyEvent
        do {
            if peerHasSeenOwnKeys { identity.forgetEarlierSealingKey() }
            event = try identity.rotate(
                at: time, keepingSealingKey: true, promising: promise, using: &random)
        } catch {
            throw .identity(error)
        }
        let (next, entry) = try sign(.rotate, Rotation(event), at: time, with: identity, using: &random)
        own = next
        return entry
    }

    /// Ends the own identity, and with it the relationship: for keys that may be in other hands.
    ///
    /// - Throws: ``RelationshipError/notAllowed(_:in:)`` in states greeted, ended and frozen,
    ///   ``RelationshipError/wrongIdentity(_:)``, ``RelationshipError/identity(_:)``.
    /// - Source: Spec/02 §2.2; Spec/05 §5.5
    public mutating func revoke(
        _ identity: inout Identity, at time: Timestamp, using random: inout some RandomNumberGenerator
    ) throws(RelationshipError) -> Entry {
        guard [.welcomed, .live, .ending].contains(state) else { throw .notAllowed(.revoke, in: state) }
        try checkOwn(identity.log)
        let event: KeyEvent
        do {
            event = try identity.revoke(at: time)
        } catch {
            throw .identity(error)
        }
        let (next, entry) = try sign(.revoke, Revocation(event), at: time, with: identity, using: &random)
        own = next
        state = .ended
        return entry
    }

    /// Ends the relationship, or answers the peer's end while ``owesEnd``.
    ///
    /// - Throws: ``RelationshipError/notAllowed(_:in:)`` where no end is due; ``close()`` needs no record.
    /// - Source: Spec/05 §5.5
    public mutating func end(
        reason: String? = nil, at time: Timestamp, with identity: borrowing Identity,
        using random: inout some RandomNumberGenerator
    ) throws(RelationshipError) -> Entry {
        guard state == .welcomed || state == .live || owesEnd else { throw .notAllowed(.end, in: state) }
        try checkOwn(identity.log)
        let (next, entry) = try sign(.end, Ending(reason: reason), at: time, with: identity, using: &random)
        own = next
        if owesEnd { owesEnd = false } else { state = .ending }
        return entry
    }

    /// Ends the relationship on this side alone, without a record and without the peer's answer.
    ///
    /// For an unanswered `hello`, an end that is not answered, a frozen relationship, or a peer that cannot be reached.
    ///
    /// - Throws: ``RelationshipError/notAllowed(_:in:)`` once ended.
    /// - Source: Spec/05 §5.5
    public mutating func close() throws(RelationshipError) {
        guard state != .ended else { throw .notAllowed(.close, in: state) }
        state = .ended
    }
}

extension Relationship {
    func sign(
        _ type: RecordType, _ body: some RecordBody, at time: Timestamp, with identity: borrowing Identity,
        using random: inout some RandomNumberGenerator
    ) throws(RelationshipError) -> (LedgerSide, Entry) {
        try sign(NewRecord(reserved: type, body), at: time, with: identity, using: &random)
    }

    private func sign(
        _ record: NewRecord, at time: Timestamp, with identity: borrowing Identity,
        using random: inout some RandomNumberGenerator
    ) throws(RelationshipError) -> (LedgerSide, Entry) {
        let (next, entry) = try make(record, after: own, at: time, using: &random)
        guard next.keys.outline.matches(identity.log) else { throw .wrongIdentity(identity.id) }
        let signed = COSESign1.sign(entry.payload, type: Record.mediaType, with: identity.signingKey)
        return (next, Entry(signed: signed, statement: entry.statement))
    }

    /// Builds the own record that follows `side` and judges it as the peer will, so that nothing is signed that must be
    /// refused.
    private func make(
        _ new: NewRecord, after side: LedgerSide, at time: Timestamp, using random: inout some RandomNumberGenerator
    ) throws(RelationshipError) -> (LedgerSide, UnsignedEntry) {
        if let awaited { throw .awaitingOwnRecords(upTo: awaited.sequence) }
        let salt = random.bytes(Entry.saltCount)
        let record = Record(
            relationship: id, direction: role, sequence: side.head.sequence + 1, previous: side.head.hash,
            lastSeen: peerHead, time: time, type: new.type, thread: new.thread,
            bodyDigest: Record.digest(ofBody: new.body, salt: salt))
        let payload = record.encoded()
        let hash = UnsignedEntry.hash(of: payload, protected: Record.protectedHeader)
        let statement = Statement(record: record, hash: hash, salt: salt, body: new.body)
        guard
            case .next(let next, _) = try side.examine(
                statement, other: peerHead, meaning: new.meaning, otherHash: { _ in nil })
        else {
            throw .wrongIdentity(side.keys.outline.id)
        }
        return (next, UnsignedEntry(statement: statement, payload: payload))
    }

    private func checkOwn(_ log: KeyLog) throws(RelationshipError) {
        if let awaited { throw .awaitingOwnRecords(upTo: awaited.sequence) }
        guard own.keys.outline.matches(log) else { throw .wrongIdentity(log.id) }
    }
}
