import HandfastCrypto
import HandfastTestSupport
import Testing

@testable import HandfastChannel

@Suite struct ChannelTests {
    @Test func bothSidesTalkInTurns() throws {
        var met = try Meeting.run(seed: 1)
        for round in 0..<40 {
            let there = try met.invitee.seal("there \(round)", using: &met.entropy)
            #expect(try met.inviter.open(there) == "there \(round)")
            let back = try met.inviter.seal("back \(round)", using: &met.entropy)
            #expect(try met.invitee.open(back) == "back \(round)")
        }
    }

    @Test func inviterMayGoOnSendingBeforeItHasHeardAnything() throws {
        var met = try Meeting.run(seed: 2)
        for index in 0..<20 {
            let envelope = try met.inviter.seal("\(index)", using: &met.entropy)
            #expect(try met.invitee.open(envelope) == "\(index)")
        }
    }

    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func anyInterleavingWithLossAndReorderingDeliversWhatArrives(seed: UInt64) throws {
        var met = try Meeting.run(seed: seed)
        var clock = Meeting.start
        var underway: [(to: Endpoint, envelope: [UInt8], text: String)] = []
        for step in 0..<120 {
            clock = clock.adding(seconds: met.entropy.next() % 7_200)
            let (sender, receiver) =
                met.entropy.next() % 2 == 0 ? (met.invitee, met.inviter) : (met.inviter, met.invitee)
            switch met.entropy.next() % 8 {
            case 0...3:
                let text = "step \(step)"
                underway.append((receiver, try sender.seal(text, at: clock, using: &met.entropy), text))
            case 4 where !underway.isEmpty:
                // Out of order, but never past the head of a chain: a lost ML-KEM ciphertext is a test of its own.
                let index = Int(met.entropy.next() % UInt64(min(3, underway.count)))
                let message = underway.remove(at: index)
                #expect(try message.to.open(message.envelope, at: clock) == message.text, "seed \(seed) step \(step)")
            case 5:
                try sender.restart(using: &met.entropy)
                sender.channel.didCommit(using: &met.entropy)
            default:
                guard !underway.isEmpty else { continue }
                let message = underway.removeFirst()
                #expect(try message.to.open(message.envelope, at: clock) == message.text, "seed \(seed) step \(step)")
            }
        }
        for message in underway {
            #expect(try message.to.open(message.envelope, at: clock) == message.text, "seed \(seed)")
        }
    }

    @Test func stateSurvivesARestartBetweenAnyTwoMessages() throws {
        var met = try Meeting.run(seed: 3)
        for round in 0..<30 {
            let sender = round % 3 == 0 ? met.inviter : met.invitee
            let receiver = round % 3 == 0 ? met.invitee : met.inviter
            let envelope = try sender.seal("\(round)", using: &met.entropy)
            try sender.restart(using: &met.entropy)
            try receiver.restart(using: &met.entropy)
            #expect(try receiver.open(envelope) == "\(round)")
        }
    }

    @Test func storedStateIsSmall() throws {
        var met = try Meeting.run(seed: 4)
        for round in 0..<80 {
            let envelope = try met.invitee.seal("\(round)", using: &met.entropy)
            _ = try met.inviter.open(envelope)
            let answer = try met.inviter.seal("\(round)", using: &met.entropy)
            _ = try met.invitee.open(answer)
            #expect(met.inviter.storedByteCount <= 1_100)
            #expect(met.invitee.storedByteCount <= 1_100)
        }
    }

