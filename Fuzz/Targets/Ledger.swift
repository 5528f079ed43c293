@testable import Handfast
@testable import HandfastChannel
@testable import HandfastCrypto
@testable import HandfastEncoding

extension FuzzTarget {
    static let ledger = [
        FuzzTarget(name: "records", seeds: recordSeeds, run: records),
        FuzzTarget(name: "signed-record", seeds: signedRecordSeeds, run: signedRecord),
        FuzzTarget(name: "relationship-state", seeds: relationshipSeeds, run: relationshipState),
        FuzzTarget(name: "ephemeral", seeds: ephemeralSeeds, run: ephemeral),
        FuzzTarget(name: "export", seeds: exportSeeds, run: export),
        FuzzTarget(name: "export-tampering", seeds: { Tampering.seeds }, run: exportTampering),
    ]

    /// The content of an envelope, its entries and their payloads; a relationship takes them or stays as it was.
    @Sendable private static func records(_ input: [UInt8]) throws {
        if let entry = accepted({ try Entry(decoding: input.bytes) }) {
            try BrokenPromise.unlessSame(entry.encoded(), as: input, "entry")
            try BrokenPromise.unlessSame(entry.record.encoded(), as: entry.signed.payload, "record")
        }
        guard let entries = accepted({ try RecordContent.decode(input.bytes) }) else { return }
        try BrokenPromise.unlessSame(try RecordContent.encode(entries), as: input, "list of entries")
        let fixture = try Fixture.shared.get()
        for entry in entries {
            try BrokenPromise.unlessSame(entry.record.encoded(), as: entry.signed.payload, "record")
            try receive(entry, at: fixture.inviterSide)
        }
    }

    @Sendable private static func recordSeeds() throws -> [[UInt8]] {
        let fixture = try Fixture.shared.get()
        let entries = fixture.inviteeEntries
        var (side, entropy) = (fixture.inviteeSide, FixedEntropy(12))
        let record = try NewRecord(TextMessage(text: "x"))
        let batch = try side.append(
            [record, record, record], at: Fixture.now, with: fixture.invitee, using: &entropy)
        return try entries.map { $0.encoded() } + [
            try entries[1].erased().encoded(), RecordContent.encode(entries), RecordContent.encode([entries[0]]),
            batch[0].encoded(), RecordContent.encode(batch),
        ]
    }

    /// A record of the peer that is next in order where the input does not say otherwise, signed by its key.
    @Sendable private static func signedRecord(_ input: [UInt8]) throws {
        let fixture = try Fixture.shared.get()
        let (side, peer) = (fixture.inviterSide, fixture.inviteeSide)
        let types: [RecordType] = [.textMessage, .introduce, .rotate, .revoke, .end]
        var reader = InputReader(input)
        let flags = reader.byte()
        let number = flags & 1 == 0 ? peer.ownHead.sequence + 1 : UInt64(reader.byte())
        let lastSeen =
            flags & 2 == 0
            ? side.ownHead : RecordReference(sequence: UInt64(reader.byte()), hash: side.ownHead.hash)
        let previous = flags & 4 == 0 ? peer.ownHead.hash : side.ownHead.hash
        var type = types[reader.choice(of: types.count)]
        if flags & 8 != 0 {
            let text = String(decoding: reader.counted(), as: UTF8.self)
            guard let other = accepted({ try RecordType(text) }) else { return }
            type = other
        }
        let salt = [UInt8](repeating: 7, count: Entry.saltCount)
        let body = reader.remaining()
        let record = Record(
            relationship: side.id, direction: .invitee, sequence: number, previous: previous, lastSeen: lastSeen,
            time: Fixture.now, type: type, thread: nil, bodyDigest: Record.digest(ofBody: body, salt: salt))
        let payload = record.encoded()
        let leaf = UnsignedEntry.hash(of: payload, protected: Record.protectedHeader)
        var entropy = FixedEntropy(11)
        let signed =
            flags & 32 == 0
            ? COSESign1.sign(payload, type: Record.mediaType, with: fixture.invitee.signingKey)
            : COSESign1.sign(
                batch: [(payload, leaf)], type: Record.mediaType, with: fixture.invitee.signingKey, using: &entropy)[0]
        guard let entry = accepted({ try Entry(signed: signed, salt: salt, body: body) }) else { return }
        try receive(entry, at: side)
        if flags & 16 == 0, flags & 7 == 0 { try exportAgrees(with: entry) }
    }

    /// What a relationship took, the verification of its export must take as well, and the reverse.
    private static func exportAgrees(with entry: Entry) throws {
        let fixture = try Fixture.shared.get()
        var side = fixture.inviterSide
        let outcome = accepted { try side.receive(entry, ownHash: { _ in nil }, peerEntry: { _ in nil }) }
        let export = LedgerExport(
            relationship: side.id, role: .inviter, proof: fixture.proof,
            inviteeEntries: fixture.inviteeEntries + [entry], inviterEntries: fixture.inviterEntries)
        let verified = accepted { try export.verify() }
        var wasAccepted = false
        if case .accepted = outcome { wasAccepted = true }
        try BrokenPromise.unless(
            wasAccepted == (verified != nil),
            wasAccepted ? "an accepted record does not verify" : "a refused record verifies in an export")
    }

