import HandfastClaims
import HandfastCrypto
import HandfastTestSupport
import Testing

@Suite struct AnonymousIssuanceTests {
    @Test func storedPartsGoOn() throws {
        var party = try AnonymousParty(seed: 1)
        let nonce = FixedBytes<32>(random: &party.random)
        let pending = PendingAnonymousCredential.request(
            nonce: nonce, holder: party.holder, parameters: party.parameters, using: &party.random)
        let kept = pending.encoded()
        let request = try AnonymousRequest(decoding: pending.request.encoded().bytes)
        #expect(request == pending.request)
        let parameters = try AnonymousParameters(decoding: party.parameters.encoded().bytes)
        #expect(parameters == party.parameters)
        let key = try AnonymousIssuerKey(copying: party.key.bytes)
        let issuance = try key.issue(
            request, nonce: nonce, epoch: AnonymousParty.epoch, values: AnonymousParty.values,
            parameters: parameters, using: &party.random)
        let received = try AnonymousIssuance(decoding: issuance.encoded().bytes)
        #expect(received == issuance)
        let restored = try PendingAnonymousCredential.decode(kept.bytes)
        let credential = try restored.finish(received, parameters: parameters, now: AnonymousParty.now)
        #expect(credential.values == AnonymousParty.values)
        let stored = credential.encoded()
        let loaded = try AnonymousCredential.decode(stored.bytes)
        _ = try party.verify(party.present(loaded))
    }

