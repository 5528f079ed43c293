import HandfastCrypto
import HandfastTestSupport
import Testing

@testable import HandfastLink

struct LinkSessionTests {
    /// Both ends of a finished handshake, without any socket.
    struct Pair: ~Copyable {
        var client: LinkSession
        var server: LinkSession

        init(seed: UInt64) throws {
            var random = SeededEntropy(seed: seed)
            let key = LinkKey(.generate(using: &random))
            var client = try LinkSession.client(to: key.publicKey, using: &random)
            var server = LinkSession.server(key)
            var frames: [[UInt8]] = []
            var (answer, nothing): ([UInt8], [UInt8]) = ([], [])
            let opening = client.opening ?? []
            try server.receive(opening.bytes, into: &frames, reply: &answer, using: &random)
            try client.receive(answer.bytes, into: &frames, reply: &nothing, using: &random)
            let isOpen = client.isOpen && server.isOpen
            #expect(isOpen && frames.isEmpty && nothing.isEmpty)
            self.client = client
            self.server = server
        }

        mutating func sealAtClient(_ frames: [[UInt8]]) throws -> [UInt8] {
            var packets = [UInt8](repeating: 0, count: client.sealedCount(of: frames))
            var bytes = packets.mutableBytes
            try client.seal(frames, into: &bytes)
            return packets
        }

        mutating func receiveAtServer(_ bytes: [UInt8]) throws -> [[UInt8]] {
            var random = SeededEntropy(seed: 0)
            var frames: [[UInt8]] = []
            var reply: [UInt8] = []
            try server.receive(bytes.bytes, into: &frames, reply: &reply, using: &random)
            #expect(reply.isEmpty)
            return frames
        }
    }

    @Test func bothEndsKnowTheConnectionByTheSameName() throws {
        let pair = try Pair(seed: 1)
        let other = try Pair(seed: 2)
        let names = [pair.client.handshakeHash, pair.server.handshakeHash, other.client.handshakeHash]
        #expect(names[0].count == 64)
        #expect(names[0] == names[1])
        #expect(names[0] != names[2])
    }

    @Test func carriesFramesHoweverThePacketsAreCut() throws {
        for seed in UInt64(1)...60 {
            var random = SeededEntropy(seed: seed)
            var pair = try Pair(seed: seed)
            let frames = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                random.bytes(Int.random(in: 1...100_000, using: &random))
            }
            var rest = try pair.sealAtClient(frames)[...]
            var found: [[UInt8]] = []
            while !rest.isEmpty {
                let count = min(rest.count, Int.random(in: 1...90_000, using: &random))
                found += try pair.receiveAtServer(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(found == frames, "seed \(seed)")
            try pair.server.finish()
        }
    }

    @Test func takesBytesOneByOne() throws {
        var pair = try Pair(seed: 3)
        var found: [[UInt8]] = []
        for byte in try pair.sealAtClient([[1, 2, 3]]) + pair.sealAtClient([[4]]) {
            found += try pair.receiveAtServer([byte])
        }
        #expect(found == [[1, 2, 3], [4]])
    }

    @Test func fillsPacketsWithSmallFrames() throws {
        var pair = try Pair(seed: 4)
        let frames = [[UInt8]](repeating: [UInt8](repeating: 9, count: 100), count: 600)
        let packets = try pair.sealAtClient(frames)
        // 62,400 bytes of stream fit one packet.
        #expect(packets.count == 600 * 104 + 19)
        #expect(try pair.receiveAtServer(packets) == frames)
    }

    @Test func carriesTheLargestFrameInSeventeenPackets() throws {
        var pair = try Pair(seed: 5)
        let frame = [UInt8](repeating: 1, count: LinkFrame.maximumCount)
        let packets = try pair.sealAtClient([frame])
        #expect(packets.count == 4 + LinkFrame.maximumCount + 17 * 19)
        #expect(try pair.receiveAtServer(packets) == [frame])
    }

    @Test func refusesEveryFlippedBitOfAPacket() throws {
        var pair = try Pair(seed: 6)
        let packet = try pair.sealAtClient([[1, 2, 3]])
        for bit in 0..<packet.count * 8 {
            var pair = try Pair(seed: 6)
            var changed = packet
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            do {
                // A longer length only waits for bytes that never come, which the end then reveals.
                #expect(try pair.receiveAtServer(changed).isEmpty)
                #expect(throws: LinkError.truncated) { try pair.server.finish() }
                #expect((8..<24).contains(bit))
            } catch let error as LinkError {
                switch error {
                case .unexpectedPacket: #expect(bit < 8)
                case .packetLength: #expect(bit < 24)
                default: #expect(error == .damagedPacket, "bit \(bit)")
                }
            }
        }
    }

    @Test func refusesEveryFlippedBitOfBothHandshakeMessages() throws {
        var random = SeededEntropy(seed: 7)
        let key = LinkKey(.generate(using: &random))
        for bit in 24..<51 * 8 {
            // X25519 ignores the topmost bit of a public key; the transcript does not.
            var client = try LinkSession.client(to: key.publicKey, using: &random)
            var server = LinkSession.server(key)
            var frames: [[UInt8]] = []
            var reply: [UInt8] = []
            var opening = client.opening ?? []
            opening[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: LinkError.handshakeRefused, "bit \(bit)") {
                var random = SeededEntropy(seed: 8)
                try server.receive(opening.bytes, into: &frames, reply: &reply, using: &random)
            }
            let isOpen = server.isOpen
            #expect(reply.isEmpty && !isOpen)

            var honest = LinkSession.server(key)
            let unchanged = client.opening ?? []
            try honest.receive(unchanged.bytes, into: &frames, reply: &reply, using: &random)
            reply[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: LinkError.wrongServerKey, "bit \(bit)") {
                var random = SeededEntropy(seed: 8)
                var nothing: [UInt8] = []
                try client.receive(reply.bytes, into: &frames, reply: &nothing, using: &random)
            }
            let isOpenAtClient = client.isOpen
            #expect(!isOpenAtClient)
        }
    }

    @Test func refusesARepeatedAndAMovedPacket() throws {
        var pair = try Pair(seed: 9)
        let (first, second) = (try pair.sealAtClient([[1]]), try pair.sealAtClient([[2]]))
        #expect(throws: LinkError.damagedPacket) { try pair.receiveAtServer(second) }
        var other = try Pair(seed: 9)
        #expect(try other.receiveAtServer(first) == [[1]])
        #expect(throws: LinkError.damagedPacket) { try other.receiveAtServer(first) }
    }

    @Test func givesTheFramesBeforeADamagedPacket() throws {
        var pair = try Pair(seed: 10)
        var bytes = try pair.sealAtClient([[1], [2]])
        var damaged = try pair.sealAtClient([[3]])
        damaged[damaged.count - 1] ^= 1
        bytes += damaged
        var random = SeededEntropy(seed: 0)
        var frames: [[UInt8]] = []
        var reply: [UInt8] = []
        #expect(throws: LinkError.damagedPacket) {
            try pair.server.receive(bytes.bytes, into: &frames, reply: &reply, using: &random)
        }
        #expect(frames == [[1], [2]])
    }

