import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@testable import HandfastChannel

/// A new epoch after the handshake's: what rejoin and rejoined carry and what is refused.
@Suite struct RejoinTests {
    /// Two identities that know each other's logs, and what both remember of epoch 0.
    struct Pair: ~Copyable {
        var entropy: SeededEntropy
        let relationship: RelationshipID
        var asker: Identity
        var answerer: Identity
        var resumes = ResumeSecrets()
        let heads: [UInt8] = [0x82, 0x80, 0x82, 0x00, 0x41, 0x07]
        let answererHeads: [UInt8] = [0x82, 0x80, 0x82, 0x01, 0x41, 0x08]
        let now = Meeting.start

        init(seed: UInt64) throws {
            var entropy = SeededEntropy(seed: seed)
            relationship = RelationshipID(Digest.of(.relationship, [UInt8(truncatingIfNeeded: seed)]))
            let asker = try Identity.create(at: Meeting.start, using: &entropy)
            let answerer = try Identity.create(at: Meeting.start, using: &entropy)
            self.asker = asker
            self.answerer = answerer
            resumes.insert(SecretBytes(random: 32, using: &entropy), epoch: 0)
            self.entropy = entropy
        }

        mutating func ask(
            epoch: UInt64 = 1, resume: UInt64? = 0, insteadOf: Digest? = nil, receivingAt addresses: [Address] = []
        ) throws -> Rejoin {
            try Rejoin.make(
                relationship: relationship, epoch: epoch, resume: resume, resumes: resumes, heads: heads,
                insteadOf: insteadOf, addresses: addresses, identity: asker, peer: answerer.log.sealingKey, now: now,
                using: &entropy)
        }

        func open(_ bytes: [UInt8], knowing log: KeyLog? = nil) throws(ChannelError) -> ReceivedRejoin {
            try ReceivedRejoin.open(
                bytes.bytes, relationship: relationship, identity: answerer, peerLog: log ?? asker.log)
        }

        mutating func answer(_ bytes: [UInt8], receivingAt addresses: [Address] = []) throws -> Rejoined {
            try open(bytes).answer(
                resumes: resumes, heads: answererHeads, addresses: addresses, identity: answerer, now: now,
                using: &entropy)
        }

        mutating func address() throws -> Address {
            let key = AgreementPrivateKey.generate(using: &entropy).publicKey
            return Address(
                relay: try RelayAddress(host: "relay.example", port: 7_447, key: key), queue: .random(using: &entropy),
                capability: .random(using: &entropy))
        }
    }

    @Test func bothTellWhereTheyReceive() throws {
        var pair = try Pair(seed: 77)
        let (one, other, third) = (try pair.address(), try pair.address(), try pair.address())
        let rejoin = try pair.ask(receivingAt: [one, other])
        #expect(try pair.open(rejoin.bytes).addresses == [one, other])
        let rejoined = try pair.answer(rejoin.bytes, receivingAt: [third])
        let opened = try rejoin.pending.open(
            rejoined.envelope.bytes, peerLog: pair.answerer.log, now: pair.now, using: &pair.entropy)
        #expect(opened.addresses == [third])
        let twice = try pair.ask(receivingAt: [one, one])
        #expect(throws: ChannelError.malformed("addresses: two name one queue")) { _ = try pair.open(twice.bytes) }
    }

    private func isRejoin(_ bytes: [UInt8]) -> Bool { Rejoin.isRejoin(bytes.bytes) }

    @Test func aRejoinBeginsAnEpochInWhichBothTalk() throws {
        var pair = try Pair(seed: 1)
        let rejoin = try pair.ask()
        #expect(isRejoin(rejoin.bytes))
        let received = try pair.open(rejoin.bytes)
        #expect(received.hash == rejoin.hash)
        #expect(received.epoch == 1)
        #expect(received.resume == 0)
        #expect(received.insteadOf == nil)
        #expect(received.heads == pair.heads)
        #expect(received.peerLog == pair.asker.log)
        let rejoined = try pair.answer(rejoin.bytes)
        #expect(!isRejoin(rejoined.envelope))
        let pending = try PendingRejoin.decode(rejoin.pending.encoded().bytes)
        let opened = try pending.open(
            rejoined.envelope.bytes, peerLog: pair.answerer.log, now: pair.now, using: &pair.entropy)
        #expect(opened.heads == pair.answererHeads)
        #expect(opened.peerLog == pair.answerer.log)
        #expect([UInt8](opened.resume.bytes) == [UInt8](rejoined.resume.bytes))
        let (asker, answerer) = (
            Endpoint(try Meeting.reload(opened.channel, using: &pair.entropy)),
            Endpoint(try Meeting.reload(rejoined.channel, using: &pair.entropy))
        )
        for turn in 0..<3 {
            #expect(try answerer.open(asker.seal("asks \(turn)", using: &pair.entropy)) == "asks \(turn)")
            #expect(try asker.open(answerer.seal("answers \(turn)", using: &pair.entropy)) == "answers \(turn)")
        }
        #expect(throws: ChannelError.unknownTag) { _ = try asker.open(rejoined.envelope) }
    }

