internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

extension Relationship {
    /// The stored form's version.
    private static let version: UInt64 = 2

    /// The stored form: about 600 bytes with two unrotated identities, ``LedgerLimits/relationship`` bytes at the utmost.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter(reservingCapacity: 1_024)
        writer.writeMap { writer in
            writer.writeKey(0)
            writer.writeUnsigned(Self.version)
            writer.writeKey(1)
            writer.writeBytes(id.digest.bytes)
            writer.writeKey(2)
            writer.writeUnsigned(UInt64(role.rawValue))
            writer.writeKey(3)
            writer.writeUnsigned(UInt64(state.rawValue))
            writer.writeKey(4)
            writer.writeUnsigned(created.seconds)
            writer.writeKey(5)
            writer.writeBytes(signer.digest.bytes)
            if let domain {
                writer.writeKey(6)
                writer.writeText(domain)
            }
            writer.writeKey(7)
            writer.writeArrayHeader(peerAddresses.count)
            for address in peerAddresses { address.write(to: &writer) }
            if let peerName {
                writer.writeKey(8)
                writer.writeText(peerName)
            }
            writer.writeKey(9)
            writer.writeBool(owesEnd)
            writer.writeKey(10)
            own.write(to: &writer)
            if let peer {
                writer.writeKey(11)
                peer.write(to: &writer)
            }
            if let evidence {
                writer.writeKey(12)
                evidence.write(to: &writer)
            }
            if let awaited {
                writer.writeKey(13)
                awaited.write(to: &writer)
            }
        }
        return writer.bytes
    }

    /// Reads what ``encoded()`` wrote.
    /// - Throws: ``RelationshipError/malformed(_:_:)``, ``RelationshipError/malformedPart(_:_:)``,
    ///   ``RelationshipError/unsupportedVersion(_:)``, ``RelationshipError/inconsistent(_:)``
    public init(decoding bytes: RawSpan) throws(RelationshipError) {
        self = try RelationshipError.decoding("relationship", bytes, maximum: LedgerLimits.relationship) { reader in
            try Relationship(reading: &reader)
        }
        try checkConsistency()
    }

    private init(reading reader: inout CBORReader) throws {
        var map = try reader.readIntegerMap(maximum: 14)
        try map.requireKey(0, &reader)
        let version = try reader.readUnsigned()
        guard version == Self.version else { throw RelationshipError.unsupportedVersion(version) }
        try map.requireKey(1, &reader)
        let id = RelationshipID(try Digest(reading: &reader))
        try map.requireKey(2, &reader)
        let role: SenderRole = try reader.readUnsigned(maximum: 1) == 0 ? .invitee : .inviter
        try map.requireKey(3, &reader)
        let stateNumber = try reader.readUnsigned(as: UInt8.self)
        guard let state = RelationshipState(rawValue: stateNumber) else {
            throw RelationshipError.inconsistent("there is no state \(stateNumber)")
        }
        try map.requireKey(4, &reader)
        let created = Timestamp(seconds: try reader.readUnsigned())
        try map.requireKey(5, &reader)
        let signer = IdentityID(try Digest(reading: &reader))
        let domain = try map.hasKey(6, &reader) ? reader.readText(maximum: KeyEvent.maximumDomainByteCount) : nil
        try map.requireKey(7, &reader)
        let addressCount = try reader.readArrayHeader(maximum: Address.maximumCount)
        let peerAddresses = try (0..<addressCount).map { _ in try Address(reading: &reader) }
        let peerName = try map.hasKey(8, &reader) ? reader.readText(maximum: LedgerLimits.name) : nil
        try map.requireKey(9, &reader)
        let owesEnd = try reader.readBool()
        try map.requireKey(10, &reader)
        let own = try LedgerSide(reading: &reader, relationship: id, direction: role)
        let peer =
            try map.hasKey(11, &reader)
            ? LedgerSide(reading: &reader, relationship: id, direction: role.other) : nil
        let evidence = try map.hasKey(12, &reader) ? ForkEvidence(reading: &reader) : nil
        let awaited = try map.hasKey(13, &reader) ? RecordReference(reading: &reader) : nil
        try map.finish(&reader)

        self.init(
            id: id, role: role, state: state, created: created, signer: signer, domain: domain,
            peerAddresses: peerAddresses, own: own, peer: peer)
        self.peerName = peerName
        self.owesEnd = owesEnd
        self.evidence = evidence
        self.awaited = awaited
    }

    private func checkConsistency() throws(RelationshipError) {
        switch state {
        case .greeted:
            guard role == .invitee, peer == nil else { throw .inconsistent("greeted, and yet it knows the peer") }
        case .welcomed:
            guard role == .inviter, peer != nil else { throw .inconsistent("welcomed without a peer") }
        case .live, .ending, .frozen:
            guard peer != nil else { throw .inconsistent("\(state) without a peer") }
        case .ended: break
        }
        guard (evidence == nil) == (state != .frozen) || state == .ended else {
            throw .inconsistent("frozen without evidence, or evidence without being frozen")
        }
        guard !owesEnd || (state == .ended && peer?.hasEnded == true && !own.hasEnded) else {
            throw .inconsistent("an end is owed that nobody asked for")
        }
        guard own.hasEnded == false || [.ending, .ended, .frozen].contains(state) else {
            throw .inconsistent("the own end is signed, and yet the relationship goes on")
        }
        guard awaited?.sequence != 0, awaited == nil || peer != nil else {
            throw .inconsistent("a record is awaited that nobody can hold")
        }
        guard peer?.lastSeen.sequence ?? 0 <= own.head.sequence, own.lastSeen.sequence <= peerHead.sequence else {
            throw .inconsistent("a side has seen records that do not exist")
        }
    }
}
