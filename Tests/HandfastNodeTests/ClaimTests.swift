import Foundation
import HandfastCrypto
import HandfastEncoding
import HandfastStore
import HandfastTestSupport
import Testing

@testable import Handfast
@testable import HandfastNode

/// Requests for claims between two nodes: who answers, with what, and what becomes of answers that are not in order.
@Suite(.serialized) struct ClaimTests {
    /// A vendor and a customer who trust one issuer.
    private static func scene(
        copies: Int
    ) async throws -> (world: World, id: RelationshipID, issuer: TestIssuer, places: [StatusReference]) {
        let world = try await World()
        let id = try await world.meet()
        let issuer = try TestIssuer()
        try await issuer.trusted(by: world.vendor, world.customer)
        let places = copies > 0 ? try await issuer.issue(to: world.customer, copies: copies) : []
        return (world, id, issuer, places)
    }

    // MARK: Rules

    @Test func withoutARuleAPersonSeesWhatWillBeLearnedAndAnswers() async throws {
        let (world, id, issuer, _) = try await Self.scene(copies: 4)
        let number = try await issuer.request(by: world.vendor, in: id)
        try await world.customer.claim(.claimRequested, number, in: id)
        let open = try await world.customer.request(number, in: id)
        #expect(open.state == "open" && open.sender == .peer && open.purpose == "dpv:AgeVerification")
        #expect(open.shown.flatMap(\.claims) == [LearnedClaim(claim: "age_over_18", value: "true")])
        #expect(try await world.customer.node.learnedClaims().isEmpty)
        try await world.customer.node.presentClaims(number, in: id)
        try await world.vendor.claim(.claimAccepted, number, in: id)
        let proved = try await world.vendor.request(number, in: id)
        #expect(proved.state == "accepted" && proved.checks.allSatisfy { $0.outcome == .held })
        #expect(proved.shown == open.shown)
        try await world.customer.claim(.claimAccepted, number, in: id)
        #expect(try await world.customer.node.learnedClaims(by: id).map(\.shown) == [open.shown])
        await #expect(throws: NodeError.badData("request \(number) was answered already: accepted")) {
            try await world.customer.node.presentClaims(number, in: id)
        }
        await world.end()
    }

    @Test func aRuleAnswersWhatItNamesAndAnotherRefuses() async throws {
        let (world, id, issuer, _) = try await Self.scene(copies: 4)
        try await world.customer.node.add(ClaimRule(.answer, relationship: id, claim: try issuer.path("age_over_18")))
        try await world.customer.node.add(ClaimRule(.refuse, claim: try issuer.path("birthdate")))
        let age = try await issuer.request(by: world.vendor, in: id)
        try await world.vendor.claim(.claimAccepted, age, in: id)
        let birthdate = try await issuer.request("birthdate", by: world.vendor, in: id)
        try await world.vendor.claim(.claimRefused, birthdate, in: id)
        #expect(try await world.vendor.request(birthdate, in: id).shown.isEmpty)
        #expect(try await world.customer.node.learnedClaims().map(\.number) == [age])
        #expect(try await world.customer.events(.claimRequested).isEmpty)
        await world.end()
    }

    @Test func whatARuleWouldAnswerAndTheWalletLacksWaitsForAPerson() async throws {
        let (world, id, issuer, _) = try await Self.scene(copies: 0)
        try await world.customer.node.add(ClaimRule(.answer))
        let number = try await issuer.request(by: world.vendor, in: id)
        let event = try await world.customer.claim(.claimRequested, number, in: id)
        #expect(event.detail.reason == WalletError.noCredential(query: 0).description)
        await #expect(throws: NodeError.wallet(.noCredential(query: 0))) {
            try await world.customer.node.presentClaims(number, in: id)
        }
        try await world.customer.node.refuseClaims(number, in: id, reason: "not today")
        try await world.vendor.claim(.claimRefused, number, in: id)
        #expect(try await world.vendor.request(number, in: id).reason == "not today")
        await world.end()
    }

    // MARK: Copies

    @Test func eachRelationshipSeesACopyOfItsOwnAndTheLastOneIsToldOf() async throws {
        let (world, id, issuer, _) = try await Self.scene(copies: 2)
        let films = try await Person("Films", at: world.relay.address)
        films.start()
        try await issuer.trusted(by: films)
        try await world.customer.node.add(ClaimRule(.answer))
        for _ in 1...2 {
            // Twice the same one: this vendor has seen it.
            let number = try await issuer.request(by: world.vendor, in: id)
            try await world.vendor.claim(.claimAccepted, number, in: id)
        }
        func relationships() async throws -> [String?] {
            try await world.customer.node.credentials("ID")[0].copies.map(\.relationship)
        }
        #expect(try await relationships() == [id.description, nil])
        #expect(try await world.customer.events(.claimLow).isEmpty)
        let (invitation, _) = try await films.node.invite()
        try await until("publication", films) {
            _ = try await world.customer.node.accept(invitation.uri, asksDomain: false)
            return true
        }
        try await films.event(.relationshipLive)
        let other = try RelationshipID(text: try #require(try await films.node.relationships().first?.id))
        let number = try await issuer.request(by: films, in: other)
        try await films.claim(.claimAccepted, number, in: other)
        #expect(try await relationships() == [id.description, other.description])
        try await world.customer.event(.claimLow) { $0.detail.name == "ID" }
        let low = try await world.customer.node.doctor().contains { $0.what.contains("0 of 2 copies are left") }
        #expect(low)
        await films.stop()
        await world.end()
    }

    // MARK: Revocation

    @Test func aCopyThatIsRevokedIsShownToNobodyUntilThatIsTakenBack() async throws {
        let (world, id, issuer, places) = try await Self.scene(copies: 4)
        let node = world.customer.node
        try issuer.set(.suspended, at: places[1])
        try issuer.set(.invalid, at: places[0])
        try await node.importStatusToken(try issuer.token())
        #expect(try await node.credentials("ID")[0].copies.map(\.revoked) == ["revoked", "suspended", nil, nil])
        #expect(try await node.credentials("ID")[0].free == 2)
        try await world.customer.event(.credentialStatus) { $0.detail.name == "ID" }
        let revoked = try await node.revocations().filter { $0.subject == "credential" }
        #expect(Set(revoked.map(\.kind)) == ["revoked", "suspended"] && revoked.allSatisfy { $0.label == "ID" })
        #expect(Set(revoked.map(\.number)) == [places[0].index, places[1].index])
        let number = try await issuer.request(by: world.vendor, in: id)
        try await world.customer.claim(.claimRequested, number, in: id)
        try await node.presentClaims(number, in: id)
        try await world.vendor.claim(.claimAccepted, number, in: id)
        #expect(try await node.credentials("ID")[0].copies[2].relationship == id.description)

        for place in places.dropFirst(2) { try issuer.set(.invalid, at: place) }
        try await node.importStatusToken(try issuer.token())
        try issuer.set(.valid, at: places[1])
        let again = try await issuer.request(by: world.vendor, in: id)
        try await world.customer.claim(.claimRequested, again, in: id)
        await #expect(throws: NodeError.wallet(.revoked(query: 0, .revoked))) {
            try await node.presentClaims(again, in: id)
        }
        try await node.importStatusToken(try issuer.token())
        try await node.presentClaims(again, in: id)
        try await world.vendor.claim(.claimAccepted, again, in: id)
        await world.end()
    }

    /// The holder has not heard yet, or does not want to: the vendor has seen a later list.
    @Test func aVerifierHeedsTheLatestListThatItHasSeen() async throws {
        let (world, id, issuer, places) = try await Self.scene(copies: 4)
        let bob = try await Person("Bob", at: world.relay.address)
        bob.start()
        try await issuer.trusted(by: bob)
        try await issuer.issue(to: bob, copies: 1)
        try await world.customer.node.importStatusToken(try issuer.token(age: 100))
        try await world.customer.node.add(ClaimRule(.answer))
        try await bob.node.add(ClaimRule(.answer))
        let first = try await issuer.request(by: world.vendor, in: id)
        try await world.vendor.claim(.claimAccepted, first, in: id)

        let (invitation, _) = try await world.vendor.node.invite(label: "Bob")
        try await until("publication", world.vendor) {
            _ = try await bob.node.accept(invitation.uri, asksDomain: false)
            return true
        }
        try await bob.event(.relationshipLive)
        let bobs = try RelationshipID(text: try #require(try await bob.node.relationships().first?.id))
        try await world.vendor.event(.relationshipLive) { $0.relationship == bobs.description }
        try issuer.set(.invalid, at: places[0])
        try await bob.node.importStatusToken(try issuer.token(age: 50))
        let second = try await issuer.request(by: world.vendor, in: bobs)
        try await world.vendor.claim(.claimAccepted, second, in: bobs)

        let third = try await issuer.request(by: world.vendor, in: id)
        let event = try await world.vendor.claim(.claimRejected, third, in: id)
        #expect(event.detail.reason == "status: its issuer says: invalid")
        #expect(try await world.vendor.request(third, in: id).shown.isEmpty)
        try await world.customer.claim(.claimRejected, third, in: id)
        let revoked = try await world.vendor.node.revocations(of: id).filter { $0.subject == "credential" }
        #expect(revoked.map(\.number) == [places[0].index] && revoked[0].relationship == id.description)
        #expect(try await world.vendor.node.revocations(of: bobs).allSatisfy { $0.subject != "credential" })
        await bob.stop()
        await world.end()
    }

    // MARK: Answers that are not in order

    @Test func whatIsWrongWithAPresentationIsNamedAndNothingOfItCounts() async throws {
        let (world, id, issuer, _) = try await Self.scene(copies: 4)
        let customer = world.customer.node
        func answer(_ number: UInt64, _ presentations: [PresentedCredential]) async throws {
            let body = ClaimPresentation(to: number, presentations)
            try await customer.send([try OutgoingMessage(type: "claim/present", body: body)], to: id)
        }
        func failure(_ number: UInt64) async throws -> String? {
            try await world.vendor.claim(.claimRejected, number, in: id)
            let report = try await world.vendor.request(number, in: id)
            #expect(report.state == "rejected" && report.shown.isEmpty)
            return report.checks.first { $0.outcome == .failed }?.check.rawValue
        }
        // One that is in order, to be answered again with.
        let number = try await issuer.request(by: world.vendor, in: id)
        try await world.customer.claim(.claimRequested, number, in: id)
        try await customer.presentClaims(number, in: id)
        try await world.vendor.claim(.claimAccepted, number, in: id)
        let sent = try await world.customer.presentation(to: number, in: id)

        var next = try await issuer.request(by: world.vendor, in: id)
        try await answer(next, sent)
        #expect(try await failure(next) == "nonce")
        next = try await issuer.request(by: world.vendor, in: id)
        try await answer(next, [PresentedCredential(query: 0, format: .sdCWT, presentation: [1, 2, 3])])
        #expect(try await failure(next) == "form")
        next = try await issuer.request(by: world.vendor, in: id)
        try await answer(next, [PresentedCredential(query: 3, format: .sdJWT, presentation: [0x65])])
        #expect(try await failure(next) == "form")
        next = try await issuer.request(by: world.vendor, in: id)
        try await answer(next, [PresentedCredential(query: 0, format: .sdJWT, presentation: sent[0].presentation)])
        #expect(try await failure(next) == "form")
        try await world.vendor.node.forgetIssuer(TestIssuer.name)
        next = try await issuer.request(by: world.vendor, in: id)
        try await world.customer.claim(.claimRequested, next, in: id)
        try await customer.presentClaims(next, in: id)
        #expect(try await failure(next) == "issuer")
        try await TestIssuer(seed: 2).trusted(by: world.vendor)
        next = try await issuer.request(by: world.vendor, in: id)
        try await world.customer.claim(.claimRequested, next, in: id)
        try await customer.presentClaims(next, in: id)
        #expect(try await failure(next) == "signature")

        // To a request that was never made, or is answered: kept in the ledger, without effect.
        let before = try await world.vendor.node.claimRequests(all: true)
        try await answer(number, sent)
        try await answer(9_999, sent)
        try await customer.send([.text("goes on")], to: id)
        try await world.vendor.event(.recordReceived) { $0.detail.text == "goes on" }
        #expect(try await world.vendor.node.claimRequests(all: true) == before)
        #expect(try await world.vendor.events(.envelopeRefused).isEmpty)
        await world.end()
    }

    // MARK: After a copy of the vault was put back

    /// From here on the person's disk keeps nothing.
    private static func loseWhatComes(_ person: Person) {
        var faults = StoreFaults()
        faults.loseFrom = person.store.commitCount + 1
        person.store.inject(faults)
    }

    @Test func whatWasShownSinceABackupIsKnownAgain() async throws {
        let (world, id, issuer, _) = try await Self.scene(copies: 4)
        try await world.settle(id)
        Self.loseWhatComes(world.customer)
        let refused = try await issuer.request("birthdate", by: world.vendor, in: id)
        try await world.customer.claim(.claimRequested, refused, in: id)
        try await world.customer.node.refuseClaims(refused, in: id, reason: "no")
        let number = try await issuer.request(by: world.vendor, in: id)
        try await world.customer.claim(.claimRequested, number, in: id)
        try await world.customer.node.presentClaims(number, in: id)
        try await world.customer.claim(.claimAccepted, number, in: id)
        try await world.settle(id)
        let before = try await world.customer.node.claimRequests(all: true)
        #expect(before.count == 2)
        try await world.customer.restart()
        #expect(try await world.customer.node.claimRequests(all: true).isEmpty)
        world.customer.start()
        try await world.customer.event(.rejoinDone)
        try await world.agree(id, epoch: 1)
        #expect(try await world.customer.node.claimRequests(all: true) == before)
        #expect(try await world.customer.node.learnedClaims().map(\.number) == [number])
        // The copy that the vendor has seen is the vendor's again; of the others nobody knows who has seen them.
        let copies = try await world.customer.node.credentials("ID")[0].copies
        #expect(copies.count { $0.relationship == id.description } == 1)
        #expect(copies.allSatisfy { $0.isRetired || $0.relationship != nil })
        let again = try await issuer.request(by: world.vendor, in: id)
        try await world.customer.claim(.claimRequested, again, in: id)
        try await world.customer.node.presentClaims(again, in: id)
        try await world.vendor.claim(.claimAccepted, again, in: id)
        await world.end()
    }

    @Test func whatWasProvedSinceABackupIsKnownAgain() async throws {
        let (world, id, issuer, _) = try await Self.scene(copies: 4)
        try await world.customer.node.add(ClaimRule(.answer))
        try await world.settle(id)
        Self.loseWhatComes(world.vendor)
        let number = try await issuer.request(by: world.vendor, in: id)
        try await world.customer.claim(.claimAccepted, number, in: id)
        try await world.settle(id)
        let before = try await world.vendor.request(number, in: id)
        try await world.vendor.restart()
        #expect(try await world.vendor.node.claimRequests(all: true).isEmpty)
        world.vendor.start()
        try await world.vendor.event(.rejoinDone)
        try await world.agree(id, epoch: 1)
        let after = try await world.vendor.request(number, in: id)
        #expect(after.state == "accepted" && after.shown == before.shown && after.checks == before.checks)
        #expect(after.asked == before.asked && after.queries == before.queries && after.reason == nil)
        // Nothing was told twice.
        #expect(try await world.customer.events(.claimAccepted).count == 1)
        await world.end()
    }

    /// An older copy of the vault refuses what the newer one has answered.
    @Test func anAnswerThatBecameVoidGivesWayToTheOneThatCounts() async throws {
        let (world, id, issuer, _) = try await Self.scene(copies: 4)
        let number = try await issuer.request(by: world.vendor, in: id)
        try await world.customer.claim(.claimRequested, number, in: id)
        try await world.settle(id)
        Self.loseWhatComes(world.customer)
        try await world.customer.node.presentClaims(number, in: id)
        try await world.customer.claim(.claimAccepted, number, in: id)
        try await world.settle(id)
        let before = try await world.customer.request(number, in: id)
        try await world.customer.restart()
        try await world.customer.node.refuseClaims(number, in: id, reason: "in vain")
        world.customer.start()
        try await world.customer.event(.rejoinDone)
        try await world.agree(id, epoch: 1)
        #expect(try await world.customer.request(number, in: id) == before)
        #expect(try await world.vendor.request(number, in: id).state == "accepted")
        await world.end()
    }

    @Test func anAnswerWaitsForAFileOfIssuersThatCannotBeRead() async throws {
        let (world, id, issuer, _) = try await Self.scene(copies: 1)
        try await world.customer.node.add(ClaimRule(.answer))
        let path = try #require(world.vendor.node.configuration.issuersFile)
        let file = try String(contentsOfFile: path, encoding: .utf8)
        try "{".write(toFile: path, atomically: true, encoding: .utf8)
        let number = try await issuer.request(by: world.vendor, in: id)
        try await until("the answer", world.vendor) {
            try await world.vendor.request(number, in: id).state == "presented"
        }
        #expect(try await world.vendor.request(number, in: id).reason?.contains(path) == true)
        let found = try await world.vendor.node.doctor()
        #expect(found.contains { $0.severity == .error && $0.what.contains(path) })
        // What follows is not held up; what waited is judged once the file is mended, after a restart as well.
        try await world.customer.node.send([.text("goes on")], to: id)
        try await world.vendor.event(.recordReceived) { $0.detail.text == "goes on" }
        try file.write(toFile: path, atomically: true, encoding: .utf8)
        try await world.vendor.restart()
        world.vendor.start()
        try await world.vendor.claim(.claimAccepted, number, in: id)
        try await world.customer.claim(.claimAccepted, number, in: id)
        await world.end()
    }

    @Test(arguments: [
        (RecordType.claimRequest, "purpose"), (.claimPresentation, "request"), (.claimResult, "request"),
    ])
    func aMalformedBodyIsRefusedByNameAndWhatFollowsIsTaken(type: RecordType, missing: String) async throws {
        let (world, id, issuer, _) = try await Self.scene(copies: 1)
        let number = try await issuer.request(by: world.vendor, in: id)
        try await world.customer.claim(.claimRequested, number, in: id)
        try await world.settle(id)
        try await world.customer.node.keeper.forge(type, body: [0xA1, 0x61, 0x78, 0x01], in: id)
        let refused = try await world.vendor.event(.envelopeRefused)
        #expect(refused.detail.reason?.contains("\"\(missing)\" is missing") == true, "\(refused.detail.reason ?? "")")
        try await world.customer.node.presentClaims(number, in: id)
        try await world.vendor.claim(.claimAccepted, number, in: id)
        try await world.agree(id)
        await world.end()
    }
}

