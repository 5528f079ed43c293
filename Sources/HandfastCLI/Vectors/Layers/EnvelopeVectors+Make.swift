internal import HandfastChannel
internal import HandfastCrypto

extension EnvelopeVectors {
    /// What the receiver accepts and refuses, from envelopes made with the sender's keys.
    static func makeOpened(
        _ maker: inout VectorMaker, _ sender: VectorFields, _ receiver: VectorFields, replay: [UInt8]
    ) throws {
        try makeInChain(&maker, sender, replay: replay)
        try makeInNextChain(&maker, receiver)
    }

    private static func makeInChain(_ maker: inout VectorMaker, _ sender: VectorFields, replay: [UInt8]) throws {
        let sending = try sender.fields("sending")
        let (keys, headerKey) = (try sending.bytes("keys"), try sending.bytes("headerKey"))
        let next = UInt32(try sending.count("next"))
        let (salt, ratchetKey) = (maker.random(8), try sender.agreementPrivateKey("ownRatchetKey").publicKey.array)
        func seal(
            body: [UInt8]? = nil, skipping: Int = 0, _ change: (inout VectorEnvelope) -> Void = { _ in }
        ) throws -> [UInt8] {
            var envelope = VectorEnvelope(
                salt: salt, ratchetKey: ratchetKey, body: body ?? VectorEnvelope.body(kind: 2, content: [1, 2, 3]))
            change(&envelope)
            return try envelope.sealed(
                keys: keys, headerKey: headerKey, index: next + UInt32(skipping), skipping: skipping
            ).envelope
        }
        func refuse(_ name: String, _ envelope: [UInt8], _ error: String, comment: String? = nil) throws {
            try maker.refuse(name, "open", ["envelope": .hex(envelope)], error, comment: comment)
        }
        let good = try seal()
        try maker.accept("open the next", "open", ["envelope": .hex(good)])
        try maker.accept("open 256 ahead", "open", ["envelope": .hex(try seal(skipping: 256))])
        try maker.accept(
            "open with more padding", "open",
            [
                "envelope": .hex(
                    try seal(body: VectorEnvelope.body(kind: 2, content: [9]) + [UInt8](repeating: 0, count: 40)))
            ],
            comment: "a receiver checks that padding is zeros, not how much of it there is")
        try refuse("257 ahead", try seal(skipping: 257), "unknownTag")
        try refuse("opened before", replay, "unknownTag")
        try refuse("too short", Array(good[..<333]), "malformed")
        try refuse("version 2", [2] + good[1...], "unsupportedVersion")
        try refuse("changed tag", good.flipping(3), "unknownTag")
        try refuse("changed salt in the header", good.flipping(25), "notAuthentic")
        try refuse("changed ratchet key in the header", good.flipping(40), "notAuthentic")
        try refuse("changed body", good.flipping(100), "notAuthentic")
        try refuse("changed tag of the AEAD", good.flipping(good.count - 1), "notAuthentic")
        try refuse("one byte more", good + [0], "notAuthentic")
        let longer = try seal(body: VectorEnvelope.body(kind: 2, content: [UInt8](repeating: 1, count: 300)))
        try refuse("one byte less", Array(longer.dropLast()), "notAuthentic")
        let other = try seal(skipping: 1)
        try refuse("header of another message", Array(good[..<17] + other[17..<62] + good[62...]), "notAuthentic")
        try refuse(
            "tag and header of another message", Array(other[..<62] + good[62...]), "notAuthentic",
            comment: "its index has another message key")
        try refuse("flag 1 without 2", try seal { $0.flags = 1 }, "notAuthentic")
        try refuse("flag 4", try seal { $0.flags = 4 }, "notAuthentic")
        try refuse("ciphertext announced that is not there", try seal { $0.flags = 3 }, "notAuthentic")
        try refuse(
            "another ratchet key within the chain",
            try seal { $0.ratchetKey = AgreementPrivateKey.generate(using: &maker.entropy).publicKey.array },
            "notAuthentic")

        // Authentic, and still not what a body is.
        var padded = VectorEnvelope.body(kind: 2, content: [1])
        padded[200] = 1
        try refuse("padding that is not zero", try seal(body: padded), "malformed")
        try refuse("kind 4", try seal(body: VectorEnvelope.body(kind: 4, content: [])), "malformed")
        try refuse("kind 127", try seal(body: VectorEnvelope.body(kind: 127, content: [])), "malformed")
        try refuse("turn with content", try seal(body: VectorEnvelope.body(kind: 0, content: [1])), "malformed")
        try refuse("a second welcome", try seal(body: VectorEnvelope.body(kind: 3, content: [1])), "malformed")
        try refuse(
            "content beyond the end", try seal(body: VectorEnvelope.body(kind: 2, content: [1], length: 254)),
            "malformed")
        try refuse(
            "offer cut short", try seal(body: VectorEnvelope.body(kind: 0x82, content: [1])), "malformed")
        try refuse(
            "offer that is no ML-KEM key",
            try seal(body: VectorEnvelope.body(kind: 2, content: [1], offer: [UInt8](repeating: 0xff, count: 1_184))),
            "cryptography/invalidKey")
    }

