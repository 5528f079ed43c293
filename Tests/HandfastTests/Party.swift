import HandfastChannel
import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport

@testable import Handfast

/// One side as a node would be: identity, relationship and ledger, without disk and network.
final class Party {
    var identity: Identity
    var relationship: Relationship
    let proof: HandshakeProof
    var ownEntries: [Entry]
    var peerEntries: [Entry]
    var random: SeededEntropy
    var clock: UInt64

    init(
        identity: consuming Identity, relationship: Relationship, proof: HandshakeProof, ownEntries: [Entry],
        peerEntries: [Entry], random: SeededEntropy, clock: Timestamp
    ) {
        self.identity = identity
        self.relationship = relationship
        self.proof = proof
        self.ownEntries = ownEntries
        self.peerEntries = peerEntries
        self.random = random
        self.clock = clock.seconds
    }

    var now: Timestamp {
        clock += 1
        return Timestamp(seconds: clock)
    }

    // MARK: Signing

    @discardableResult
    func say(_ text: String, thread: ThreadID? = nil) throws(RelationshipError) -> Entry {
        try keep(relationship.append(TextMessage(text: text), thread: thread, at: now, with: identity, using: &random))
    }

    /// Many messages under one signature.
    @discardableResult
    func say(_ texts: [String]) throws(RelationshipError) -> [Entry] {
        var records: [NewRecord] = []
        for text in texts { records.append(try NewRecord(TextMessage(text: text))) }
        return try relationship.append(records, at: now, with: identity, using: &random).map(keep)
    }

    /// A message that a broadcast will sign.
    func say(_ text: String, in broadcast: inout Broadcast) throws(RelationshipError) {
        try relationship.append(NewRecord(TextMessage(text: text)), to: &broadcast, at: now, using: &random)
    }

    /// Keeps what a broadcast has signed.
    func take(_ entry: Entry) { _ = keep(entry) }

    @discardableResult
    func endorse(_ event: KeyEvent) throws(RelationshipError) -> Entry {
        try keep(relationship.endorse(event, at: now, with: identity, using: &random))
    }

    @discardableResult
    func append(_ type: RecordType, _ body: some Encodable) throws(RelationshipError) -> Entry {
        try keep(relationship.append(type, body, at: now, with: identity, using: &random))
    }

    @discardableResult
    func move(to addresses: [Address]) throws(RelationshipError) -> Entry {
        try keep(relationship.move(to: addresses, at: now, with: identity, using: &random))
    }

    @discardableResult
    func rotate() throws(RelationshipError) -> Entry {
        try keep(relationship.rotate(&identity, at: now, using: &random))
    }

    @discardableResult
    func revoke() throws(RelationshipError) -> Entry {
        try keep(relationship.revoke(&identity, at: now, using: &random))
    }

    @discardableResult
    func end(_ reason: String? = nil) throws(RelationshipError) -> Entry {
        try keep(relationship.end(reason: reason, at: now, with: identity, using: &random))
    }

    private func keep(_ entry: Entry) -> Entry {
        ownEntries.append(entry)
        return entry
    }

    // MARK: Receiving

    @discardableResult
    func receive(_ entry: Entry) throws(RelationshipError) -> RecordOutcome {
        let (own, peers) = (ownEntries, peerEntries)
        let outcome = try relationship.receive(
            entry, ownHash: { number in Self.entry(number, of: own)?.hash },
            peerEntry: { number in Self.entry(number, of: peers) })
        if case .accepted = outcome { peerEntries.append(entry) }
        return outcome
    }

    /// Takes everything that the peer has signed and this side lacks.
    func catchUp(with peer: Party) throws(RelationshipError) {
        for entry in peer.ownEntries.dropFirst(peerEntries.count) { try receive(entry) }
    }

    private static func entry(_ number: UInt64, of entries: [Entry]) -> Entry? {
        number >= 1 && number <= UInt64(entries.count) ? entries[Int(number) - 1] : nil
    }

    // MARK: Exporting

    var export: LedgerExport {
        LedgerExport(
            relationship: relationship.id, role: relationship.role, proof: proof,
            inviteeEntries: relationship.role == .invitee ? ownEntries : peerEntries,
            inviterEntries: relationship.role == .inviter ? ownEntries : peerEntries)
    }

    func eraseAll() {
        ownEntries = ownEntries.map { (try? $0.erased()) ?? $0 }
        peerEntries = peerEntries.map { (try? $0.erased()) ?? $0 }
    }

    // MARK: Lying

    /// A record as this party could sign it with any field made false.
    func forge(
        relationship id: RelationshipID? = nil, direction: SenderRole? = nil, sequence: UInt64? = nil,
        previous: Digest? = nil, lastSeen: RecordReference? = nil, type: RecordType = .textMessage,
        body: [UInt8]? = nil, digestOf signedBody: [UInt8]? = nil, coseType: String = Record.mediaType,
        signer: borrowing SigningKey
    ) throws -> Entry {
        let body = try body ?? CBOREncoder().encode(TextMessage(text: "forged"))
        let salt = random.bytes(Entry.saltCount)
        let record = Record(
            relationship: id ?? relationship.id, direction: direction ?? relationship.role,
            sequence: sequence ?? relationship.ownHead.sequence + 1, previous: previous ?? relationship.ownHead.hash,
            lastSeen: lastSeen ?? relationship.peerHead, time: now, type: type, thread: nil,
            bodyDigest: Record.digest(ofBody: signedBody ?? body, salt: salt))
        return try Entry(
            signed: COSESign1.sign(record.encoded(), type: coseType, with: signer), salt: salt, body: body)
    }
}