    @Test func refusesARequestForAnotherNonce() throws {
        var party = try AnonymousParty(seed: 2)
        let nonce = FixedBytes<32>(random: &party.random)
        let pending = PendingAnonymousCredential.request(
            nonce: nonce, holder: party.holder, parameters: party.parameters, using: &party.random)
        let other = FixedBytes<32>(random: &party.random)
        #expect(throws: AnonymousClaimError.requestNotProven) {
            _ = try party.key.issue(
                pending.request, nonce: other, epoch: AnonymousParty.epoch, values: AnonymousParty.values,
                parameters: party.parameters, using: &party.random)
        }
        #expect(throws: AnonymousClaimError.wrongValueCount(expected: 7, actual: 1)) {
            _ = try party.key.issue(
                pending.request, nonce: nonce, epoch: AnonymousParty.epoch, values: [.integer(1)],
                parameters: party.parameters, using: &party.random)
        }
        let long = AnonymousValue.text(String(repeating: "a", count: 257))
        #expect(throws: AnonymousClaimError.self) {
            _ = try party.key.issue(
                pending.request, nonce: nonce, epoch: AnonymousParty.epoch,
                values: [long] + AnonymousParty.values.dropFirst(), parameters: party.parameters,
                using: &party.random)
        }
        let bytes = pending.request.encoded()
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1 << UInt8(index % 8)
            #expect(throws: AnonymousClaimError.self, "byte \(index)") {
                _ = try party.key.issue(
                    AnonymousRequest(decoding: changed.bytes), nonce: nonce, epoch: AnonymousParty.epoch,
                    values: AnonymousParty.values, parameters: party.parameters, using: &party.random)
            }
        }
    }

    @Test func refusesAnAnswerThatWasChanged() throws {
        var party = try AnonymousParty(seed: 3)
        let nonce = FixedBytes<32>(random: &party.random)
        let pending = PendingAnonymousCredential.request(
            nonce: nonce, holder: party.holder, parameters: party.parameters, using: &party.random)
        let issuance = try party.key.issue(
            pending.request, nonce: nonce, epoch: AnonymousParty.epoch, values: AnonymousParty.values,
            parameters: party.parameters, using: &party.random)
        let bytes = issuance.encoded()
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(throws: AnonymousClaimError.self, "byte \(index)") {
                _ = try pending.finish(
                    AnonymousIssuance(decoding: changed.bytes), parameters: party.parameters, now: AnonymousParty.now)
            }
        }
    }

    @Test func refusesAnAnswerOfAnotherKeyOrToAnotherRequest() throws {
        var party = try AnonymousParty(seed: 4)
        let other = try AnonymousParty(seed: 5)
        let nonce = FixedBytes<32>(random: &party.random)
        let first = PendingAnonymousCredential.request(
            nonce: nonce, holder: party.holder, parameters: party.parameters, using: &party.random)
        let second = PendingAnonymousCredential.request(
            nonce: nonce, holder: party.holder, parameters: party.parameters, using: &party.random)
        let issuance = try party.key.issue(
            first.request, nonce: nonce, epoch: AnonymousParty.epoch, values: AnonymousParty.values,
            parameters: party.parameters, using: &party.random)
        #expect(throws: AnonymousClaimError.issuanceNotProven) {
            _ = try second.finish(issuance, parameters: party.parameters, now: AnonymousParty.now)
        }
        #expect(throws: AnonymousClaimError.issuanceNotProven) {
            _ = try first.finish(issuance, parameters: other.parameters, now: AnonymousParty.now)
        }
        #expect(throws: AnonymousClaimError.wrongIssuer) {
            _ = try other.key.issue(
                first.request, nonce: nonce, epoch: AnonymousParty.epoch, values: AnonymousParty.values,
                parameters: party.parameters, using: &party.random)
        }
    }

    @Test func refusesAnEpochThatWouldMarkTheHolder() throws {
        var party = try AnonymousParty(seed: 6)
        let epoch = AnonymousParty.epoch
        _ = try party.issue(epoch: epoch + 1)
        #expect(throws: AnonymousClaimError.epochAhead(epoch: epoch + 2, current: epoch)) {
            _ = try party.issue(epoch: epoch + 2)
        }
        #expect(throws: AnonymousClaimError.expired(epoch: epoch - 1, current: epoch)) {
            _ = try party.issue(epoch: epoch - 1)
        }
    }

    @Test func parametersDependOnEverythingInThem() throws {
        let party = try AnonymousParty(seed: 7)
        func domain(_ type: String, _ length: UInt64, _ names: [String]) throws -> RistrettoScalar {
            try AnonymousParameters(
                issuer: party.key.publicKey,
                schema: AnonymousSchema(type: type, epochLength: length, attributes: names)
            ).domain
        }
        let domains = [
            try domain("a", 3_600, ["b", "c"]), try domain("x", 3_600, ["b", "c"]), try domain("a", 3_601, ["b", "c"]),
            try domain("a", 3_600, ["c", "b"]), try domain("a", 3_600, ["b"]),
            try AnonymousParameters(
                issuer: .generator,
                schema: AnonymousSchema(type: "a", epochLength: 3_600, attributes: ["b", "c"])
            ).domain,
        ]
        #expect(Set(domains).count == domains.count)
        #expect(throws: AnonymousClaimError.identityPoint("issuer's key")) {
            _ = try AnonymousParameters(issuer: .identity, schema: party.parameters.schema)
        }
    }

    @Test func refusesSchemasOutsideTheBounds() throws {
        let names = ["a"]
        let refused: [(String, UInt64, [String])] = [
            ("", 3_600, names), (String(repeating: "a", count: 129), 3_600, names), ("a b", 3_600, names),
            ("é", 3_600, names), ("a", 3_599, names), ("a", 315_360_001, names), ("a", 3_600, []),
            ("a", 3_600, (0..<32).map { "a\($0)" }), ("a", 3_600, ["a", "a"]), ("a", 3_600, [""]),
            ("a", 3_600, [String(repeating: "a", count: 65)]),
        ]
        for (type, length, names) in refused {
            #expect(throws: AnonymousClaimError.self, "\(type), \(length), \(names)") {
                _ = try AnonymousSchema(type: type, epochLength: length, attributes: names)
            }
        }
        let full = try AnonymousSchema(
            type: String(repeating: "t", count: 128), epochLength: 315_360_000,
            attributes: (10..<41).map { "\($0)" + String(repeating: "a", count: 62) })
        #expect(try AnonymousSchema(decoding: full.encoded().bytes) == full)
    }

    @Test func holderSecretsAskForALongMaster() throws {
        #expect(throws: CryptoError.self) { _ = try AnonymousHolderSecret(master: SecretBytes(count: 31)) }
        _ = try AnonymousHolderSecret(master: SecretBytes(count: 32))
        #expect(throws: AnonymousClaimError.identityPoint("issuer's key")) {
            let zero = [UInt8](repeating: 0, count: 32)
            _ = try AnonymousIssuerKey(copying: zero.bytes)
        }
    }
}
