internal import HandfastCrypto
internal import HandfastEncoding

extension RelayVectors {
    static func make(_ maker: inout VectorMaker) throws {
        let attached = try maker.accept(
            "attach", "attach",
            ["seed": .hex(maker.random(32)), "handshakeHash": .hex(maker.random(64)), "request": .number(1)])
        try maker.accept("capability", "capability", ["capability": .hex(maker.random(32))])
        try maker.accept(
            "queue chain", "queueChain",
            ["envelopes": .hexes([maker.random(334), maker.random(16), maker.random(64)])],
            comment: "from 32 bytes of zeros on; envelopes are any bytes to a relay")
        try makeRequests(&maker, attach: try attached.bytes("frame"))
        try makeAnswers(&maker)
    }

    private static func makeRequests(_ maker: inout VectorMaker, attach: [UInt8]) throws {
        let queue = CBORValue.bytes(maker.random(16))
        let (digest, capability) = (CBORValue.bytes(maker.random(32)), CBORValue.bytes(maker.random(32)))
        func bytes(_ count: Int) -> CBORValue { .bytes(maker.random(count)) }
        func item(_ envelopes: [CBORValue], first: UInt64 = 0) -> CBORValue {
            .array([queue, capability, .unsigned(first), .array(envelopes)])
        }
        func frame(_ items: [CBORValue]) throws -> VectorFields {
            ["frame": .hex(try CBORValue.array(items).encoded())]
        }
        func number(_ value: UInt64) -> CBORValue { .unsigned(value) }
        func setting(_ values: [UInt64]) -> CBORValue { .array([queue, .array(values.map(number))]) }
        let most = [UInt64](repeating: 4_294_967_295, count: 3)
        try maker.accept("request attach", "request", ["frame": .hex(attach)])
        let openings: [CBORValue] = [
            .array([queue, number(0), .bytes([])]), .array([bytes(16), number(1), digest]),
            .array([bytes(16), number(2), digest]),
        ]
        let bundle: CBORValue = .array([number(1_800_000_000), number(1_800_172_800), bytes(20)])
        let accepted: [(String, [CBORValue])] = [
            ("open", [number(2), number(2), .array(openings)]),
            ("admit", [number(3), number(3), queue, .array([digest, bytes(32)])]),
            ("admit nobody", [number(3), number(3), queue, .array([])]),
            ("publish", [number(4), number(4), queue, .array([bundle])]), ("fetch", [number(5), number(5), queue]),
            ("knock", [number(6), number(6), queue, digest, bytes(40)]),
            ("put", [number(7), number(4_294_967_295), .array([item([bytes(20), bytes(1)]), item([], first: 300)])]),
            ("subscribe", [number(8), number(8), number(0)]), ("ack", [number(9), number(9), number(70_000)]),
            ("close", [number(10), number(10), .array([queue])]),
            (
                "policy",
                [
                    number(12), number(12),
                    .array([setting([0, 60, 10, 1 << 20, 4_096, 86_400]), setting([1, 0, 0, 0, 0, 0])]),
                ]
            ),
            ("policy at its bounds", [number(12), number(12), .array([setting([1, 3_600_000, 10_000] + most)])]),
            ("ping", [number(11), number(11)]),
        ]
        for (name, items) in accepted { try maker.accept("request \(name)", "request", frame(items)) }
        let refused: [(String, [CBORValue])] = [
            ("verb 0", [number(0), number(1)]), ("verb 13", [number(13), number(1)]),
            ("a relay's verb", [number(64), number(1)]), ("number 0", [number(11), number(0)]),
            ("number 2^32", [number(11), number(1 << 32)]), ("ping with a field", [number(11), number(1), .null]),
            ("fetch without a queue", [number(5), number(1)]), ("empty", []), ("verb alone", [number(11)]),
            ("open nothing", [number(2), number(1), .array([])]),
            ("open of kind 3", [number(2), number(1), .array([.array([queue, number(3), digest])])]),
            (
                "begun anew without a capability",
                [number(2), number(1), .array([.array([queue, number(2), .bytes([])])])]
            ),
            ("knock queue with a capability", [number(2), number(1), .array([.array([queue, number(0), digest])])]),
            ("send queue without one", [number(2), number(1), .array([.array([queue, number(1), .bytes([])])])]),
            ("queue of 15 bytes", [number(5), number(1), bytes(15)]),
            ("publish nothing", [number(4), number(1), queue, .array([])]),
            ("publish 17 bundles", [number(4), number(1), queue, .array([CBORValue](repeating: bundle, count: 17))]),
            ("put nothing", [number(7), number(1), .array([])]),
            ("put an empty envelope", [number(7), number(1), .array([item([.bytes([])])])]),
            (
                "put with a text for a capability",
                [number(7), number(1), .array([.array([queue, .text("c"), number(0), .array([])])])]
            ),
            ("put to nowhere", [number(7), number(1), .array([.array([capability, number(0), .array([])])])]),
            ("ack of a negative position", [number(9), number(1), .integer(-1)]),
            ("close nothing", [number(10), number(1), .array([])]),
            ("policy of nothing", [number(12), number(1), .array([])]),
            ("policy of state 2", [number(12), number(1), .array([setting([2, 0, 0, 0, 0, 0])])]),
            ("policy with a rate and no burst", [number(12), number(1), .array([setting([0, 60, 0, 0, 0, 0])])]),
            ("policy with a burst and no rate", [number(12), number(1), .array([setting([0, 0, 10, 0, 0, 0])])]),
            ("policy of too high a rate", [number(12), number(1), .array([setting([0, 3_600_001, 1, 0, 0, 0])])]),
            ("policy of too long a burst", [number(12), number(1), .array([setting([0, 1, 10_001, 0, 0, 0])])]),
            ("policy of 2^32 bytes", [number(12), number(1), .array([setting([0, 0, 0, 1 << 32, 0, 0])])]),
            ("policy of five values", [number(12), number(1), .array([setting([0, 0, 0, 0, 0])])]),
        ]
        for (name, items) in refused { try maker.refuse("request: \(name)", "request", frame(items), "malformed") }
        for (name, bytes) in [
            ("truncated", Array(attach.dropLast())), ("a byte behind", attach + [0]),
            ("number not in shortest form", [0x82, 0x0b, 0x18, 0x01]), ("a map", [0xa1, 0x0b, 0x01]),
            ("indefinite length", [0x9f, 0x0b, 0x01, 0xff]),
        ] as [(String, [UInt8])] {
            try maker.refuse("request: \(name)", "request", ["frame": .hex(bytes)], "malformed")
        }
        try maker.refuse(
            "request: attach with a small-order key", "request",
            frame([
                number(1), number(1),
                VectorCBOR.map([1: .integer(1), -1: .integer(6), -2: .bytes([1] + [UInt8](repeating: 0, count: 31))]),
                bytes(64),
            ]), "malformed")
    }

