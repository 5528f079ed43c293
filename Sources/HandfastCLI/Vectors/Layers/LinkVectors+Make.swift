internal import HandfastCrypto

extension LinkVectors {
    static func make(_ maker: inout VectorMaker) throws {
        for name in ["serverKey", "clientEphemeral", "serverEphemeral"] { maker.share(name, .hex(maker.random(32))) }
        maker.share("ends", .flag(false))
        try maker.accept("handshake", "handshake", [:])
        let frames = [1, 5, 300].map { maker.random($0) }
        try maker.accept(
            "frames both ways", "send",
            [
                "steps": .list(
                    [
                        ("client", [frames[0]]), ("server", [frames[1]]), ("client", [frames[1], frames[2]]),
                        ("client", [frames[0]]),
                    ].map { .object(["from": .text($0.0), "frames": .hexes($0.1)]) })
            ])
        let common = maker.common
        let noise = try VectorNoise(
            server: common.agreementPrivateKey("serverKey"),
            clientEphemeral: common.agreementPrivateKey("clientEphemeral"),
            serverEphemeral: common.agreementPrivateKey("serverEphemeral"))
        try makeStreams(&maker, noise)
        try makeServerRefusals(&maker, noise)
        try makeClientRefusals(&maker, noise)
        try makeCookies(&maker, noise)
    }

    private static func input(_ chunks: [[UInt8]], ends: Bool = false) -> VectorFields {
        ["chunks": .hexes(chunks), "ends": ends ? .flag(true) : nil]
    }

    private static func makeStreams(_ maker: inout VectorMaker, _ noise: VectorNoise) throws {
        let (one, two) = (maker.random(40), maker.random(3))
        let stream = VectorNoise.frame(one) + VectorNoise.frame(two)
        func packets(_ parts: [[UInt8]]) throws -> [[UInt8]] {
            try parts.enumerated().map {
                try VectorNoise.transport($0.element, key: noise.clientKey, number: UInt64($0.offset))
            }
        }
        let whole = try packets([stream])
        try maker.accept("two frames in one packet", "serverReceive", input([noise.first] + whole, ends: true))
        let cut = try packets([Array(stream[..<2]), Array(stream[2..<30]), Array(stream[30...])])
        try maker.accept("a frame over three packets", "serverReceive", input([noise.first] + cut, ends: true))
        let bytes = noise.first + whole[0]
        try maker.accept(
            "cut anywhere by TCP", "serverReceive",
            input([Array(bytes[..<1]), Array(bytes[1..<50]), Array(bytes[50..<53]), Array(bytes[53...])], ends: true))
        try maker.accept("half a frame, and more to come", "serverReceive", input([noise.first] + cut[..<2]))
        let back = try VectorNoise.transport(stream, key: noise.serverKey, number: 0)
        try maker.accept("client", "clientReceive", input([noise.second + back], ends: true))
    }