    @Test func bothSidesOfTheHandshakeRememberTheSameEpoch() throws {
        var entropy = SeededEntropy(seed: 2)
        let parties = try Parties(at: Meeting.start, using: &entropy)
        let greeting = try parties.greet(using: &entropy)
        let pairwise = try Identity.create(at: Meeting.start, using: &entropy)
        let welcome = try parties.welcome(greeting.hello, by: pairwise, using: &entropy)
        let opened = try greeting.pending.open(welcome.envelope.bytes, now: Meeting.start, using: &entropy)
        #expect([UInt8](opened.resume.bytes) == [UInt8](welcome.resume.bytes))
    }

    @Test func everyChangedByteOfARejoinIsRefused() throws {
        var pair = try Pair(seed: 3)
        let bytes = try pair.ask().bytes
        for index in stride(from: 0, to: bytes.count, by: bytes.count / 97) {
            var changed = bytes
            changed[index] ^= 0x40
            #expect(throws: index == 0 ? ChannelError.unsupportedVersion(0x42, of: "rejoin") : .notAuthentic) {
                _ = try pair.open(changed)
            }
        }
        #expect(throws: ChannelError.notAuthentic) { _ = try pair.open(bytes.dropLast()) }
        #expect(throws: ChannelError.notAuthentic) { _ = try pair.open(bytes + [0]) }
        #expect(throws: ChannelError.malformed("rejoin: 1392 bytes are too few")) {
            _ = try pair.open(Array(bytes.prefix(1_392)))
        }
        #expect(throws: ChannelError.tooLarge(of: "rejoin", maximum: 65_614)) {
            _ = try pair.open(bytes + [UInt8](repeating: 0, count: 65_615 - bytes.count))
        }
    }

    @Test func aRejoinCountsInItsRelationshipAlone() throws {
        var pair = try Pair(seed: 4)
        let bytes = try pair.ask().bytes
        let other = RelationshipID(Digest.of(.relationship, [9]))
        #expect(throws: ChannelError.notAuthentic) {
            _ = try ReceivedRejoin.open(
                bytes.bytes, relationship: other, identity: pair.answerer, peerLog: pair.asker.log)
        }
    }

    @Test func aReplacedKeySignsNoRejoin() throws {
        var pair = try Pair(seed: 5)
        let bytes = try pair.ask().bytes
        _ = try pair.asker.rotate(at: pair.now, using: &pair.entropy)
        #expect(throws: ChannelError.signature(.invalidSignature, of: "rejoin")) { _ = try pair.open(bytes) }
    }

    @Test func aRejoinShowsTheRotationsThatItsReceiverMissed() throws {
        var pair = try Pair(seed: 6)
        let known = pair.asker.log
        _ = try pair.asker.rotate(at: pair.now, using: &pair.entropy)
        _ = try pair.asker.rotate(at: pair.now, using: &pair.entropy)
        let received = try pair.open(pair.ask().bytes, knowing: known)
        #expect(received.peerLog == pair.asker.log)
    }

    @Test func aRejoinShowsThatTwoHoldOneIdentity() throws {
        var pair = try Pair(seed: 7)
        var copy = try Identity.decode(pair.asker.encoded().bytes)
        _ = try copy.rotate(at: pair.now.adding(seconds: 1), using: &pair.entropy)
        _ = try pair.asker.rotate(at: pair.now, using: &pair.entropy)
        let bytes = try pair.ask().bytes
        let (known, conflicting) = (copy.log.events[1], pair.asker.log.events[1])
        let log = copy.log
        #expect(throws: ChannelError.keyLogFork(KeyLogFork(known: known, conflicting: conflicting))) {
            _ = try pair.open(bytes, knowing: log)
        }
    }

    @Test func aRevokedIdentityNeitherAsksNorAnswers() throws {
        var pair = try Pair(seed: 8)
        let asked = try pair.ask()
        let answererLog = pair.answerer.log
        _ = try pair.answerer.revoke(at: pair.now)
        let rejoined = try pair.answer(asked.bytes)
        #expect(throws: ChannelError.keyLog(.revoked, sequence: 1)) {
            _ = try asked.pending.open(
                rejoined.envelope.bytes, peerLog: answererLog, now: pair.now, using: &pair.entropy)
        }
        _ = try pair.asker.revoke(at: pair.now)
        let bytes = try pair.ask().bytes
        #expect(throws: ChannelError.keyLog(.revoked, sequence: 1)) { _ = try pair.open(bytes) }
    }

    @Test func anEpochThatIsNotRememberedIsNotResumed() throws {
        var pair = try Pair(seed: 9)
        let bytes = try pair.ask().bytes
        let received = try pair.open(bytes)
        #expect(throws: ChannelError.unknownResume(0)) {
            _ = try received.answer(
                resumes: ResumeSecrets(), heads: pair.heads, identity: pair.answerer, now: pair.now,
                using: &pair.entropy)
        }
        #expect(throws: ChannelError.unknownResume(3)) { _ = try pair.ask(epoch: 4, resume: 3) }
        #expect(throws: ChannelError.malformed("rejoin: epoch 0 cannot be begun")) { _ = try pair.ask(epoch: 0) }
    }

    @Test func anotherResumeSecretGivesAnotherRoot() throws {
        var pair = try Pair(seed: 10)
        let rejoin = try pair.ask()
        pair.resumes = ResumeSecrets()
        pair.resumes.insert(SecretBytes(random: 32, using: &pair.entropy), epoch: 0)
        let rejoined = try pair.answer(rejoin.bytes)
        #expect(throws: ChannelError.notAuthentic) {
            _ = try rejoin.pending.open(
                rejoined.envelope.bytes, peerLog: pair.answerer.log, now: pair.now, using: &pair.entropy)
        }
    }

    @Test func aRejoinWithoutAResumedEpochIsAnswered() throws {
        var pair = try Pair(seed: 11)
        let rejoin = try pair.ask(resume: nil)
        #expect(try pair.open(rejoin.bytes).resume == nil)
        let rejoined = try pair.answer(rejoin.bytes)
        _ = try rejoin.pending.open(
            rejoined.envelope.bytes, peerLog: pair.answerer.log, now: pair.now, using: &pair.entropy)
    }

    @Test func anAnswerOpensUnderItsOwnRejoinAlone() throws {
        var pair = try Pair(seed: 12)
        let first = try pair.ask()
        let second = try pair.ask()
        let rejoined = try pair.answer(first.bytes)
        let before = [UInt8](second.pending.encoded().bytes)
        #expect(throws: ChannelError.notAuthentic) {
            _ = try second.pending.open(
                rejoined.envelope.bytes, peerLog: pair.answerer.log, now: pair.now, using: &pair.entropy)
        }
        #expect([UInt8](second.pending.encoded().bytes) == before)
        for index in stride(from: 1, to: rejoined.envelope.count, by: rejoined.envelope.count / 61) {
            var changed = rejoined.envelope
            changed[index] ^= 1
            #expect(throws: ChannelError.notAuthentic) {
                _ = try first.pending.open(
                    changed.bytes, peerLog: pair.answerer.log, now: pair.now, using: &pair.entropy)
            }
        }
    }

    @Test func anAnswerMadeAnewSharesNothingWithTheLostOne() throws {
        var pair = try Pair(seed: 13)
        let rejoin = try pair.ask()
        let lost = try pair.answer(rejoin.bytes)
        let made = try pair.answer(rejoin.bytes)
        #expect(lost.envelope.prefix(62) != made.envelope.prefix(62))
        _ = try rejoin.pending.open(
            made.envelope.bytes, peerLog: pair.answerer.log, now: pair.now, using: &pair.entropy)
    }

    @Test func theLatestFourEpochsAreRemembered() throws {
        var entropy = SeededEntropy(seed: 14)
        var resumes = ResumeSecrets()
        for epoch in [0, 1, 2, 5, 9] as [UInt64] {
            resumes.insert(SecretBytes(random: 32, using: &entropy), epoch: epoch)
        }
        #expect(resumes.epochs == [1, 2, 5, 9])
        #expect(resumes.latest(atMost: 8) == 5)
        #expect(resumes.latest(atMost: 0) == nil)
        let forgotten = resumes.secret(of: 0) == nil
        #expect(forgotten)
        let encoded = resumes.encoded()
        let decoded = try ResumeSecrets.decode(encoded.bytes)
        #expect(decoded.epochs == [1, 2, 5, 9])
        #expect(encoded.count <= 256)
        #expect([UInt8](decoded.encoded().bytes) == [UInt8](encoded.bytes))
        // An older copy that goes on begins its epochs anew.
        resumes.insert(SecretBytes(random: 32, using: &entropy), epoch: 2)
        #expect(resumes.epochs == [1, 2])
    }

    @Test func aLogOfManyRotationsShowsItsEnd() throws {
        var pair = try Pair(seed: 15)
        var known = pair.asker.log
        for rotation in 1...40 {
            _ = try pair.asker.rotate(at: pair.now, using: &pair.entropy)
            if rotation == 16 { known = pair.asker.log }
        }
        let rejoin = try pair.ask()
        #expect(rejoin.bytes.count <= 65_614)
        #expect(try pair.open(rejoin.bytes, knowing: known).peerLog == pair.asker.log)
        let older = try KeyLog(Array(known.events.prefix(8)))
        #expect(throws: ChannelError.keyLog(.wrongSequence, sequence: 17)) {
            _ = try pair.open(rejoin.bytes, knowing: older)
        }
    }
}