    private static func makeAnswers(_ maker: inout VectorMaker) throws {
        func number(_ value: UInt64) -> CBORValue { .unsigned(value) }
        func frame(_ items: [CBORValue]) throws -> VectorFields {
            ["frame": .hex(try CBORValue.array(items).encoded())]
        }
        let (digest, queue) = (CBORValue.bytes(maker.random(32)), CBORValue.bytes(maker.random(16)))
        func result(
            _ status: UInt64, _ next: UInt64, _ digest: CBORValue, _ throttle: UInt64..., expired: UInt64 = 0
        ) -> CBORValue {
            .array([number(status), number(next), digest, number(expired)] + throttle.map(number))
        }
        func notice(_ expired: UInt64, _ refusal: UInt64) -> CBORValue {
            .array([number(8), queue, .array([number(expired), number(refusal)])])
        }
        let zeros = CBORValue.bytes([UInt8](repeating: 0, count: 32))
        let delivery: CBORValue = .array([number(7), queue, .bytes(maker.random(12))])
        let accepted: [(String, [CBORValue])] = [
            ("done", [number(64), number(1)]), ("attached", [number(64), number(1), number(0), number(300)]),
            ("bundle", [number(64), number(2), .bytes(maker.random(30))]),
            (
                "results of a put",
                [
                    number(64), number(3),
                    .array([
                        result(0, 2, digest), result(2, 9, digest, expired: 300), result(3, 0, zeros),
                        result(7, 4, digest), result(8, 5, digest, 0, 3_600), result(8, 5, digest, 10_000, 0),
                    ]),
                ]
            ), ("refusal", [number(65), number(4), number(3)]),
            ("refusal of a full service", [number(65), number(5), number(9)]),
            ("refusal of a full relay", [number(65), number(6), number(10)]),
            ("refusal of a frame", [number(65), number(0), number(1)]),
            (
                "push", [number(32), number(0), .array([delivery, .array([number(9), queue, .bytes([1])])])]
            ),
            (
                "push of a notice",
                [
                    number(32), number(0),
                    .array([notice(70_000, 0), delivery, notice(0, 1), notice(1, 2), notice(0, 3), notice(0, 4)]),
                ]
            ),
        ]
        for (name, items) in accepted { try maker.accept("answer \(name)", "answer", frame(items)) }
        let refused: [(String, [CBORValue])] = [
            ("a client's verb", [number(11), number(1)]), ("verb 33", [number(33), number(0), .array([delivery])]),
            ("push with a number", [number(32), number(1), .array([delivery])]),
            ("push of nothing", [number(32), number(0), .array([])]),
            ("error 0", [number(65), number(1), number(0)]), ("error 11", [number(65), number(1), number(11)]),
            ("status 9", [number(64), number(1), .array([result(9, 0, zeros)])]),
            (
                "result without the expired",
                [number(64), number(1), .array([.array([number(0), number(0), zeros])])]
            ),
            ("throttled without a time", [number(64), number(1), .array([result(8, 0, zeros)])]),
            ("throttled for more than an hour", [number(64), number(1), .array([result(8, 0, zeros, 0, 3_601)])]),
            ("a time without throttling", [number(64), number(1), .array([result(0, 0, zeros, 0, 0)])]),
            ("notice of refusal 5", [number(32), number(0), .array([notice(0, 5)])]),
            (
                "notice of one number",
                [number(32), number(0), .array([.array([number(8), queue, .array([number(1)])])])]
            ),
            ("no results", [number(64), number(1), .array([])]),
            (
                "digest of 31 bytes",
                [number(64), number(1), .array([result(0, 0, .bytes(maker.random(31)))])]
            ),
            ("last without acknowledged", [number(64), number(1), number(3)]),
            ("five items", [number(64), number(1), number(1), number(1), number(1)]),
        ]
        for (name, items) in refused { try maker.refuse("answer: \(name)", "answer", frame(items), "malformed") }
    }
}
