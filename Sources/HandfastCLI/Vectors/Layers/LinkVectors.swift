internal import HandfastCrypto
internal import HandfastLink

/// Links: the Noise handshake, packets and frames.
///
/// - Source: Spec/06 §6.1, §6.2
enum LinkVectors: VectorLayer {
    static let name = "link"

    static let operations: [String: VectorOperation] = [
        "handshake": handshake, "send": send, "serverReceive": serverReceive, "clientReceive": clientReceive,
    ]

    private static func noise(_ input: VectorFields) throws -> VectorNoise {
        try VectorNoise(
            server: input.agreementPrivateKey("serverKey"),
            clientEphemeral: input.agreementPrivateKey("clientEphemeral"),
            serverEphemeral: input.agreementPrivateKey("serverEphemeral"))
    }

    private static func client(_ input: VectorFields) throws -> LinkSession {
        let server = try input.agreementPrivateKey("serverKey").publicKey
        var draws = VectorEntropy(try input.bytes("clientEphemeral"))
        return try LinkSession.client(to: server, using: &draws)
    }

    /// A client and a server after their handshake.
    private struct Link: ~Copyable {
        var client: LinkSession
        var server: LinkSession
        let first: [UInt8]
        let second: [UInt8]

        static func open(_ input: VectorFields) throws -> Link {
            var client = try LinkVectors.client(input)
            var server = LinkSession.server(LinkKey(try input.agreementPrivateKey("serverKey")))
            var draws = VectorEntropy(try input.bytes("serverEphemeral"))
            let first = client.opening ?? []
            var (frames, second, nothing): ([[UInt8]], [UInt8], [UInt8]) = ([], [], [])
            try server.receive(first.bytes, into: &frames, reply: &second, using: &draws)
            try client.receive(second.bytes, into: &frames, reply: &nothing, using: &draws)
            return Link(client: client, server: server, first: first, second: second)
        }
    }

    private static func handshake(_ input: VectorFields) throws -> VectorFields {
        let noise = try noise(input)
        let link = try Link.open(input)
        guard link.first == noise.first, link.second == noise.second, link.client.handshakeHash == noise.hashes[1],
            link.server.handshakeHash == noise.hashes[1]
        else { throw VectorFault.differs(expected: "the derived", actual: "another").at("handshakeHash") }
        return [
            "serverPublicKey": .hex(try input.agreementPrivateKey("serverKey").publicKey.array),
            "first": .hex(link.first), "hashAfterFirst": .hex(noise.hashes[0]),
            "chainingKeyAfterFirst": .hex(noise.chainingKeys[0]), "second": .hex(link.second),
            "handshakeHash": .hex(noise.hashes[1]), "chainingKey": .hex(noise.chainingKeys[1]),
            "clientToServer": .hex(noise.clientKey), "serverToClient": .hex(noise.serverKey),
        ]
    }

    /// What each side sends for its frames, as this program cuts them into packets.
    private static func send(_ input: VectorFields) throws -> VectorFields {
        var link = try Link.open(input)
        var results: [VectorValue] = []
        for step in try input.fieldsList("steps") {
            let frames = try step.byteList("frames")
            var packets: [UInt8]
            var (received, nothing): ([[UInt8]], [UInt8]) = ([], [])
            var draws = VectorEntropy([])
            if try step.text("from") == "client" {
                packets = [UInt8](repeating: 0, count: link.client.sealedCount(of: frames))
                var output = packets.mutableBytes
                try link.client.seal(frames, into: &output)
                try link.server.receive(packets.bytes, into: &received, reply: &nothing, using: &draws)
            } else {
                packets = [UInt8](repeating: 0, count: link.server.sealedCount(of: frames))
                var output = packets.mutableBytes
                try link.server.seal(frames, into: &output)
                try link.client.receive(packets.bytes, into: &received, reply: &nothing, using: &draws)
            }
            guard received == frames else {
                throw VectorFault.differs(expected: "frames", actual: "others").at("frames")
            }
            results.append(.hex(packets))
        }
        return ["packets": .list(results)]
    }

    private static func serverReceive(_ input: VectorFields) throws -> VectorFields {
        let cookie = try input.optionalBytes("cookie")
        let server = LinkSession.server(LinkKey(try input.agreementPrivateKey("serverKey"))) { shown in
            guard let cookie, shown != cookie else { return .answer }
            return .ask(cookie: cookie)
        }
        return try receive(input, server, ephemeral: input.bytes("serverEphemeral"))
    }

    private static func clientReceive(_ input: VectorFields) throws -> VectorFields {
        try receive(input, client(input), ephemeral: [])
    }

    /// Gives the session the chunks, as they might come from TCP, and perhaps the end.
    private static func receive(
        _ input: VectorFields, _ session: consuming LinkSession, ephemeral: [UInt8]
    ) throws -> VectorFields {
        var draws = VectorEntropy(ephemeral)
        var (frames, reply): ([[UInt8]], [UInt8]) = ([], [])
        for chunk in try input.byteList("chunks") {
            try session.receive(chunk.bytes, into: &frames, reply: &reply, using: &draws)
        }
        if try input.flag("ends") { try session.finish() }
        return ["reply": .hex(reply), "handshakeHash": .hex(session.handshakeHash), "frames": .hexes(frames)]
    }
}
