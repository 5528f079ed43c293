internal import HandfastChannel
internal import HandfastCrypto

/// Steps of the ratchet, and conversations.
///
/// - Source: Spec/04
enum RatchetVectors: VectorLayer {
    static let name = "ratchet"

    static let operations: [String: VectorOperation] = ["step": step, "conversation": conversation]

    private static func step(_ input: VectorFields) throws -> VectorFields {
        let peer = try input.agreementPublicKey("receiver")
        let own = try input.agreementPrivateKey("privateKey")
        let secret = try own.sharedSecret(with: peer)
        let agreement = [UInt8](secret.bytes)
        let step = VectorStep(
            root: try input.digest("root").array, agreement: agreement, sender: own.publicKey.array,
            receiver: peer.array, encapsulationKey: try input.bytes("encapsulationKey"),
            ciphertext: try input.bytes("ciphertext"), sharedSecret: try input.bytes("sharedSecret"))
        return [
            "sender": .hex(own.publicKey.array), "dh": .hex(agreement), "step": .hex(step.transcript),
            "root": .hex(step.root), "chainKey": .hex(step.chainKey), "nextHeaderKey": .hex(step.nextHeaderKey),
        ]
    }

    private static func conversation(_ input: VectorFields) throws -> VectorFields {
        var conversation = VectorConversation(
            invitee: try VectorChannel.channel(input.fields("invitee")),
            inviter: try VectorChannel.channel(input.fields("inviter")))
        var results: [VectorValue] = []
        for step in try input.fieldsList("steps") { results.append(.object(try conversation.run(step))) }
        let states = try conversation.states()
        return ["steps": .list(results), "invitee": .object(states.invitee), "inviter": .object(states.inviter)]
    }

    static func make(_ maker: inout VectorMaker) throws {
        try makeSteps(&maker)
        let meeting = try VectorMeeting(&maker)
        let states = try meeting.states()
        maker.share("invitee", .object(states.invitee))
        maker.share("inviter", .object(states.inviter))
        try makeConversations(&maker)
    }

    private static func makeSteps(_ maker: inout VectorMaker) throws {
        let kem = KEMPrivateKey.generate(using: &maker.entropy)
        let encapsulation = try maker.entropy.encapsulate(to: kem.publicKey)
        let input: VectorFields = [
            "root": .hex(maker.random(32)), "privateKey": .hex(maker.random(32)),
            "receiver": .hex(AgreementPrivateKey.generate(using: &maker.entropy).publicKey.array),
            "encapsulationKey": .hex([]), "ciphertext": .hex([]), "sharedSecret": .hex([]),
        ]
        try maker.accept("step without ML-KEM", "step", input)
        try maker.accept(
            "step with ML-KEM", "step",
            input.with("encapsulationKey", .hex(kem.publicKey.array))
                .with("ciphertext", .hex(encapsulation.ciphertext))
                .with("sharedSecret", .hex([UInt8](encapsulation.sharedSecret.bytes))))
        try maker.refuse(
            "step to a small-order key", "step", input.with("receiver", .hex([UInt8](repeating: 0, count: 32))),
            "smallOrderResult")
    }
}

extension VectorMeeting {
    /// Both channels as the handshake leaves them.
    func states() throws -> (invitee: VectorFields, inviter: VectorFields) {
        let make = HandshakeVectors.operations["makeWelcome"]
        let open = HandshakeVectors.operations["openWelcome"]
        guard let made = try make?(welcomeInput.over(helloInput)),
            let opened = try open?([
                "pending": .object(pending), "welcome": made.value("welcome"), "now": .number(Self.time + 20),
            ])
        else { throw VectorFault.missing.at("welcome") }
        return (try opened.fields("state"), try made.fields("state"))
    }
}
