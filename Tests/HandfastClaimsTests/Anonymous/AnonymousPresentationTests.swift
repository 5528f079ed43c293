import HandfastClaims
import HandfastCrypto
import HandfastTestSupport
import Testing

@Suite struct AnonymousPresentationTests {
    @Test(arguments: UInt64(0)..<4)
    func showsWhatTheIssuerVouchedForAndNothingElse(seed: UInt64) throws {
        var party = try AnonymousParty(seed: seed)
        let credential = try party.issue()
        let presentation = try party.present(credential, showing: ["level", "discount"])
        let claims = try party.verify(presentation)
        #expect(claims.values == ["level": .text("gold"), "discount": .integer(-15)])
        #expect(claims.type == "member")
        #expect(claims.issuer == party.key.publicKey)
        #expect(claims.epoch == AnonymousParty.epoch)
        #expect(claims.expires == (AnonymousParty.epoch + 1) * 86_400)
        #expect(claims.scope == party.scope)
        #expect(claims.pseudonym == party.holder.pseudonym(in: party.scope))
    }

    @Test func verifiesFromItsBytes() throws {
        var party = try AnonymousParty(seed: 5)
        let credential = try party.issue()
        let presentation = try party.present(credential)
        let bytes = presentation.encoded()
        let decoded = try AnonymousPresentation(decoding: bytes.bytes)
        #expect(decoded == presentation)
        #expect(decoded.encoded() == bytes)
        _ = try party.verify(decoded)
    }

    @Test func fitsInto600BytesWithEightHiddenAndTwoShown() throws {
        // Ten values: the blinding factor, the holder's secret and six attributes are hidden, epoch and level shown.
        var party = try AnonymousParty(seed: 6)
        let small = try party.present(party.issue())
        #expect(small.encoded().count <= 540)
        // Eight attributes are hidden beside the blinding factor and the holder's secret.
        var larger = try AnonymousParty(seed: 6, names: AnonymousParty.names + ["birthYear", "shop"])
        let large = try larger.present(larger.issue(AnonymousParty.values + [.integer(1_980), .text("Oslo")]))
        #expect(large.encoded().count <= 600)
    }