extension Person {
    /// What this person has shown in answer to a request.
    func presentation(to number: UInt64, in id: RelationshipID) async throws -> [PresentedCredential] {
        guard let kept = try await node.keeper.kept(id) else { throw Failure("no relationship") }
        let head = kept.relationship.ownHead.sequence
        for stored in try await store.entries(
            of: id, direction: kept.relationship.role, from: 1, limit: Int(head))
        {
            let entry = try Entry(decoding: stored.bytes.bytes)
            if let body = try entry.body(as: ClaimPresentation.self), body.request == number {
                return body.presentations
            }
        }
        throw Failure("\(name) has shown nothing for \(number)")
    }
}

extension Keeper {
    /// Signs and seals a record that no honest node would, and forgets it.
    fileprivate func forge(_ type: RecordType, body: [UInt8], in id: RelationshipID) async throws {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(id)
            let own = relationship.kept.relationship
            let salt = keeper.entropy.bytes(Entry.saltCount)
            let record = Record(
                relationship: id, direction: own.role, sequence: own.ownHead.sequence + 1,
                previous: own.ownHead.hash, lastSeen: own.peerHead, time: draft.now, type: type, thread: nil,
                bodyDigest: Record.digest(ofBody: body, salt: salt))
            let signed = COSESign1.sign(
                record.encoded(), type: Record.mediaType, with: relationship.identity.signingKey)
            let entry = try Entry(signed: signed, salt: salt, body: body)
            try keeper.seal(.records, try RecordContent.encode([entry]), in: relationship, draft)
        }
    }
}