    @Test func skippedMessagesOpenLaterAndOnlyOnce() throws {
        var met = try Meeting.run(seed: 5)
        let envelopes = try (0..<20).map { try met.invitee.seal("\($0)", using: &met.entropy) }
        #expect(try met.inviter.open(envelopes[19]) == "19")
        try met.inviter.restart(using: &met.entropy)
        for index in (0..<19).reversed() { #expect(try met.inviter.open(envelopes[index]) == "\(index)") }
        for envelope in envelopes {
            #expect(throws: ChannelError.unknownTag) { try met.inviter.open(envelope) }
        }
    }

    @Test func skippedKeysExpire() throws {
        var met = try Meeting.run(seed: 6)
        let envelopes = try (0..<3).map { try met.invitee.seal("\($0)", using: &met.entropy) }
        _ = try met.inviter.open(envelopes[2])
        let late = Meeting.start.adding(seconds: SkippedKey.lifetimeSeconds)
        #expect(throws: ChannelError.unknownTag) { try met.inviter.open(envelopes[0], at: late) }
    }

    @Test func refusesAMessageMoreThan256Ahead() throws {
        var met = try Meeting.run(seed: 7)
        let envelopes = try (0...257).map { try met.invitee.seal("\($0)", using: &met.entropy) }
        let before = met.inviter.snapshot
        #expect(throws: ChannelError.unknownTag) { try met.inviter.open(envelopes[257]) }
        #expect(met.inviter.snapshot == before)
        #expect(try met.inviter.open(envelopes[256]) == "256")
    }

    @Test func keepsAtMost256SkippedKeysAndDropsTheOldest() throws {
        var met = try Meeting.run(seed: 8)
        let envelopes = try (0..<402).map { try met.invitee.seal("\($0)", using: &met.entropy) }
        _ = try met.inviter.open(envelopes[200])
        _ = try met.inviter.open(envelopes[401])
        #expect(met.inviter.channel.skipped.count == 256)
        #expect(throws: ChannelError.unknownTag) { try met.inviter.open(envelopes[0]) }
        #expect(try met.inviter.open(envelopes[399]) == "399")
    }

    @Test func everyFlippedBitIsRefusedAndChangesNothing() throws {
        var met = try Meeting.run(seed: 9)
        let first = try met.invitee.seal("one", using: &met.entropy)
        _ = try met.inviter.open(first)
        let turn = try met.inviter.seal("two", using: &met.entropy)
        let before = met.invitee.snapshot
        for bit in 0..<turn.count * 8 {
            var flipped = turn
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: ChannelError.self) { try met.invitee.open(flipped) }
        }
        #expect(met.invitee.snapshot == before)
        #expect(try met.invitee.open(turn) == "two")
    }

