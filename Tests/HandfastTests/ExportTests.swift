import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@testable import Handfast

struct ExportTests {
    /// A small ledger with a rotation and an erased body.
    private static func ledger(seed: UInt64 = 1) throws -> Meeting {
        let meeting = try Meeting.live(seed: seed)
        try meeting.invitee.say("good morning")
        try meeting.settle()
        try meeting.inviter.rotate()
        try meeting.inviter.say("good evening")
        try meeting.settle()
        try meeting.invitee.say("good night")
        try meeting.settle()
        return meeting
    }

    private func rebuilt(
        _ export: LedgerExport, relationship: RelationshipID? = nil, proof: HandshakeProof? = nil,
        invitee: [Entry]? = nil, inviter: [Entry]? = nil
    ) -> LedgerExport {
        LedgerExport(
            relationship: relationship ?? export.relationship, role: export.role, proof: proof ?? export.proof,
            inviteeEntries: invitee ?? export.inviteeEntries, inviterEntries: inviter ?? export.inviterEntries)
    }

    @Test func roundTripsAndSaysWhatItProves() throws {
        let meeting = try Self.ledger()
        let export = meeting.invitee.export
        let bytes = export.encoded()
        let read = try LedgerExport(decoding: bytes.bytes)
        #expect(read == export)
        #expect(read.encoded() == bytes)
        let ledger = try read.verify()
        #expect(ledger.relationship == meeting.invitee.relationship.id)
        #expect(ledger.invitee.log == meeting.invitee.identity.log)
        #expect(ledger.inviter.log == meeting.inviter.identity.log)
        #expect(ledger.invitee.head == meeting.invitee.relationship.ownHead)
        #expect(ledger.inviter.head == meeting.invitee.relationship.peerHead)
        #expect(ledger.domain == "shop.example")
        #expect(ledger.words == (try meeting.inviter.export.verify()).words)
    }

    @Test func oneSideMayLag() throws {
        let meeting = try Self.ledger()
        try meeting.invitee.say("not yet received")
        let agreement = try LedgerExport.agree(meeting.invitee.export, meeting.inviter.export)
        #expect(!agreement.isComplete)
        #expect(agreement.inviteeCount == 3)
    }

    @Test func everyMutatedByteIsRefusedOrChangesNothingVerified() async throws {
        let export = try Self.ledger().invitee.export
        let bytes = export.encoded()
        let honest = try export.verify()
        // Two halves, one for each of two cores.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for half in [0..<bytes.count / 2, bytes.count / 2..<bytes.count] {
                group.addTask {
                    var random = SeededEntropy(seed: UInt64(half.lowerBound))
                    for position in half {
                        var mutated = bytes
                        mutated[position] ^= UInt8(truncatingIfNeeded: random.next() % 255 + 1)
                        guard let ledger = try? LedgerExport(decoding: mutated.bytes).verify() else { continue }
                        #expect(ledger == honest, "byte \(position) changed to \(mutated[position])")
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func everyTruncationIsRefused() throws {
        let bytes = try Self.ledger().invitee.export.encoded()
        for count in 0..<bytes.count {
            #expect(throws: RelationshipError.self) { try LedgerExport(decoding: bytes.bytes.extracting(0..<count)) }
        }
        #expect(throws: RelationshipError.self) { try LedgerExport(decoding: (bytes + [0]).bytes) }
    }

    @Test func omittedRecordIsRefused() throws {
        let export = try Self.ledger().invitee.export
        for index in export.inviteeEntries.indices.dropLast() {
            var entries = export.inviteeEntries
            entries.remove(at: index)
            #expect(
                throws: RelationshipError.refusedEntry(
                    .invitee, sequence: UInt64(index) + 1,
                    .missingRecord(expected: UInt64(index) + 1, received: UInt64(index) + 2))
            ) { try rebuilt(export, invitee: entries).verify() }
        }
    }

    @Test func omittedLastRecordShowsWhereThePeerHadSeenIt() throws {
        let meeting = try Self.ledger()
        try meeting.inviter.say("I saw your good night")
        try meeting.settle()
        let export = meeting.invitee.export
        #expect(
            throws: RelationshipError.refusedEntry(.inviter, sequence: 4, .lastSeenAhead(sequence: 4))
        ) { try rebuilt(export, invitee: export.inviteeEntries.dropLast()).verify() }
    }

    @Test func reorderedRecordsAreRefused() throws {
        let export = try Self.ledger().invitee.export
        var entries = export.inviteeEntries
        entries.swapAt(1, 2)
        #expect(
            throws: RelationshipError.refusedEntry(
                .invitee, sequence: 2, .missingRecord(expected: 2, received: 3))
        ) { try rebuilt(export, invitee: entries).verify() }
    }