    /// Checks that a relationship takes an entry whole or not at all.
    private static func receive(_ entry: Entry, at relationship: Relationship) throws {
        var changed = relationship
        let fixture = try Fixture.shared.get()
        let (own, peers) = (fixture.inviterEntries, fixture.inviteeEntries)
        let outcome = accepted {
            try changed.receive(
                entry, ownHash: { number in Self.entry(number, of: own)?.hash },
                peerEntry: { number in Self.entry(number, of: peers) })
        }
        switch outcome {
        case nil, .duplicate:
            try BrokenPromise.unless(changed == relationship, "a record that is not taken changes the relationship")
        case .accepted, .forked:
            let stored = changed.encoded()
            let again = accepted { try Relationship(decoding: stored.bytes) }
            try BrokenPromise.unless(again == changed, "a relationship does not survive being stored")
        }
    }

    private static func entry(_ number: UInt64, of entries: [Entry]) -> Entry? {
        number >= 1 && number <= UInt64(entries.count) ? entries[Int(number) - 1] : nil
    }

    @Sendable private static func signedRecordSeeds() throws -> [[UInt8]] {
        let fixture = try Fixture.shared.get()
        let encoder = CBOREncoder()
        var entropy = FixedEntropy(9)
        var identity = try Identity.decode(Array(fixture.invitee.encoded()).bytes)
        let rotation = try encoder.encode(Rotation(identity.rotate(at: Fixture.now, using: &entropy)))
        let text = try encoder.encode(TextMessage(text: "x", language: "en"))
        return [
            [0, 0] + text, [0, 1] + (try encoder.encode(Introduction(name: "Ada", url: "https://example.org"))),
            [0, 2] + rotation, [0, 3] + rotation, [0, 4] + (try encoder.encode(Ending(reason: "done"))),
            [1, 2, 0] + text, [1, 4, 0] + text, [2, 9, 0] + text, [4, 0] + text,
            [8, 0] + Array("intent/offer".utf8).counted + text, [32, 0] + text, [36, 0] + text, [32, 2] + rotation,
        ]
    }

    @Sendable private static func relationshipState(_ input: [UInt8]) throws {
        guard let relationship = accepted({ try Relationship(decoding: input.bytes) }) else { return }
        try BrokenPromise.unlessSame(relationship.encoded(), as: input, "stored relationship")
        let fixture = try Fixture.shared.get()
        for entry in fixture.inviteeEntries + fixture.inviterEntries {
            _ = relationship.lookup(for: entry)
            try receive(entry, at: relationship)
        }
        for number in [0, 1, 2, 3, UInt64.max] { _ = relationship.peerKey(at: number) }
    }

    @Sendable private static func relationshipSeeds() throws -> [[UInt8]] {
        let fixture = try Fixture.shared.get()
        var (greeted, frozen) = (fixture.inviteeSide, fixture.inviterSide)
        greeted.peer = nil
        greeted.peerAddresses = []
        greeted.state = .ended
        let entry = fixture.inviteeEntries[1].withoutBody
        frozen.state = .frozen
        frozen.evidence = .records(kept: entry, received: fixture.inviteeEntries[3].withoutBody)
        return [fixture.inviteeSide.encoded(), fixture.inviterSide.encoded(), greeted.encoded(), frozen.encoded()]
    }

    @Sendable private static func ephemeral(_ input: [UInt8]) throws {
        guard let message = accepted({ try EphemeralMessage(decoding: input.bytes) }) else { return }
        try BrokenPromise.unlessSame(message.encoded(), as: input, "ephemeral message")
        _ = accepted { try message.body(as: TextMessage.self) }
    }

    @Sendable private static func ephemeralSeeds() throws -> [[UInt8]] {
        var entropy = FixedEntropy(10)
        let body = TextMessage(text: "typing")
        return [
            try EphemeralMessage(.textMessage, body).encoded(),
            try EphemeralMessage(.textMessage, body, thread: .random(using: &entropy)).encoded(),
        ]
    }

    @Sendable private static func export(_ input: [UInt8]) throws {
        guard let export = accepted({ try LedgerExport(decoding: input.bytes) }) else { return }
        try BrokenPromise.unlessSame(export.encoded(), as: input, "ledger export")
        guard accepted({ try export.verify() }) != nil else { return }
        try BrokenPromise.unless(
            accepted { try LedgerExport.agree(export, export) } != nil, "an export does not agree with itself")
    }

    @Sendable private static func exportSeeds() throws -> [[UInt8]] {
        [try Fixture.shared.get().export.encoded()]
    }

    /// An export that was changed and still verifies tells nothing else than the true one.
    @Sendable private static func exportTampering(_ input: [UInt8]) throws {
        let original = try Fixture.shared.get().export
        let bytes = Tampering(InputReader(input)).apply(to: original.encoded())
        guard let export = accepted({ try LedgerExport(decoding: bytes.bytes) }) else { return }
        try BrokenPromise.unlessSame(export.encoded(), as: bytes, "ledger export")
        guard accepted({ try export.verify() }) != nil else { return }
        try BrokenPromise.unless(
            accepted { try LedgerExport.agree(original, export) } != nil, "a changed export verifies and disagrees")
    }
}
