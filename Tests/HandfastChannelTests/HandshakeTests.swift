import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@testable import HandfastChannel

@Suite struct HandshakeTests {
    static let now = Meeting.start

    @Test func bothSidesNameTheSameRelationshipAndWords() throws {
        let met = try Meeting.run(seed: 1)
        #expect(met.relationship == met.received)
        #expect(met.inviterProof == met.inviteeProof)
        let verified = try met.inviterProof.verify()
        #expect(verified.relationship == met.relationship)
        #expect(verified.words.split(separator: "-").count == 6)
        #expect(met.inviterEntries == [[0x82, 0x01, 0x02]])
        #expect(met.inviteeEntries == [[0x03]])
    }

    @Test func invitationsFitIntoAQRCodeAndReadBack() throws {
        var entropy = SeededEntropy(seed: 2)
        let parties = try Parties(at: Self.now, using: &entropy)
        let uri = parties.invitation.uri
        #expect(uri.utf8.count <= 200)
        #expect(try Invitation(uri: uri) == parties.invitation)
        #expect(try Invitation(uri: "  \(uri)\n") == parties.invitation)
        let key = parties.invitation.relay.key
        for hostLength in [1, 32] {
            let relay = try RelayAddress(host: String(repeating: "h", count: hostLength), port: 65_535, key: key)
            let invitation = try Invitation(
                relay: relay, knockQueue: .random(using: &entropy), signer: parties.invitation.signer, eventCount: 64,
                ticket: .random(using: &entropy))
            #expect(invitation.uri.utf8.count <= 200)
        }
        #expect(throws: ChannelError.self) {
            let relay = try RelayAddress(host: String(repeating: "h", count: 60), port: 7447, key: key)
            _ = try Invitation(
                relay: relay, knockQueue: .random(using: &entropy), signer: parties.invitation.signer, eventCount: 1,
                ticket: .random(using: &entropy))
        }
    }

    @Test func damagedInvitationsAreRefused() throws {
        var entropy = SeededEntropy(seed: 3)
        let parties = try Parties(at: Self.now, using: &entropy)
        let uri = parties.invitation.uri
        #expect(throws: ChannelError.malformed("invitation: it starts with \"handfast:\"")) {
            try Invitation(uri: "https://example.com")
        }
        for count in 9..<uri.count {
            #expect(throws: ChannelError.self) { try Invitation(uri: String(uri.prefix(count))) }
        }
        #expect(throws: ChannelError.self) { try Invitation(uri: uri + "A") }
        #expect(throws: ChannelError.self) { try Invitation(uri: uri + String(repeating: "A", count: 10_000)) }
        #expect(throws: ChannelError.unsupportedVersion(2, of: "invitation")) {
            var bytes = try Base64URL.decode(uri.dropFirst(9))
            bytes[1] = 2
            _ = try Invitation(uri: "handfast:" + Base64URL.encode(bytes))
        }
    }

    @Test func anExpiredOrFutureBundleNamesBothClocks() throws {
        var entropy = SeededEntropy(seed: 4)
        let parties = try Parties(at: Self.now, using: &entropy)
        let bundle = parties.bundle
        let dayBefore = Self.now.subtracting(seconds: 86_400)
        let later = bundle.expires.adding(seconds: 86_400)
        #expect(throws: ChannelError.bundleNotYetValid(from: Self.now, now: dayBefore)) {
            try bundle.check(against: parties.invitation, now: dayBefore)
        }
        #expect(throws: ChannelError.bundleExpired(at: bundle.expires, now: later)) {
            try bundle.check(against: parties.invitation, now: later)
        }
        try bundle.check(against: parties.invitation, now: Self.now.subtracting(seconds: 3_600))
        try bundle.check(against: parties.invitation, now: bundle.expires.adding(seconds: 3_600))
    }

    @Test func aBundleOfAnotherSignerOrAnOlderLogIsRefused() throws {
        var entropy = SeededEntropy(seed: 5)
        let parties = try Parties(at: Self.now, using: &entropy)
        let other = try Parties(at: Self.now, using: &entropy)
        #expect(throws: ChannelError.self) { try other.bundle.check(against: parties.invitation, now: Self.now) }
        let invitation = try Invitation(
            relay: parties.invitation.relay, knockQueue: parties.invitation.knockQueue,
            signer: parties.invitation.signer, eventCount: 2, ticket: parties.invitation.ticket)
        #expect(throws: ChannelError.keyLogTooShort(expected: 2, actual: 1)) {
            try parties.bundle.check(against: invitation, now: Self.now)
        }
    }

    @Test func everyChangedByteOfABundleIsRefused() throws {
        var entropy = SeededEntropy(seed: 6)
        let parties = try Parties(at: Self.now, using: &entropy)
        let bytes = parties.bundle.bytes
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= UInt8(truncatingIfNeeded: entropy.next() | 1)
            #expect(throws: ChannelError.self) { try Bundle(decoding: changed.bytes) }
        }
        for count in stride(from: 0, to: bytes.count, by: 11) {
            #expect(throws: ChannelError.self) { try Bundle(decoding: Array(bytes.prefix(count)).bytes) }
        }
    }

    @Test func aBundleMayNotBeValidForMoreThanTwoDays() throws {
        var entropy = SeededEntropy(seed: 7)
        let parties = try Parties(at: Self.now, using: &entropy)
        #expect(throws: ChannelError.malformed("bundle: it may be valid for at most 48 hours")) {
            _ = try Bundle.make(
                signer: parties.signer, key: parties.bundleKey.publicKey, notBefore: Self.now,
                expires: Self.now.adding(seconds: 172_801), families: [])
        }
    }

    @Test func garbledAndTruncatedHellosAreRefused() throws {
        var entropy = SeededEntropy(seed: 8)
        let parties = try Parties(at: Self.now, using: &entropy)
        let greeting = try parties.greet(using: &entropy)
        let hello = greeting.hello
        for index in stride(from: 0, to: hello.count, by: 13) {
            var changed = hello
            changed[index] ^= 1 << UInt8(entropy.next() % 8)
            #expect(throws: ChannelError.self) {
                _ = try ReceivedHello.open(changed.bytes, bundle: parties.bundle, key: parties.bundleKey)
            }
        }
        for count in stride(from: 0, to: hello.count, by: 97) {
            #expect(throws: ChannelError.self) {
                _ = try ReceivedHello.open(
                    Array(hello.prefix(count)).bytes, bundle: parties.bundle, key: parties.bundleKey)
            }
        }
        #expect(throws: ChannelError.tooLarge(of: "hello", maximum: 32_768)) {
            _ = try ReceivedHello.bundleHash(of: [UInt8](repeating: 1, count: 32_769).bytes)
        }
        let again = try ReceivedHello.open(hello.bytes, bundle: parties.bundle, key: parties.bundleKey)
        #expect(again.hash == ReceivedHello.hash(of: hello))
    }

    @Test func aHelloToAnotherBundleIsToldApart() throws {
        var entropy = SeededEntropy(seed: 9)
        let parties = try Parties(at: Self.now, using: &entropy)
        let other = try Parties(at: Self.now, using: &entropy)
        let greeting = try parties.greet(using: &entropy)
        #expect(throws: ChannelError.wrongBundle) {
            _ = try ReceivedHello.open(greeting.hello.bytes, bundle: other.bundle, key: other.bundleKey)
        }
    }

    @Test func aWelcomeSignedByAnotherSignerIsRefused() throws {
        var entropy = SeededEntropy(seed: 10)
        let parties = try Parties(at: Self.now, using: &entropy)
        let greeting = try parties.greet(using: &entropy)
        let received = try ReceivedHello.open(
            greeting.hello.bytes, bundle: parties.bundle, key: parties.bundleKey)
        let impostor = try Identity.create(at: Self.now, using: &entropy)
        let pairwise = try Identity.create(at: Self.now, using: &entropy)
        #expect(throws: ChannelError.wrongSigner(expected: parties.signer.id, actual: impostor.id)) {
            _ = try received.welcome(
                identity: pairwise, signer: impostor, addresses: [parties.address], entries: [], now: Self.now,
                using: &entropy)
        }
    }

    @Test func everyFlippedBitOfAWelcomeIsRefusedAndTheRealOneStillOpens() throws {
        var entropy = SeededEntropy(seed: 11)
        let parties = try Parties(at: Self.now, using: &entropy)
        let greeting = try parties.greet(using: &entropy)
        let pairwise = try Identity.create(at: Self.now, using: &entropy)
        let welcome = try parties.welcome(greeting.hello, by: pairwise, using: &entropy)
        for index in stride(from: 0, to: welcome.envelope.count, by: 3) {
            var flipped = welcome.envelope
            flipped[index] ^= 1 << UInt8(entropy.next() % 8)
            #expect(throws: ChannelError.self) {
                _ = try greeting.pending.open(flipped.bytes, now: Self.now, using: &entropy)
            }
        }
        let stored = try PendingWelcome.decode(greeting.pending.encoded().bytes)
        let opened = try stored.open(welcome.envelope.bytes, now: Self.now, using: &entropy)
        #expect(opened.proof == welcome.proof)
        #expect(opened.inviterLog.id == pairwise.id)
    }

    @Test func aSignerThatRotatedSinceTheBundleShowsItsLaterEvents() throws {
        var entropy = SeededEntropy(seed: 12)
        var parties = try Parties(at: Self.now, using: &entropy)
        let greeting = try parties.greet(using: &entropy)
        _ = try parties.signer.rotate(at: Self.now, using: &entropy)
        let pairwise = try Identity.create(at: Self.now, using: &entropy)
        let welcome = try parties.welcome(greeting.hello, by: pairwise, using: &entropy)
        let opened = try greeting.pending.open(welcome.envelope.bytes, now: Self.now, using: &entropy)
        let proof = opened.proof
        #expect(try proof.verify().signer.events.count == 2)
        // An event that the bundle or the proof shows already would be a second form of the same proof.
        let events = proof.signerEvents
        for (extra, number) in [(events, 1), ([parties.signer.log.events[0].encoded()], 0)] {
            let padded = HandshakeProof(
                bundle: proof.bundle, encapsulation: proof.encapsulation, helloHash: proof.helloHash,
                ciphertext: proof.ciphertext, ratchetKey: proof.ratchetKey, inviteeInception: proof.inviteeInception,
                inviterInception: proof.inviterInception, pairwiseSignature: proof.pairwiseSignature,
                signerSignature: proof.signerSignature, signerEvents: events + extra)
            #expect(throws: ChannelError.keyLog(.wrongSequence, sequence: number)) { try padded.verify() }
        }
    }

    @Test func everyChangedByteOfAProofIsRefused() throws {
        var met = try Meeting.run(seed: 13)
        var writer = CBORWriter()
        met.inviterProof.write(to: &writer)
        let bytes = writer.bytes
        for index in stride(from: 0, to: bytes.count, by: 5) {
            var changed = bytes
            changed[index] ^= UInt8(truncatingIfNeeded: met.entropy.next() | 1)
            #expect(throws: (any Error).self) {
                var reader = CBORReader(changed.bytes)
                let proof = try HandshakeProof(reading: &reader)
                _ = try proof.verify()
            }
        }
    }

    @Test func relayAddressesReadBackAndRefuseWhatIsNone() throws {
        var entropy = SeededEntropy(seed: 14)
        let key = AgreementPrivateKey.generate(using: &entropy).publicKey
        for host in ["relay.example", "127.0.0.1", "::1"] {
            let address = try RelayAddress(host: host, port: 7447, key: key)
            #expect(try RelayAddress(text: address.description) == address)
        }
        for text in [
            "", "relay", "relay:7447", "relay/abc", "relay:0/\(Base64URL.encode(key.array))", ":1/x",
            "a b:1/\(Base64URL.encode(key.array))",
        ] {
            #expect(throws: ChannelError.self) { try RelayAddress(text: text) }
        }
    }
}
