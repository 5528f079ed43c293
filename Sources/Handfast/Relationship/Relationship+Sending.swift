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
    ///   ``RelationshipError/wrongIdentity(_:)``, ``RelationshipError/identity(_:)``.
    /// - Source: Spec/05 §5.1, §5.5
    public mutating func append(
        _ type: RecordType, _ body: some Encodable, thread: ThreadID? = nil, at time: Timestamp,
        with identity: borrowing Identity, using random: inout some RandomNumberGenerator
    ) throws(RelationshipError) -> Entry {
        guard state == .welcomed || state == .live else { throw .notAllowed(.append, in: state) }
        guard !type.isPermanent || type == .introduce else { throw .reservedType(type) }
        try checkOwn(identity.log)
        let (next, entry) = try sign(type, body, thread: thread, at: time, with: identity, using: &random)
        own = next
        return entry
    }

    /// Replaces the own keys and signs the record that tells the peer, with the new key.
    ///
    /// Store identity, relationship and entry together: a record signed by a key that was not stored is lost.
    ///
    /// - Throws: ``RelationshipError/notAllowed(_:in:)``, ``RelationshipError/wrongIdentity(_:)``,
    ///   ``RelationshipError/identity(_:)``.
    /// - Source: Spec/02 §2.2; Spec/05 §5.3
    public mutating func rotate(
        _ identity: inout Identity, at time: Timestamp, using random: inout some RandomNumberGenerator
    ) throws(RelationshipError) -> Entry {
        guard state == .welcomed || state == .live else { throw .notAllowed(.rotate, in: state) }
        try checkOwn(identity.log)
        let event: KeyEvent
        do {
            event = try identity.rotate(at: time, using: &random)
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
    /// Builds the next own record and judges it as the peer will, so that nothing is signed that must be refused.
    private func sign(
        _ type: RecordType, _ body: some Encodable, thread: ThreadID? = nil, at time: Timestamp,
        with identity: borrowing Identity, using random: inout some RandomNumberGenerator
    ) throws(RelationshipError) -> (LedgerSide, Entry) {
        let bytes = try RecordMeaning.encode(body, as: type)
        let salt = random.bytes(Entry.saltCount)
        let record = Record(
            relationship: id, direction: role, sequence: own.head.sequence + 1, previous: own.head.hash,
            lastSeen: peerHead, time: time, type: type, thread: thread,
            bodyDigest: Record.digest(ofBody: bytes, salt: salt))
        let entry = try Entry(
            signed: COSESign1.sign(record.encoded(), type: Record.mediaType, with: identity.signingKey), salt: salt,
            body: bytes)
        guard case .next(let next, _) = try own.examine(entry, other: peerHead, otherHash: { _ in nil }),
            next.log == identity.log
        else { throw .wrongIdentity(identity.id) }
        return (next, entry)
    }

    private func checkOwn(_ log: KeyLog) throws(RelationshipError) {
        guard log == own.log else { throw .wrongIdentity(log.id) }
    }
}
