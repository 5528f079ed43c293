internal import HandfastChannel
internal import HandfastCrypto

/// Single envelopes, with every value between keys and bytes.
///
/// - Source: Spec/04 §4.2, §4.4 to §4.7
enum EnvelopeVectors: VectorLayer {
    static let name = "envelope"

    static let operations: [String: VectorOperation] = ["seal": seal, "open": open]

    /// Seals in a sending chain that has begun, by the library and by hand.
    private static func seal(_ input: VectorFields) throws -> VectorFields {
        let state = try input.fields("state")
        var channel = try VectorChannel.channel(state)
        let envelope = try VectorConversation.seal(
            input, &channel, now: Timestamp(seconds: input.number("now")))
        let sending = try state.fields("sending")
        let index = UInt32(try sending.count("next"))
        let carries = index < 8
        let ciphertext = carries ? try sending.optionalBytes("ciphertext") : nil
        let offer = carries && state["ownOffer"] != nil ? try state.kemPrivateKey("ownOffer").publicKey.array : nil
        let body = VectorEnvelope.body(
            kind: UInt8(try input.count("kind", maximum: 255)), content: try input.bytes("content"), offer: offer,
            besideCiphertext: ciphertext != nil)
        let ratchetKey = try state.agreementPrivateKey("ownRatchetKey").publicKey.array
        let byHand = VectorEnvelope(
            flags: (ciphertext == nil ? 0 : 1) | (try sending.flag("usedCiphertext") ? 2 : 0),
            previousLength: UInt32(try state.count("previousLength")), salt: try input.bytes("salt"),
            ratchetKey: ratchetKey, ciphertext: ciphertext, body: body)
        let sealed = try byHand.sealed(
            keys: sending.bytes("keys"), headerKey: sending.bytes("headerKey"), index: index)
        guard sealed.envelope == envelope else {
            throw VectorFault.differs(expected: "the derived", actual: "another").at("envelope")
        }
        return [
            "messageKey": .hex(sealed.messageKey), "nonce": .hex([0, 0, 0, 0] + byHand.salt),
            "tag": .hex(sealed.tag), "header": .hex(sealed.header), "maskedHeader": .hex(sealed.maskedHeader),
            "body": .hex(body), "envelope": .hex(envelope),
        ]
    }

    private static func open(_ input: VectorFields) throws -> VectorFields {
        var channel = try VectorChannel.channel(input.fields("state"))
        return try VectorConversation.open(
            input.bytes("envelope"), &channel, now: Timestamp(seconds: input.number("now")))
    }

    static func make(_ maker: inout VectorMaker) throws {
        let meeting = try VectorMeeting(&maker)
        let states = try meeting.states()
        let now = VectorMeeting.time + 100
        maker.share("now", .number(now))
        // One message there, so that the receiver has a chain and no answer of its own.
        var conversation = VectorConversation(
            invitee: try VectorChannel.channel(states.invitee), inviter: try VectorChannel.channel(states.inviter))
        let first: VectorFields = [
            "side": .text("invitee"), "do": .text("seal"), "now": .number(now), "kind": .number(2),
            "content": .hex([1]), "salt": .hex(maker.random(8)),
        ]
        let sent = try conversation.run(conversation.recording(first, &maker))
        _ = try conversation.run([
            "side": .text("inviter"), "do": .text("open"), "now": .number(now), "of": .number(0),
        ])
        let (sender, receiver) = try conversation.states()
        maker.share("state", .object(receiver))
        try makeSealed(&maker, sender, now: now)
        try makeOpened(&maker, sender, receiver, replay: sent.bytes("envelope"))
    }

    private static func makeSealed(_ maker: inout VectorMaker, _ sender: VectorFields, now: UInt64) throws {
        func input(_ kind: UInt8, _ count: Int, state: VectorFields) -> VectorFields {
            [
                "state": .object(state), "kind": .number(kind), "content": .hex(maker.random(count)),
                "salt": .hex(maker.random(8)),
            ]
        }
        for count in [0, 1, 253, 254, 1_000] {
            let made = try maker.accept("seal \(count) bytes", "seal", input(2, count, state: sender))
            try maker.accept("open \(count) bytes", "open", ["envelope": try made.value("envelope")])
        }
        try maker.accept("seal a turn", "seal", input(0, 0, state: sender))
        let sending = try sender.fields("sending")
        let seed = maker.random(64)
        let offering = sender.with("ownOffer", .hex(seed))
        let offer = try maker.accept("seal with an offer", "seal", input(2, 5, state: offering))
        try maker.accept("open with an offer", "open", ["envelope": try offer.value("envelope")])
        let carrying = sender.with(
            "sending",
            .object(sending.with("usedCiphertext", .flag(true)).with("ciphertext", .hex(maker.random(1_088)))))
        try maker.accept("seal with a ciphertext", "seal", input(2, 5, state: carrying))
        try maker.accept(
            "seal with a ciphertext and an offer", "seal", input(2, 5, state: carrying.with("ownOffer", .hex(seed))))
        try maker.accept(
            "seal the last of a chain", "seal",
            input(2, 5, state: sender.with("sending", .object(sending.with("next", .number(65_535))))))
        try maker.refuse(
            "seal beyond the last of a chain", "seal",
            input(2, 5, state: sender.with("sending", .object(sending.with("next", .number(65_536))))), "chainExhausted"
        )
        try maker.refuse("seal a turn with content", "seal", input(0, 1, state: sender), "malformed")
    }
}