    @Test func truncationAndExtensionAreRefused() throws {
        var met = try Meeting.run(seed: 10)
        let envelope = try met.invitee.seal("one", using: &met.entropy)
        let before = met.inviter.snapshot
        for count in stride(from: 0, to: envelope.count, by: 7) {
            #expect(throws: ChannelError.self) { try met.inviter.open(Array(envelope.prefix(count))) }
        }
        #expect(throws: ChannelError.self) { try met.inviter.open(envelope + [0]) }
        #expect(throws: ChannelError.tooLarge(of: "envelope", maximum: Channel.maximumEnvelopeByteCount)) {
            try met.inviter.open([UInt8](repeating: 1, count: Channel.maximumEnvelopeByteCount + 1))
        }
        #expect(met.inviter.snapshot == before)
        #expect(try met.inviter.open(envelope) == "one")
    }

    @Test func envelopesOfAnotherRelationshipAreUnknown() throws {
        var one = try Meeting.run(seed: 11)
        let other = try Meeting.run(seed: 12)
        let envelope = try one.invitee.seal("one", using: &one.entropy)
        #expect(throws: ChannelError.unknownTag) { try other.inviter.open(envelope) }
    }

    @Test func sizesArePaddedAndACiphertextHidesInThePadding() throws {
        var met = try Meeting.run(seed: 13)
        // The inviter's first chain carries a ciphertext in its first eight envelopes, the welcome among them.
        let withCiphertext = try met.inviter.seal("x", using: &met.entropy)
        #expect(withCiphertext.count == 78 + Padding.paddedByteCount(of: 3 + 1 + 1_088))
        let plain = try met.invitee.seal("x", using: &met.entropy)
        #expect(plain.count == 78 + 256)
        let long = try met.invitee.seal(String(repeating: "x", count: 1_088 + 1), using: &met.entropy)
        #expect(long.count == withCiphertext.count)
    }

    @Test func largestContentFitsAndOneByteMoreIsRefused() throws {
        var met = try Meeting.run(seed: 14)
        let largest = String(repeating: "a", count: Channel.maximumContentByteCount)
        let envelope = try met.inviter.seal(largest, using: &met.entropy)
        #expect(envelope.count <= Channel.maximumEnvelopeByteCount)
        #expect(try met.invitee.open(envelope) == largest)
        #expect(throws: ChannelError.tooLarge(of: "message", maximum: Channel.maximumContentByteCount)) {
            try met.inviter.seal(largest + "a", using: &met.entropy)
        }
    }

    @Test func refusesMoreContentThanASenderMayPutIntoABody() throws {
        // An envelope has room for more where neither offer nor ciphertext is in it.
        for (count, fits) in [(Channel.maximumContentByteCount, true), (Channel.maximumContentByteCount + 1, false)] {
            var plaintext = [UInt8](repeating: 0, count: 65_536)
            plaintext[0] = PayloadKind.ephemeral.rawValue
            (plaintext[1], plaintext[2]) = (UInt8(count >> 8), UInt8(count & 0xff))
            if fits {
                #expect(try Body(plaintext.bytes).content.count == count)
            } else {
                #expect(throws: ChannelError.malformed("body: content too long")) { try Body(plaintext.bytes) }
            }
        }
    }

    @Test func aNewPostQuantumStepComesAfterADay() throws {
        var met = try Meeting.run(seed: 15)
        _ = try met.inviter.open(met.invitee.seal("hello", using: &met.entropy))
        _ = try met.invitee.open(met.inviter.seal("hello", using: &met.entropy))
        let tomorrow = Meeting.start.adding(seconds: 86_400)
        // The invitee offers, the inviter encapsulates, and the offer is gone.
        _ = try met.inviter.open(met.invitee.seal("offer", at: tomorrow, using: &met.entropy), at: tomorrow)
        #expect(met.inviter.channel.peerOffer != nil)
        let answer = try met.inviter.seal("answer", at: tomorrow, using: &met.entropy)
        #expect(answer.count > 1_088)
        #expect(met.inviter.channel.peerOffer == nil)
        _ = try met.invitee.open(answer, at: tomorrow)
        let isAnswered = met.invitee.channel.ownOffer == nil
        #expect(isAnswered)
        #expect(met.invitee.channel.schedule.last == tomorrow)
        #expect(met.inviter.channel.schedule.last == tomorrow)
    }

    @Test func aNewPostQuantumStepComesAfter32Steps() throws {
        var met = try Meeting.run(seed: 16)
        var ciphertexts = 0
        for round in 0..<40 {
            let there = try met.invitee.seal("\(round)", using: &met.entropy)
            let back: [UInt8]
            _ = try met.inviter.open(there)
            back = try met.inviter.seal("\(round)", using: &met.entropy)
            _ = try met.invitee.open(back)
            ciphertexts += (there.count > 1_100 ? 1 : 0) + (back.count > 1_100 ? 1 : 0)
        }
        #expect(met.invitee.channel.schedule.stepsSinceLast < 34)
        #expect(ciphertexts >= 2)
    }

    @Test func anOfferIsUsedOnceThoughItIsRepeated() throws {
        var met = try Meeting.run(seed: 17)
        _ = try met.inviter.open(met.invitee.seal("0", using: &met.entropy))
        _ = try met.invitee.open(met.inviter.seal("0", using: &met.entropy))
        let later = Meeting.start.adding(seconds: 86_400)
        let offers = try (0..<3).map { try met.invitee.seal("\($0)", at: later, using: &met.entropy) }
        _ = try met.inviter.open(offers[0], at: later)
        _ = try met.inviter.seal("uses it", at: later, using: &met.entropy)
        #expect(met.inviter.channel.peerOffer == nil)
        _ = try met.inviter.open(offers[1], at: later)
        _ = try met.inviter.open(offers[2], at: later)
        #expect(met.inviter.channel.peerOffer == nil)
    }

    @Test func anOfferInAMessageThatComesLateIsNotTaken() throws {
        var met = try Meeting.run(seed: 101)
        _ = try met.inviter.open(met.invitee.seal("0", using: &met.entropy))
        _ = try met.invitee.open(met.inviter.seal("0", using: &met.entropy))
        var clock = Meeting.start
        func exchange(_ text: String) throws {
            _ = try met.inviter.open(met.invitee.seal(text, at: clock, using: &met.entropy), at: clock)
            _ = try met.invitee.open(met.inviter.seal(text, at: clock, using: &met.entropy), at: clock)
        }
        clock = clock.adding(seconds: 86_400)
        let offers = try (0..<3).map { try met.invitee.seal("\($0)", at: clock, using: &met.entropy) }
        _ = try met.inviter.open(offers[0], at: clock)
        _ = try met.inviter.open(offers[2], at: clock)
        _ = try met.invitee.open(met.inviter.seal("uses the first offer", at: clock, using: &met.entropy), at: clock)
        clock = clock.adding(seconds: 90_000)
        try exchange("uses the second offer")
        try exchange("plain")
        #expect(try met.inviter.open(offers[1], at: clock) == "1")
        #expect(met.inviter.channel.peerOffer == nil)
        try exchange("the channel lives on")
    }

    @Test func aReceiverRefusesMoreThan65536MessagesOfOneChain() throws {
        var met = try Meeting.run(seed: 102)
        _ = try met.inviter.open(met.invitee.seal("0", using: &met.entropy))
        met.invitee.channel.sending?.next = SendingChain.maximumLength - 1
        met.inviter.channel.receiving?.next = SendingChain.maximumLength - 1
        let last = try met.invitee.seal("last", using: &met.entropy)
        #expect(try met.inviter.open(last) == "last")
        // Whatever comes by this chain now is unknown, and nothing traps.
        #expect(throws: ChannelError.unknownTag) { try met.inviter.open(last) }
        _ = try met.invitee.open(met.inviter.seal("turn", using: &met.entropy))
        // Had they all been lost, the next chain would skip too many.
        met.inviter.channel.receiving?.next = 0
        #expect(throws: ChannelError.tooManySkipped) {
            try met.inviter.open(met.invitee.seal("new chain", using: &met.entropy))
        }
    }

    @Test func aTurnIsNotAnsweredByATurn() throws {
        var met = try Meeting.run(seed: 103)
        var turn: [UInt8] = []
        try met.invitee.channel.seal(.turn, RawSpan(), now: Meeting.start, into: &turn, using: &met.entropy)
        _ = try met.inviter.open(turn)
        let tomorrow = Meeting.start.adding(seconds: 86_400)
        #expect(!met.inviter.turnIsDue(at: tomorrow))
        try met.inviter.restart(using: &met.entropy)
        #expect(!met.inviter.turnIsDue(at: tomorrow))
        _ = try met.inviter.open(met.invitee.seal("content", using: &met.entropy))
        #expect(met.inviter.turnIsDue(at: tomorrow))
    }

    @Test func aHeldEnvelopeIsKeptOnce() throws {
        var met = try Meeting.run(seed: 104)
        _ = try met.inviter.open(met.invitee.seal("0", using: &met.entropy))
        _ = try met.invitee.open(met.inviter.seal("0", using: &met.entropy))
        let later = Meeting.start.adding(seconds: 86_400)
        _ = try met.inviter.open(met.invitee.seal("offer", at: later, using: &met.entropy), at: later)
        let chain = try (0..<10).map { try met.inviter.seal("\($0)", at: later, using: &met.entropy) }
        for _ in 0..<300 { #expect(try met.invitee.open(chain[9], at: later) == nil) }
        #expect(met.invitee.channel.held.envelopes.count == 1)
    }

    @Test func envelopesWithoutTheirCiphertextAreHeldUntilItComes() throws {
        var met = try Meeting.run(seed: 18)
        _ = try met.inviter.open(met.invitee.seal("0", using: &met.entropy))
        _ = try met.invitee.open(met.inviter.seal("0", using: &met.entropy))
        let later = Meeting.start.adding(seconds: 86_400)
        _ = try met.inviter.open(met.invitee.seal("offer", at: later, using: &met.entropy), at: later)
        let chain = try (0..<12).map { try met.inviter.seal("\($0)", at: later, using: &met.entropy) }
        #expect(try met.invitee.open(chain[9], at: later) == nil)
        #expect(try met.invitee.open(chain[11], at: later) == nil)
        #expect(met.invitee.takeReleasable().isEmpty)
        try met.invitee.restart(using: &met.entropy)
        #expect(try met.invitee.open(chain[3], at: later) == "3")
        let released = met.invitee.takeReleasable()
        #expect(try released.map { try met.invitee.open($0, at: later) } == ["9", "11"])
        #expect(met.invitee.takeReleasable().isEmpty)
    }

    @Test func aReceiverTurnsAfter64MessagesOrADay() throws {
        var met = try Meeting.run(seed: 19)
        _ = try met.inviter.open(met.invitee.seal("0", using: &met.entropy))
        #expect(!met.inviter.turnIsDue(at: Meeting.start))
        #expect(met.inviter.turnIsDue(at: Meeting.start.adding(seconds: 86_400)))
        _ = try met.invitee.open(met.inviter.seal("0", using: &met.entropy))
        for index in 0..<64 {
            #expect(!met.inviter.turnIsDue(at: Meeting.start))
            _ = try met.inviter.open(met.invitee.seal("\(index)", using: &met.entropy))
        }
        #expect(met.inviter.turnIsDue(at: Meeting.start))
        var turn: [UInt8] = []
        try met.inviter.channel.seal(.turn, RawSpan(), now: Meeting.start, into: &turn, using: &met.entropy)
        #expect(!met.inviter.turnIsDue(at: Meeting.start))
        #expect(try met.invitee.open(turn)?.isEmpty == true)
        _ = try met.invitee.open(met.inviter.seal("new chain", using: &met.entropy))
    }

    @Test func aCopiedStateNeverRepeatsAKeyAndNonce() throws {
        var met = try Meeting.run(seed: 20)
        _ = try met.inviter.open(met.invitee.seal("0", using: &met.entropy))
        var copy = try Meeting.reload(met.invitee.channel, using: &met.entropy)
        let one = try met.invitee.seal("the same", using: &met.entropy)
        var two: [UInt8] = []
        try copy.seal(.records, Array("the same".utf8).bytes, now: Meeting.start, into: &two, using: &met.entropy)
        // One tag, since both sit at one index, but other nonces and so other ciphertexts.
        #expect(one[EnvelopeLayout.tagRange] == two[EnvelopeLayout.tagRange])
        #expect(met.invitee.channel.salt != copy.salt)
        #expect(one[62...].elementsEqual(two[62...]) == false)
    }

    @Test func aCommitDrawsANewSalt() throws {
        var met = try Meeting.run(seed: 21)
        let before = met.invitee.channel.salt
        met.invitee.channel.didCommit(using: &met.entropy)
        #expect(met.invitee.channel.salt != before)
    }

    @Test func damagedStoredStateIsRefused() throws {
        var met = try Meeting.run(seed: 22)
        let state = [UInt8](met.invitee.channel.encoded().bytes)
        for count in 0..<state.count {
            #expect(throws: ChannelError.self) {
                _ = try Channel.decode(Array(state.prefix(count)).bytes, auxiliary: nil, using: &met.entropy)
            }
        }
    }

    @Test func sendersStopAfter65536MessagesWithoutAnAnswer() throws {
        var met = try Meeting.run(seed: 23)
        _ = try met.inviter.open(met.invitee.seal("0", using: &met.entropy))
        met.invitee.channel.sending?.next = SendingChain.maximumLength
        #expect(throws: ChannelError.chainExhausted) { try met.invitee.seal("x", using: &met.entropy) }
    }

    @Test(arguments: [(1, 256), (256, 256), (257, 272), (1_000, 1_024), (4_097, 4_352), (65_536, 65_536)])
    func paddingFollowsPadme(size: Int, padded: Int) {
        #expect(Padding.paddedByteCount(of: size) == padded)
    }

    @Test func paddingAddsAtMostTwelvePercentAndNeverShrinks() {
        for size in 256...70_000 {
            let padded = Padding.paddedByteCount(of: size)
            #expect(padded >= size && padded * 100 <= size * 112 && Padding.paddedByteCount(of: padded) == padded)
        }
    }
}
