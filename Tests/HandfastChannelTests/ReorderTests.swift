import HandfastChannel
import HandfastCrypto
import HandfastTestSupport
import Testing

/// Envelopes that come by two ways: each opens once, and all in the order in which they were sealed.
@Suite struct ReorderTests {
    @Test func twoQueuesGiveOneOrder() throws {
        for seed in UInt64(0)..<30 {
            let met = try Meeting.run(seed: seed)
            var entropy = met.entropy
            let count = Int.random(in: 2...120, using: &entropy)
            var queues: [[(Int, [UInt8])]] = [[], []]
            for number in 0..<count {
                let envelope = try met.inviter.seal("\(number)", using: &entropy)
                let way = Bool.random(using: &entropy) ? 0 : 1
                queues[way].append((number, envelope))
                // What was under way when the other address took over comes by both.
                if Int.random(in: 0..<5, using: &entropy) == 0 { queues[1 - way].append((number, envelope)) }
            }
            var opened: [String] = []
            while !queues.allSatisfy(\.isEmpty) {
                let way = queues[0].isEmpty ? 1 : queues[1].isEmpty ? 0 : Int.random(in: 0...1, using: &entropy)
                opened += try met.invitee.openHolding(queues[way].removeFirst().1)
                if Int.random(in: 0..<10, using: &entropy) == 0 { try met.invitee.restart(using: &entropy) }
            }
            #expect(opened == (0..<count).map { "\($0)" }, "seed \(seed)")
            let holds = met.invitee.channel.holdsEnvelopes
            #expect(!holds, "seed \(seed)")
        }
    }

    @Test func whatIsMissingForGoodIsPassedOver() throws {
        let met = try Meeting.run(seed: 7)
        var entropy = met.entropy
        let envelopes = try (0..<6).map { try met.inviter.seal("\($0)", using: &entropy) }
        #expect(try met.invitee.openHolding(envelopes[0]) == ["0"])
        for number in [4, 2, 5] { #expect(try met.invitee.openHolding(envelopes[number]) == []) }
        try met.invitee.restart(using: &entropy)
        let ahead = met.invitee.channel.takeAhead(now: Meeting.start)
        #expect(try ahead.map { try met.invitee.open($0) } == ["2", "4", "5"])
        #expect(try met.invitee.open(envelopes[1]) == "1")
    }
}

extension Endpoint {
    /// The texts that open by an envelope, in order; none while it is held or when it came before.
    fileprivate func openHolding(_ envelope: [UInt8]) throws -> [String] {
        var texts: [String] = []
        var next: [UInt8]? = envelope
        while let envelope = next {
            var plaintext: [UInt8] = []
            do {
                let opening = try channel.open(
                    envelope.bytes, now: Meeting.start, holdsAhead: true, into: &plaintext)
                if case .message(_, let content) = opening {
                    texts.append(String(decoding: plaintext[content], as: UTF8.self))
                }
            } catch ChannelError.unknownTag {}
            next = channel.takeNext()
        }
        return texts
    }
}