    @Test(
        arguments: [
            ([4, 0, 16], LinkError.unexpectedPacket(type: 4)), ([4, 0, 15], .packetLength(type: 4, length: 15)),
            ([5, 0, 0], .unexpectedPacket(type: 5)), ([0, 0, 0], .unexpectedPacket(type: 0)),
            ([1, 0, 48], .unexpectedPacket(type: 1)), ([1, 0, 47], .packetLength(type: 1, length: 47)),
            ([3, 0, 16], .packetLength(type: 3, length: 16)), ([3, 0, 0], .packetLength(type: 3, length: 0)),
        ] as [([UInt8], LinkError)])
    func refusesPacketsThatCannotBe(header: [UInt8], error: LinkError) throws {
        var pair = try Pair(seed: 11)
        let length = Int(header[1]) << 8 | Int(header[2])
        #expect(throws: error) {
            try pair.receiveAtServer(header + [UInt8](repeating: 0, count: length))
        }
    }

    @Test func refusesTransportBeforeTheHandshake() throws {
        var random = SeededEntropy(seed: 12)
        var server = LinkSession.server(LinkKey(.generate(using: &random)))
        #expect(throws: LinkError.unexpectedPacket(type: 3)) {
            var frames: [[UInt8]] = []
            var reply: [UInt8] = []
            let bytes = [3, 0, 17] + [UInt8](repeating: 0, count: 17)
            try server.receive(bytes.bytes, into: &frames, reply: &reply, using: &random)
        }
    }

    @Test func tellsWhereTheConnectionWasCut() throws {
        var random = SeededEntropy(seed: 13)
        let early = LinkSession.server(LinkKey(.generate(using: &random)))
        #expect(throws: LinkError.handshakeEnded) { try early.finish() }
        var pair = try Pair(seed: 13)
        let packet = try pair.sealAtClient([[1, 2, 3]])
        #expect(try pair.receiveAtServer(Array(packet.dropLast())).isEmpty)
        #expect(throws: LinkError.truncated) { try pair.server.finish() }
    }

    @Test func survivesRandomBytes() {
        for seed in UInt64(1)...500 {
            var random = SeededEntropy(seed: seed)
            var server = LinkSession.server(LinkKey(.generate(using: &random)))
            var frames: [[UInt8]] = []
            var reply: [UInt8] = []
            var bytes = random.bytes(Int.random(in: 1...200, using: &random))
            bytes[0] = UInt8.random(in: 0...4, using: &random)
            _ = try? server.receive(bytes.bytes, into: &frames, reply: &reply, using: &random)
            let isOpen = server.isOpen
            #expect(frames.isEmpty && reply.isEmpty && !isOpen, "seed \(seed)")
        }
    }

    @Test func localSessionsCarryBareFrames() throws {
        var session = LinkSession.plain()
        let frames: [[UInt8]] = [[1, 2], [3]]
        var stream = [UInt8](repeating: 0, count: session.sealedCount(of: frames))
        var bytes = stream.mutableBytes
        try session.seal(frames, into: &bytes)
        #expect(stream == [0, 0, 0, 2, 1, 2, 0, 0, 0, 1, 3])
    }
}
