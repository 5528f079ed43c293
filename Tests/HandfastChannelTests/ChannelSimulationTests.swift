import HandfastCrypto
import HandfastTestSupport
import Testing

@testable import HandfastChannel

/// Two channels under random schedules: reordering, repetition, and crashes before and after commits.
///
/// Nothing is sent before it is committed, and nothing counts as received before the state that opened it is: the same
/// rules as a node's, without its store.
@Suite struct ChannelSimulationTests {
    /// One side with its durable state and what a commit would send.
    final class Side {
        let endpoint: Endpoint
        private var durable: (state: [UInt8], auxiliary: [UInt8]?)
        var unsent: [(envelope: [UInt8], text: String)] = []

        init(_ endpoint: Endpoint) {
            self.endpoint = endpoint
            durable = Self.stored(endpoint)
        }

        private static func stored(_ endpoint: Endpoint) -> (state: [UInt8], auxiliary: [UInt8]?) {
            let state = endpoint.channel.encoded()
            guard let auxiliary = endpoint.channel.auxiliary() else { return ([UInt8](state.bytes), nil) }
            return ([UInt8](state.bytes), [UInt8](auxiliary.bytes))
        }

        /// Makes the state durable and gives what may leave now.
        func commit(using entropy: inout SeededEntropy) -> [(envelope: [UInt8], text: String)] {
            durable = Self.stored(endpoint)
            endpoint.channel.didCommit(using: &entropy)
            defer { unsent = [] }
            return unsent
        }

        func crash(using entropy: inout SeededEntropy) throws {
            unsent = []
            let state = durable.state
            if let auxiliary = durable.auxiliary {
                endpoint.channel = try Channel.decode(state.bytes, auxiliary: auxiliary.bytes, using: &entropy)
            } else {
                endpoint.channel = try Channel.decode(state.bytes, auxiliary: nil, using: &entropy)
            }
        }
    }

    /// An envelope under way.
    struct Message {
        let receiver: Int
        let envelope: [UInt8]
        let text: String
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func whatIsCommittedArrivesOnceAndNoTagRepeats(seed: UInt64) throws {
        var met = try Meeting.run(seed: seed)
        let sides = [Side(met.invitee), Side(met.inviter)]
        var network: [Message] = []
        var delivered: [Message] = []
        var received: Set<String> = []
        var expected: Set<String> = []
        var tags: Set<[UInt8]> = []
        var clock = Meeting.start

        func send(_ committed: [(envelope: [UInt8], text: String)], from side: Int) {
            for (envelope, text) in committed {
                let isNew = tags.insert(Array(envelope[EnvelopeLayout.tagRange])).inserted
                #expect(isNew, "seed \(seed): a tag left twice")
                expected.insert(text)
                network.append(Message(receiver: 1 - side, envelope: envelope, text: text))
            }
        }

        func deliver(_ index: Int, crashing: Bool) throws {
            let message = network[index]
            let side = sides[message.receiver]
            let text = try side.endpoint.open(message.envelope, at: clock)
            #expect(text == message.text, "seed \(seed)")
            if crashing {
                try side.crash(using: &met.entropy)
                return
            }
            send(side.commit(using: &met.entropy), from: message.receiver)
            #expect(received.insert(message.text).inserted, "seed \(seed): \(message.text) came twice")
            network.remove(at: index)
            delivered.append(message)
        }

        for step in 0..<150 {
            let side = Int(met.entropy.next() % 2)
            switch met.entropy.next() % 10 {
            case 0...3:
                let text = "\(step)"
                sides[side].unsent.append((try sides[side].endpoint.seal(text, at: clock, using: &met.entropy), text))
            case 4:
                send(sides[side].commit(using: &met.entropy), from: side)
            case 5:
                try sides[side].crash(using: &met.entropy)
            case 6 where !delivered.isEmpty:
                let message = delivered[Int(met.entropy.next() % UInt64(delivered.count))]
                let before = sides[message.receiver].endpoint.snapshot
                #expect(throws: ChannelError.unknownTag, "seed \(seed): a replay") {
                    try sides[message.receiver].endpoint.open(message.envelope, at: clock)
                }
                #expect(sides[message.receiver].endpoint.snapshot == before)
            case 7:
                clock = clock.adding(seconds: met.entropy.next() % 20_000)
            default:
                guard !network.isEmpty else { continue }
                let index = Int(met.entropy.next() % UInt64(min(4, network.count)))
                try deliver(index, crashing: met.entropy.next() % 4 == 0)
            }
        }
        for side in [0, 1] { send(sides[side].commit(using: &met.entropy), from: side) }
        while !network.isEmpty { try deliver(0, crashing: false) }
        #expect(received == expected, "seed \(seed)")
    }
}