    private static func makeServerRefusals(_ maker: inout VectorMaker, _ noise: VectorNoise) throws {
        func refuse(_ name: String, _ chunks: [[UInt8]], _ error: String, ends: Bool = false) throws {
            try maker.refuse("server: " + name, "serverReceive", input(chunks, ends: ends), error)
        }
        func transport(_ plaintext: [UInt8], _ number: UInt64 = 0) throws -> [UInt8] {
            try VectorNoise.transport(plaintext, key: noise.clientKey, number: number)
        }
        let first = noise.first
        let frame = VectorNoise.frame([1, 2, 3])
        let (zero, one) = (try transport(frame), try transport(frame, 1))
        try refuse("second message first", [noise.second], "unexpectedPacket")
        try refuse("transport first", [zero], "unexpectedPacket")
        try refuse("type 0", [[0, 0, 48] + first[3...]], "unexpectedPacket")
        try refuse("type 5", [[5, 0, 48] + first[3...]], "unexpectedPacket")
        try refuse("first message of 47 bytes", [[1, 0, 47] + first[3..<50]], "packetLength")
        try refuse("first message of 49 bytes", [[1, 0, 49] + first[3...] + [0]], "packetLength")
        try refuse("first message changed", [first.flipping(40)], "handshakeRefused")
        let other = AgreementPrivateKey.generate(using: &maker.entropy)
        let toOther = try VectorNoise(
            server: other, clientEphemeral: AgreementPrivateKey.generate(using: &maker.entropy),
            serverEphemeral: AgreementPrivateKey.generate(using: &maker.entropy))
        try refuse("made for another key", [toOther.first], "handshakeRefused")
        try refuse(
            "small-order ephemeral key", [[1, 0, 48] + [UInt8](repeating: 0, count: 32) + first[35...]],
            "handshakeRefused")
        try refuse("first message twice", [first, first], "unexpectedPacket")
        try refuse(
            "transport without plaintext", [first, VectorNoise.packet(3, [UInt8](repeating: 0, count: 16))],
            "packetLength")
        try refuse("changed packet", [first, zero.flipping(5)], "damagedPacket")
        try refuse("packet twice", [first, zero, zero], "damagedPacket")
        try refuse("packets in another order", [first, one, zero], "damagedPacket")
        try refuse(
            "packet of the other direction",
            [
                first, try VectorNoise.transport(frame, key: noise.serverKey, number: 0),
            ], "damagedPacket")
        try refuse("frame of no bytes", [first, try transport(VectorNoise.frame([]))], "frameLength")
        try refuse(
            "frame of 1,048,577 bytes", [first, try transport(VectorNoise.frame([0], length: 1_048_577))], "frameLength"
        )
        try refuse("end within a packet", [first, Array(zero.dropLast())], "truncated", ends: true)
        try refuse("end within a frame", [first, try transport(Array(frame.dropLast()))], "truncated", ends: true)
        try refuse("end within the length of a frame", [first, try transport([0, 0])], "truncated", ends: true)
        try refuse("end before the handshake", [Array(first[..<20])], "handshakeEnded", ends: true)
    }

    private static func makeClientRefusals(_ maker: inout VectorMaker, _ noise: VectorNoise) throws {
        let second = noise.second
        for (name, chunk, error) in [
            ("first message", noise.first, "unexpectedPacket"),
            ("second message changed", second.flipping(50), "wrongServerKey"),
            ("another ephemeral key", second.flipping(3), "wrongServerKey"),
            ("small-order key", [2, 0, 48] + [UInt8](repeating: 0, count: 32) + second[35...], "wrongServerKey"),
            ("second message of 48 bytes as 47", [2, 0, 47] + second[3..<50], "packetLength"),
        ] {
            try maker.refuse("client: " + name, "clientReceive", input([chunk]), error)
        }
    }

    /// A server that asks for a cookie is under load; without one in its input it is not.
    private static func makeCookies(_ maker: inout VectorMaker, _ noise: VectorNoise) throws {
        let cookie = maker.random(16)
        let shown = VectorNoise.packet(4, cookie)
        let old = VectorNoise.packet(4, maker.random(16))
        func loaded(_ chunks: [[UInt8]]) -> VectorFields {
            ["chunks": .hexes(chunks), "cookie": .hex(cookie)]
        }
        let (first, second) = (noise.first, noise.second)
        try maker.accept("server under load: no cookie", "serverReceive", loaded([first]))
        try maker.accept("server under load: its cookie", "serverReceive", loaded([first, shown + first]))
        try maker.accept("server under load: its cookie at once", "serverReceive", loaded([shown, first]))
        try maker.accept("server under load: an old cookie", "serverReceive", loaded([old + first, shown + first]))
        try maker.accept("server: a cookie without load", "serverReceive", input([shown + first]))
        try maker.accept("client: a cookie", "clientReceive", input([shown, second]))
        try maker.accept("client: two cookies", "clientReceive", input([old + shown, second]))
        for (name, chunks, error) in [
            ("server under load: no cookie three times", [first, first, first], "tooManyHandshakes"),
            ("server under load: two cookies", [old + shown, first], "unexpectedPacket"),
            ("server under load: another first message", [first, shown + first.flipping(40)], "handshakeRefused"),
        ] {
            try maker.refuse(name, "serverReceive", loaded(chunks), error)
        }
        let long = VectorNoise.packet(4, cookie + [0])
        try maker.refuse("server: cookie of 17 bytes", "serverReceive", input([long]), "packetLength")
        try maker.refuse("server: cookie when open", "serverReceive", input([first, shown]), "unexpectedPacket")
        try maker.refuse("client: cookie of 17 bytes", "clientReceive", input([long]), "packetLength")
        try maker.refuse("client: three cookies", "clientReceive", input([shown, shown, shown]), "unexpectedPacket")
        try maker.refuse("client: cookie when open", "clientReceive", input([second, shown]), "unexpectedPacket")
    }
}