    @Test func recordOfAnotherRelationshipIsRefused() throws {
        let (export, other) = (try Self.ledger().invitee.export, try Self.ledger(seed: 2).invitee.export)
        var entries = export.inviteeEntries
        entries[1] = other.inviteeEntries[1]
        #expect(
            throws: RelationshipError.refusedEntry(.invitee, sequence: 2, .wrongRelationship(other.relationship))
        ) { try rebuilt(export, invitee: entries).verify() }
    }

    @Test func swappedDirectionsAreRefused() throws {
        let export = try Self.ledger().invitee.export
        #expect(
            throws: RelationshipError.refusedEntry(.invitee, sequence: 1, .wrongDirection(.inviter))
        ) {
            try rebuilt(export, invitee: export.inviterEntries, inviter: export.inviteeEntries).verify()
        }
    }

    @Test func handshakeOfAnotherRelationshipIsRefused() throws {
        let (export, other) = (try Self.ledger().invitee.export, try Self.ledger(seed: 2).invitee.export)
        #expect(throws: RelationshipError.handshakeMismatch) { try rebuilt(export, proof: other.proof).verify() }
        #expect(
            throws: RelationshipError.refusedEntry(.invitee, sequence: 1, .wrongRelationship(export.relationship))
        ) { try rebuilt(export, relationship: other.relationship, proof: other.proof).verify() }
    }

    @Test func erasedBodiesVerifyAndErasedKeyEventsDoNot() throws {
        let meeting = try Self.ledger()
        let export = meeting.invitee.export
        let erased = try export.inviteeEntries.map { try $0.record.type.isPermanent ? $0 : $0.erased() }
        let ledger = try rebuilt(export, invitee: erased).verify()
        #expect(ledger.invitee.erasedCount == 2)
        #expect(ledger.inviter == (try export.verify()).inviter)
        let stripped = export.inviterEntries.map(\.withoutBody)
        #expect(
            throws: RelationshipError.refusedEntry(.inviter, sequence: 1, .bodyMissing(sequence: 1))
        ) { try rebuilt(export, inviter: stripped).verify() }
    }

    @Test func contradictingExportsDisagree() throws {
        let meeting = try Self.ledger()
        let (ada, shop) = (meeting.invitee, meeting.inviter)
        let other = try ada.forge(signer: ada.identity.signingKey)
        try ada.say("one thing")
        try shop.receive(other)
        #expect(throws: RelationshipError.exportsDisagree(.invitee, sequence: 4)) {
            try LedgerExport.agree(ada.export, shop.export)
        }
    }

    @Test func exportsThatShowTwoInvitersDisagree() throws {
        var random = SeededEntropy(seed: 7)
        let now = Meeting.start
        let signer = try Identity.create(at: now, using: &random)
        let bundleKey = SealingPrivateKey.generate(using: &random)
        let bundle = try Bundle.make(
            signer: signer, key: bundleKey.publicKey, notBefore: now, expires: now, families: [])
        let relay = try RelayAddress(
            host: "relay.example", port: 1, key: AgreementPrivateKey.generate(using: &random).publicKey)
        let address = Address(relay: relay, queue: .random(using: &random), capability: .random(using: &random))
        let invitation = try Invitation(
            relay: relay, knockQueue: .random(using: &random), signer: signer.id, eventCount: 1,
            ticket: .random(using: &random))
        let ada = try Identity.create(at: now, using: &random)
        let greeting = try Greeting.make(
            invitation: invitation, bundle: bundle, identity: ada, addresses: [address], entries: { _ in [] },
            now: now, using: &random)
        let hello = try ReceivedHello.open(greeting.hello.bytes, bundle: bundle, key: bundleKey)
        // One record under two identities of the inviter: its hash is the same, its signer is not.
        var exports: [LedgerExport] = []
        for _ in 0..<2 {
            let shop = try Identity.create(at: now, using: &random)
            var side = try Relationship.welcomed(hello, identity: shop, signer: signer.log, at: now)
            var salts = SeededEntropy(seed: 8)
            let entry = try side.append(TextMessage(text: "agreed"), at: now, with: shop, using: &salts)
            let welcome = try hello.welcome(
                identity: shop, signer: signer, addresses: [address], entries: [], now: now, using: &random)
            exports.append(
                LedgerExport(
                    relationship: side.id, role: .inviter, proof: welcome.proof, inviteeEntries: [],
                    inviterEntries: [entry]))
        }
        #expect(exports[0].inviterEntries[0].hash == exports[1].inviterEntries[0].hash)
        for export in exports { _ = try export.verify() }
        #expect(throws: RelationshipError.handshakeMismatch) { try LedgerExport.agree(exports[0], exports[1]) }
    }

    @Test func exportsOfTwoRelationshipsAreNotCompared() throws {
        let (one, other) = (try Self.ledger().invitee.export, try Self.ledger(seed: 2).invitee.export)
        #expect(throws: RelationshipError.differentRelationships(one.relationship, other.relationship)) {
            try LedgerExport.agree(one, other)
        }
    }

    @Test func laterVersionIsNamed() throws {
        var bytes = try Self.ledger().invitee.export.encoded()
        bytes[2] = 2
        #expect(throws: RelationshipError.unsupportedVersion(2)) { try LedgerExport(decoding: bytes.bytes) }
    }
}