    @Test func canShowEverythingOrOnlyTheEpoch() throws {
        var party = try AnonymousParty(seed: 7)
        let credential = try party.issue()
        let nothing = try party.present(credential, showing: [])
        #expect(try party.verify(nothing).values.isEmpty)
        let everything = try party.present(credential, showing: AnonymousParty.names)
        #expect(try party.verify(everything).values.count == AnonymousParty.names.count)
        #expect(throws: AnonymousClaimError.unknownAttribute("age")) {
            _ = try party.present(credential, showing: ["age"])
        }
    }

    @Test func twoPresentationsShareNoField() throws {
        var party = try AnonymousParty(seed: 8)
        let credential = try party.issue()
        var seen = Set<[UInt8]>()
        for round in UInt8(0)..<8 {
            // Another vendor each time, as the pseudonym is the same for one.
            let vendor = Digest.of(Label("ticket"), [round])
            let presentation = try party.present(credential, scope: .relationship(vendor))
            let bytes = presentation.encoded()
            // Points from byte 4 on, scalars after another head: every 32 bytes of them are new.
            let starts = (0..<4).map { 4 + $0 * 32 } + (0..<12).map { 136 + $0 * 32 }
            for start in starts {
                #expect(seen.insert([UInt8](bytes[start..<start + 32])).inserted)
            }
        }
    }

    @Test func pseudonymsStayWithinTheirScope() throws {
        var party = try AnonymousParty(seed: 9)
        let first = try party.issue()
        let second = try party.issue()
        let vendor = PseudonymScope.vendor(party.vendor)
        let one = try party.present(first, scope: vendor)
        let other = try party.present(second, scope: vendor)
        let here = AnonymousExpectation(scope: vendor, binding: party.binding, now: AnonymousParty.now)
        let pseudonym = try one.verify(here, parameters: party.parameters, key: party.key).pseudonym
        #expect(try other.verify(here, parameters: party.parameters, key: party.key).pseudonym == pseudonym)
        #expect(party.holder.pseudonym(in: party.scope) != pseudonym)
        #expect(party.holder.pseudonym(in: .vendor(party.binding.relationship)) != pseudonym)
        #expect(try AnonymousParty(seed: 10).holder.pseudonym(in: vendor) != pseudonym)
    }

    @Test func refusesAPseudonymOnTheBlocklist() throws {
        var party = try AnonymousParty(seed: 11)
        let presentation = try party.present(party.issue())
        let pseudonym = party.holder.pseudonym(in: party.scope)
        let expectation = AnonymousExpectation(
            scope: party.scope, binding: party.binding, now: AnonymousParty.now, blocklist: [pseudonym])
        #expect(throws: AnonymousClaimError.blocklisted) {
            _ = try presentation.verify(expectation, parameters: party.parameters, key: party.key)
        }
        #expect(try Pseudonym(pseudonym.point.value) == pseudonym)
        #expect(throws: AnonymousClaimError.identityPoint("pseudonym")) { _ = try Pseudonym(.zero) }
    }

    @Test func provesNothingElsewhere() throws {
        var party = try AnonymousParty(seed: 12)
        let presentation = try party.present(party.issue())
        let binding = party.binding
        let other = Digest(FixedBytes(random: &party.random))
        let nonce = FixedBytes<32>(random: &party.random)
        let places: [(PseudonymScope, PresentationBinding)] = [
            (.relationship(other), binding),
            (.vendor(party.vendor), binding),
            (
                party.scope,
                PresentationBinding(nonce: nonce, verifier: binding.verifier, relationship: binding.relationship)
            ),
            (
                party.scope,
                PresentationBinding(nonce: binding.nonce, verifier: other, relationship: binding.relationship)
            ),
            (
                party.scope,
                PresentationBinding(nonce: binding.nonce, verifier: binding.verifier, relationship: other)
            ),
        ]
        for (scope, binding) in places {
            let expectation = AnonymousExpectation(scope: scope, binding: binding, now: AnonymousParty.now)
            #expect(throws: AnonymousClaimError.presentationNotProven) {
                _ = try presentation.verify(expectation, parameters: party.parameters, key: party.key)
            }
        }
    }

    @Test func endsWithItsEpoch() throws {
        var party = try AnonymousParty(seed: 13)
        let presentation = try party.present(party.issue())
        func verify(at epoch: UInt64) throws {
            let expectation = AnonymousExpectation(
                scope: party.scope, binding: party.binding, now: epoch * 86_400 + 86_399)
            _ = try presentation.verify(expectation, parameters: party.parameters, key: party.key)
        }
        let epoch = AnonymousParty.epoch
        try verify(at: epoch)
        // The next epoch's is given out in this one.
        try verify(at: epoch - 1)
        #expect(throws: AnonymousClaimError.expired(epoch: epoch, current: epoch + 1)) { try verify(at: epoch + 1) }
        #expect(throws: AnonymousClaimError.epochAhead(epoch: epoch, current: epoch - 2)) {
            try verify(at: epoch - 2)
        }
    }

    @Test func preparedParametersGiveTheSameAnswers() throws {
        var party = try AnonymousParty(seed: 21)
        let prepared = party.parameters.prepared(at: AnonymousParty.now)
        #expect(prepared == party.parameters)
        #expect(prepared.hashValue == party.parameters.hashValue)
        let presentation = try party.present(party.issue())
        let next = try party.present(party.issue(epoch: AnonymousParty.epoch + 1))
        for genuine in [presentation, next] {
            let claims = try genuine.verify(party.expectation, parameters: prepared, key: party.key)
            #expect(try claims == party.verify(genuine))
            #expect(
                try genuine.check(party.expectation, parameters: prepared)
                    == genuine.check(party.expectation, parameters: party.parameters))
        }
        // Prepared for other epochs than that of the credential.
        let early = party.parameters.prepared(at: AnonymousParty.now - 10 * 86_400)
        _ = try presentation.verify(party.expectation, parameters: early, key: party.key)

        let forged = try party.present(party.issue().forged())
        #expect(throws: AnonymousClaimError.notIssued) {
            _ = try forged.verify(party.expectation, parameters: prepared, key: party.key)
        }
        var changed = presentation.encoded()
        changed[140] ^= 1
        let unproven = try AnonymousPresentation(decoding: changed.bytes)
        #expect(throws: AnonymousClaimError.presentationNotProven) {
            _ = try unproven.verify(party.expectation, parameters: prepared, key: party.key)
        }
    }

    @Test func refusesAnotherIssuersCredential() throws {
        var party = try AnonymousParty(seed: 14)
        let other = try AnonymousParty(seed: 15)
        let presentation = try party.present(party.issue())
        #expect(throws: AnonymousClaimError.wrongIssuer) {
            _ = try presentation.verify(party.expectation, parameters: party.parameters, key: other.key)
        }
        #expect(throws: AnonymousClaimError.presentationNotProven) {
            _ = try presentation.verify(party.expectation, parameters: other.parameters, key: other.key)
        }
    }

    @Test func refusesACredentialThatNobodyIssued() throws {
        // The holder makes itself an issuer: everything holds but the last equation.
        var party = try AnonymousParty(seed: 16)
        let forged = try party.issue().forged()
        let presentation = try party.present(forged)
        #expect(throws: AnonymousClaimError.notIssued) { _ = try party.verify(presentation) }
        let unconfirmed = try presentation.check(party.expectation, parameters: party.parameters)
        #expect(throws: AnonymousClaimError.notIssued) {
            _ = try party.key.confirm(unconfirmed.question, using: &party.random)
        }
    }

    @Test func refusesEveryChangeOfItsBytes() throws {
        var party = try AnonymousParty(seed: 17)
        let presentation = try party.present(party.issue())
        let bytes = presentation.encoded()
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1 << UInt8(index % 8)
            #expect(throws: AnonymousClaimError.self, "byte \(index)") {
                _ = try party.verify(AnonymousPresentation(decoding: changed.bytes))
            }
        }
        for count in 0..<bytes.count {
            let short = [UInt8](bytes.prefix(count))
            #expect(throws: AnonymousClaimError.self) { _ = try AnonymousPresentation(decoding: short.bytes) }
        }
    }

    @Test func refusesTheNeutralElement() throws {
        var party = try AnonymousParty(seed: 18)
        let bytes = try party.present(party.issue()).encoded()
        for (place, name) in [(4, "Ā"), (36, "B̄"), (68, "D"), (100, "N")] {
            var changed = bytes
            changed.replaceSubrange(place..<place + 32, with: [UInt8](repeating: 0, count: 32))
            #expect(throws: AnonymousClaimError.identityPoint(name)) {
                _ = try AnonymousPresentation(decoding: changed.bytes)
            }
        }
    }

    @Test func partnersVerifyThroughTheIssuer() throws {
        var party = try AnonymousParty(seed: 19)
        let presentation = try party.present(party.issue())
        let unconfirmed = try presentation.check(party.expectation, parameters: party.parameters)
        let question = try ConfirmationQuestion(decoding: unconfirmed.question.encoded().bytes)
        #expect(question == unconfirmed.question)
        let answer = try party.key.confirm(question, using: &party.random)
        let confirmation = try Confirmation(decoding: answer.encoded().bytes)
        #expect(confirmation == answer)
        #expect(try unconfirmed.confirmed(by: confirmation) == party.verify(presentation))

        // An answer to another question, and another issuer's.
        let second = try party.present(party.issue()).check(party.expectation, parameters: party.parameters)
        #expect(throws: AnonymousClaimError.confirmationNotProven) { _ = try second.confirmed(by: confirmation) }
        let bytes = answer.encoded()
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(throws: AnonymousClaimError.self) {
                _ = try unconfirmed.confirmed(by: Confirmation(decoding: changed.bytes))
            }
        }
    }
}

extension AnonymousCredential {
    /// The same values under a signature that the holder made up.
    consuming func forged() throws -> AnonymousCredential {
        let stored = encoded()
        var bytes = [UInt8](stored.bytes)
        // After the head of the array and the version: A, with its own head.
        let made = RistrettoPoint.hash([1], tag: RistrettoTag("FORGED"))
        bytes.replaceSubrange(4..<36, with: made.array)
        return try AnonymousCredential.decode(bytes.bytes)
    }
}
