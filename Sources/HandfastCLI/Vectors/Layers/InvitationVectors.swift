internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// Invitations.
///
/// - Source: Spec/03 §3.1
enum InvitationVectors: VectorLayer {
    static let name = "invitation"

    static let operations: [String: VectorOperation] = ["make": make(_:), "parse": parse]

    private static func make(_ input: VectorFields) throws -> VectorFields {
        let invitation = try Invitation(
            relay: VectorAddress.relay(input), knockQueue: QueueID(input.bytes("queue")),
            signer: IdentityID(input.digest("signer")), eventCount: input.count("events"),
            ticket: Ticket(input.bytes("ticket")))
        return [
            "uri": .text(invitation.uri),
            "cbor": .hex(try Base64URL.decode(invitation.uri.dropFirst(Invitation.scheme.count))),
            "knock": .hex(invitation.ticket.knock.digest.array),
        ]
    }

    private static func parse(_ input: VectorFields) throws -> VectorFields {
        let invitation = try Invitation(uri: input.text("uri"))
        return [
            "host": .text(invitation.relay.host), "port": .number(invitation.relay.port),
            "relayKey": .hex(invitation.relay.key.array), "queue": .hex(invitation.knockQueue.array),
            "signer": .hex(invitation.signer.digest.array), "events": .number(invitation.eventCount),
            "ticket": .hex(invitation.ticket.array), "knock": .hex(invitation.ticket.knock.digest.array),
        ]
    }

    static func make(_ maker: inout VectorMaker) throws {
        let input: VectorFields = [
            "host": .text("relay.example"), "port": .number(7_447), "relayKey": .hex(maker.random(32)),
            "queue": .hex(maker.random(16)), "signer": .hex(maker.random(32)), "events": .number(1),
            "ticket": .hex(maker.random(16)),
        ]
        for (name, host, port, events) in [
            ("relay of a name", "relay.example", 7_447, 1), ("IPv4", "192.0.2.1", 1, 23),
            ("IPv6", "2001:db8::1", 65_535, 64),
            ("host of 32 characters", "relay-of-thirty-two-chars.invalid".suffix(32).description, 24, 24),
        ] {
            let made = try maker.accept(
                "make, \(name)", "make",
                input.with("host", .text(host)).with("port", .number(port)).with("events", .number(events)))
            try maker.accept("parse, \(name)", "parse", ["uri": .text(try made.text("uri"))])
        }
        try maker.refuse(
            "host too long for 200 characters", "make",
            input.with("host", .text(String(repeating: "a", count: 50) + ".example")), "tooLarge")
        try maker.refuse("events 0", "make", input.with("events", .number(0)), "malformed")
        try maker.refuse("events 65", "make", input.with("events", .number(65)), "malformed")
        try makeRefusals(&maker, input)
    }

    private static func makeRefusals(_ maker: inout VectorMaker, _ input: VectorFields) throws {
        let (relayKey, queue, signer) = (
            CBORValue.bytes(try input.bytes("relayKey")), CBORValue.bytes(try input.bytes("queue")),
            CBORValue.bytes(try input.bytes("signer"))
        )
        let ticket = CBORValue.bytes(try input.bytes("ticket"))
        let items: [CBORValue] = [
            .unsigned(1), .text("relay.example"), .unsigned(7_447), relayKey, queue, signer, .unsigned(1), ticket,
        ]
        func uri(_ bytes: [UInt8]) -> String { "handfast:" + Base64URL.encode(bytes) }
        func changing(_ index: Int, _ value: CBORValue) throws -> String {
            var copy = items
            copy[index] = value
            return uri(try CBORValue.array(copy).encoded())
        }
        let bytes = try CBORValue.array(items).encoded()
        let good = uri(bytes)
        let cases: [(String, String, String)] = [
            ("another scheme", "https:" + good.dropFirst(9), "malformed"),
            ("no scheme", String(good.dropFirst(9)), "malformed"),
            ("base64 with padding", good + "=", "malformed"), ("a plus", good.dropLast() + "+", "malformed"),
            ("more than 200 characters", good + String(repeating: "A", count: 60), "tooLarge"),
            ("suite 2", try changing(0, .unsigned(2)), "unsupportedVersion"),
            ("empty host", try changing(1, .text("")), "malformed"),
            ("host with a space", try changing(1, .text("relay example")), "malformed"),
            ("port 0", try changing(2, .unsigned(0)), "malformed"),
            ("port 65,536", try changing(2, .unsigned(65_536)), "encoding/outOfRange"),
            ("relay key of 31 bytes", try changing(3, .bytes(maker.random(31))), "encoding/wrongLength"),
            ("queue of 15 bytes", try changing(4, .bytes(maker.random(15))), "encoding/wrongLength"),
            ("signer is text", try changing(5, .text("signer")), "encoding/wrongType"),
            ("no events", try changing(6, .unsigned(0)), "malformed"),
            ("65 events", try changing(6, .unsigned(65)), "encoding/outOfRange"),
            ("ticket of 17 bytes", try changing(7, .bytes(maker.random(17))), "encoding/wrongLength"),
            ("seven items", uri(try CBORValue.array(Array(items.dropLast())).encoded()), "encoding/wrongLength"),
            ("a byte behind", uri(bytes + [0]), "encoding/trailingBytes"),
            ("cut short", uri(Array(bytes.dropLast())), "encoding/truncated"),
            (
                "port not in shortest form", uri(Array(bytes[..<16]) + [0x1a, 0, 0] + bytes[17...]),
                "encoding/nonMinimal"
            ),
        ]
        for (name, uri, error) in cases { try maker.refuse("parse, \(name)", "parse", ["uri": .text(uri)], error) }
    }
}