    /// The next chain of the same sender, as it would begin from the receiver's state.
    private static func makeInNextChain(_ maker: inout VectorMaker, _ receiver: VectorFields) throws {
        let fresh = AgreementPrivateKey.generate(using: &maker.entropy)
        let own = try receiver.agreementPrivateKey("ownRatchetKey").publicKey
        let secret = try fresh.sharedSecret(with: own)
        let agreement = [UInt8](secret.bytes)
        let kem = KEMPrivateKey.generate(using: &maker.entropy)
        let encapsulation = try maker.entropy.encapsulate(to: kem.publicKey)
        let sharedSecret = [UInt8](encapsulation.sharedSecret.bytes)
        let offering = receiver.with("ownOffer", .hex([UInt8](kem.seed)))
        let (sender, salt) = (fresh.publicKey.array, maker.random(8))
        let (root, headerKey) = (try receiver.bytes("root"), try receiver.bytes("nextReceivingHeaderKey"))
        let plain = VectorStep(root: root, agreement: agreement, sender: sender, receiver: own.array)
        let quantum = VectorStep(
            root: root, agreement: agreement, sender: sender, receiver: own.array,
            encapsulationKey: kem.publicKey.array, ciphertext: encapsulation.ciphertext, sharedSecret: sharedSecret)
        let ciphertext = encapsulation.ciphertext
        func seal(
            _ step: VectorStep, index: Int = 0, ciphertext: [UInt8]? = nil,
            _ change: (inout VectorEnvelope) -> Void = { _ in }
        ) throws -> VectorValue {
            var envelope = VectorEnvelope(
                flags: ciphertext == nil ? 0 : 3, previousLength: 1, salt: salt, ratchetKey: sender,
                ciphertext: ciphertext,
                body: VectorEnvelope.body(kind: 2, content: [4, 5], besideCiphertext: ciphertext != nil))
            change(&envelope)
            return .hex(
                try envelope.sealed(
                    keys: step.chainKey, headerKey: headerKey, index: UInt32(index), skipping: index
                ).envelope)
        }
        func refuse(
            _ name: String, _ envelope: VectorValue, _ error: String, offered: Bool = false, comment: String? = nil
        ) throws {
            try maker.refuse(
                name, "open", ["state": offered ? .object(offering) : nil, "envelope": envelope], error,
                comment: comment)
        }
        try maker.accept("first of the next chain", "open", ["envelope": try seal(plain)])
        try maker.accept("fourth of the next chain", "open", ["envelope": try seal(plain, index: 3)])
        try maker.accept(
            "first of the next chain, with a ciphertext", "open",
            ["state": .object(offering), "envelope": try seal(quantum, ciphertext: ciphertext)])
        try maker.accept(
            "ninth of a chain whose ciphertext has not come", "open",
            ["state": .object(offering), "envelope": try seal(quantum, index: 8) { $0.flags = 2 }], comment: "held")
        let full = offering.with("held", .hexes((0...255).map { [$0] }))
        try maker.refuse(
            "held beyond 256", "open",
            ["state": .object(full), "envelope": try seal(quantum, index: 8) { $0.flags = 2 }], "tooManyHeld")
        try refuse(
            "eighth of a chain that lacks its ciphertext", try seal(quantum, index: 7) { $0.flags = 2 }, "notAuthentic",
            offered: true, comment: "the first eight carry it")
        try refuse("ciphertext that nobody asked for", try seal(quantum, ciphertext: ciphertext), "notAuthentic")
        try refuse(
            "KEM re-encapsulation fails", try seal(quantum, ciphertext: ciphertext.flipping(9)), "notAuthentic",
            offered: true, comment: "implicit rejection: the shared secret is another one")
        try refuse(
            "fewer in the chain before than have come", try seal(plain) { $0.previousLength = 0 }, "notAuthentic")
        try refuse(
            "257 of the chain before left out", try seal(plain) { $0.previousLength = 258 }, "tooManySkipped",
            comment: "refused before anything is derived")
        try refuse(
            "256 left out in both chains together", try seal(plain, index: 1) { $0.previousLength = 257 },
            "tooManySkipped")
        try refuse(
            "length of the chain before is 2^32 - 1", try seal(plain) { $0.previousLength = .max }, "tooManySkipped")
        try refuse(
            "small-order ratchet key", try seal(plain) { $0.ratchetKey = [UInt8](repeating: 0, count: 32) },
            "notAuthentic")
        try refuse(
            "keys of another step", try seal(quantum), "notAuthentic",
            comment: "the chain key is that of a step with ML-KEM, the header says that there was none")
        try refuse(
            "wrong label", try seal(wrongLabel(root, agreement, plain.transcript)), "notAuthentic",
            comment: "the chain key was derived under \"root\" instead of \"ratchet\"")
    }

    private static func wrongLabel(_ root: [UInt8], _ agreement: [UInt8], _ transcript: [UInt8]) -> VectorStep {
        VectorStep(root: root, agreement: agreement, transcript: transcript, label: Label("root"))
    }
}
