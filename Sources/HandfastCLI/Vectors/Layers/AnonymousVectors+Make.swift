internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding

extension AnonymousVectors {
    private static let epoch: UInt64 = 20_454
    private static let now = 20_454 * 86_400 + 7
    private static let values: [AnonymousValue] = [
        .text("gold"), .integer(2_019), .text("NO"), .bytes([1, 2, 3]), .integer(-15), .text(""), .text("weekly"),
    ]

    static func make(_ maker: inout VectorMaker) throws {
        try makeHashes(&maker)
        let key = AnonymousIssuerKey.generate(using: &maker.entropy)
        let schema = try AnonymousSchema(
            type: "https://shop.example/member", epochLength: 86_400,
            attributes: ["level", "since", "country", "token", "discount", "note", "newsletter"])
        let parameters = try AnonymousParameters(issuer: key.publicKey, schema: schema)
        try maker.accept("parameters", "parameters", ["parameters": .hex(parameters.encoded())])
        try makeParameterRefusals(&maker, parameters)
        maker.share("parameters", .hex(parameters.encoded()))
        maker.share("key", .hex([UInt8](key.bytes)))
        maker.share("master", .hex(maker.random(32)))
        maker.share("identity", .hex(maker.random(32)))
        for scope in ["relationship", "vendor"] {
            try maker.accept("pseudonym, \(scope)", "pseudonym", ["scope": .text(scope)])
        }
        let credential = try makeIssuance(&maker)
        try makePresentations(&maker, credential)
    }

    private static func scalar(_ maker: inout VectorMaker) -> VectorValue {
        .hex(SecretScalar(random: &maker.entropy).published().array)
    }

    // MARK: Hashing and parameters

    private static func makeHashes(_ maker: inout VectorMaker) throws {
        try maker.accept("hash, no item", "hash", ["label": .text("VALUE"), "items": .list([])])
        try maker.accept(
            "hash, three items", "hash",
            ["label": .text("GENERATOR"), "items": .hexes([[], [0], maker.random(200)])])
        for (name, value) in [
            ("0", AnonymousValue.integer(0)), ("-1", .integer(-1)), ("least integer", .integer(.min)),
            ("empty text", .text("")), ("empty bytes", .bytes([])), ("text 0", .text("0")),
            ("256 bytes", .bytes(maker.random(256))),
        ] {
            try maker.accept("value, \(name)", "value", ["value": .hex(value.encoded())])
        }
        for (name, bytes, error) in [
            ("true", [0xF5], "wrongType"), ("not shortest", [0x18, 0x01], "nonMinimal"),
            ("2^63", [0x1B, 0x80, 0, 0, 0, 0, 0, 0, 0], "outOfRange"),
            ("257 bytes", [0x59, 1, 1] + [UInt8](repeating: 0, count: 257), "sizeExceeded"),
        ] as [(String, [UInt8], String)] {
            try maker.refuse("value, \(name)", "value", ["value": .hex(bytes)], "encoding/\(error)")
        }
    }

    private static func makeParameterRefusals(
        _ maker: inout VectorMaker, _ parameters: AnonymousParameters
    ) throws {
        func encoded(_ issuer: [UInt8], _ schema: [UInt8]) -> VectorFields {
            var writer = CBORWriter()
            writer.writeMap { writer in
                writer.writeKey(1)
                writer.writeBytes(issuer)
                writer.writeKey(2)
                writer.writeBytes(schema)
            }
            return ["parameters": .hex(writer.bytes)]
        }
        let schema = parameters.schema.encoded()
        for (name, issuer, error) in [
            ("neutral element", [UInt8](repeating: 0, count: 32), "identityPoint"),
            ("negative field element", [1] + [UInt8](repeating: 0, count: 31), "nonCanonicalPoint"),
            ("key of 31 bytes", [UInt8](repeating: 0, count: 31), "encoding/wrongLength"),
        ] {
            try maker.refuse("parameters, \(name)", "parameters", encoded(issuer, schema), error)
        }
        for (name, type, length, names) in [
            ("empty type", "", 3_600, ["a"]), ("a space", "a b", 3_600, ["a"]), ("short epoch", "a", 3_599, ["a"]),
            ("no attribute", "a", 3_600, []), ("one name twice", "a", 3_600, ["b", "b"]),
        ] as [(String, String, UInt64, [String])] {
            var writer = CBORWriter()
            writer.writeMap { writer in
                writer.writeKey(1)
                writer.writeText(type)
                writer.writeKey(2)
                writer.writeUnsigned(length)
                writer.writeKey(3)
                writer.writeArrayHeader(names.count)
                for name in names { writer.writeText(name) }
            }
            try maker.refuse(
                "schema, \(name)", "parameters", encoded(parameters.issuer.array, writer.bytes), "invalidSchema")
        }
    }

    // MARK: Issuance

    /// What a holder keeps.
    private static func makeIssuance(_ maker: inout VectorMaker) throws -> VectorFields {
        let nonce = VectorValue.hex(maker.random(32))
        let blinding = scalar(&maker)
        let asked = try maker.accept(
            "request", "request",
            [
                "nonce": nonce, "blinding": blinding, "blindingMask": scalar(&maker), "secretMask": scalar(&maker),
            ])
        let exponent = scalar(&maker)
        let issue: VectorFields = [
            "request": asked["request"], "nonce": nonce, "epoch": .number(epoch),
            "values": .hexes(values.map { $0.encoded() }), "exponent": exponent, "mask": scalar(&maker),
        ]
        let issued = try maker.accept("issue", "issue", issue)
        try maker.refuse(
            "issue, another nonce", "issue", issue.with("nonce", .hex(maker.random(32))), "requestNotProven")
        try maker.refuse(
            "issue, a value too few", "issue", issue.with("values", .hexes(values.dropLast().map { $0.encoded() })),
            "wrongValueCount")
        try maker.refuse("issue, another issuer", "issue", issue.with("key", scalar(&maker)), "wrongIssuer")
        let request = try asked.bytes("request")
        for (name, bytes, error) in [
            ("neutral element", zeros(request, at: 4), "identityPoint"),
            ("point that is none", changed(request, at: 4, to: [1]), "nonCanonicalPoint"),
            ("scalar of the order", changed(request, at: 39, to: order), "nonCanonicalScalar"),
            ("changed response", swapped(request, 71, 103), "requestNotProven"),
            ("a byte more", request + [0], "encoding/trailingBytes"),
        ] {
            try maker.refuse("issue, \(name)", "issue", issue.with("request", .hex(bytes)), error)
        }

        let finish: VectorFields = [
            "request": asked["request"], "blinding": blinding, "issuance": issued["issuance"], "now": .number(now),
        ]
        try maker.accept("finish", "finish", finish)
        try maker.accept("finish, an epoch ahead", "finish", finish.with("now", .number(now - 86_400)))
        try maker.refuse("finish, too late", "finish", finish.with("now", .number(now + 86_400)), "expired")
        try maker.refuse(
            "finish, too far ahead", "finish", finish.with("now", .number(now - 2 * 86_400)), "epochAhead")
        let issuance = try issued.bytes("issuance")
        for (name, bytes, error) in [
            ("neutral element", zeros(issuance, at: 4), "identityPoint"),
            ("scalar of the order", changed(issuance, at: 39, to: order), "nonCanonicalScalar"),
            ("another exponent", swapped(issuance, 39, 71), "issuanceNotProven"),
            ("another value", changed(issuance, at: issuance.count - 1, to: [0x58]), "issuanceNotProven"),
        ] {
            try maker.refuse("finish, \(name)", "finish", finish.with("issuance", .hex(bytes)), error)
        }
        return [
            "signature": issued["signature"], "exponent": exponent, "total": issued["total"], "blinding": blinding,
            "epoch": .number(epoch), "values": .hexes(values.map { $0.encoded() }),
        ]
    }

    private static let order: [UInt8] =
        [0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14]
        + [UInt8](repeating: 0, count: 15) + [0x10]

    private static func changed(_ bytes: [UInt8], at place: Int, to new: [UInt8]) -> [UInt8] {
        var copy = bytes
        copy.replaceSubrange(place..<place + new.count, with: new)
        return copy
    }

    private static func zeros(_ bytes: [UInt8], at place: Int) -> [UInt8] {
        changed(bytes, at: place, to: [UInt8](repeating: 0, count: 32))
    }

    private static func swapped(_ bytes: [UInt8], _ first: Int, _ second: Int) -> [UInt8] {
        let (left, right) = (Array(bytes[first..<first + 32]), Array(bytes[second..<second + 32]))
        return changed(changed(bytes, at: first, to: right), at: second, to: left)
    }

    // MARK: Presentations

    private static func makePresentations(_ maker: inout VectorMaker, _ credential: VectorFields) throws {
        func place(_ scope: String, _ maker: inout VectorMaker) -> VectorFields {
            [
                "scope": .text(scope), "nonce": .hex(maker.random(32)), "verifier": .hex(maker.random(32)),
                "relationship": .hex(maker.random(32)),
            ]
        }
        func present(
            _ show: [String], _ place: VectorFields, _ credential: VectorFields, _ maker: inout VectorMaker
        ) -> VectorFields {
            var input = place.over(credential).with("show", .list(show.map { .text($0) }))
            for name in ["first", "second", "exponentMask", "firstMask", "secondMask"] {
                input = input.with(name, scalar(&maker))
            }
            return input.with("messageMasks", .list((0..<9 - show.count).map { _ in scalar(&maker) }))
        }
        var last: (verify: VectorFields, question: [UInt8])?
        for (show, scope) in [
            ([], "relationship"), (["level"], "relationship"), (["discount", "note"], "vendor"),
            (["level", "since", "country", "token", "discount", "note", "newsletter"], "relationship"),
        ] {
            let place = place(scope, &maker)
            let made = try maker.accept(
                "present, \(show.count) shown", "present", present(show, place, credential, &maker))
            let verify = place.with("presentation", made["presentation"]).with("now", .number(now))
            try maker.accept("verify, \(show.count) shown", "verify", verify)
            let checked = try maker.accept("check, \(show.count) shown", "check", verify)
            if show.count == 1 { last = (verify, try checked.bytes("question")) }
        }
        try maker.refuse(
            "present, an attribute that is none", "present",
            present(["age"], place("vendor", &maker), credential, &maker), "unknownAttribute")
        guard let (verify, question) = last else { return }
        try makeRefusals(&maker, verify)

        // The same values under a signature that nobody made.
        let somewhere = place("relationship", &maker)
        let invented = RistrettoPoint.hash(maker.random(32), tag: RistrettoTag("ANON-GENERATOR"))
        let forged = try maker.accept(
            "present, what nobody issued", "present",
            present(["level"], somewhere, credential.with("signature", .hex(invented.array)), &maker))
        let unissued = somewhere.with("presentation", forged["presentation"]).with("now", .number(now))
        try maker.refuse("verify, what nobody issued", "verify", unissued, "notIssued")
        let other = try maker.accept("check, what nobody issued", "check", unissued)
        try makeConfirmations(&maker, verify, question, unissued: other["question"])
    }

    private static func makeRefusals(_ maker: inout VectorMaker, _ verify: VectorFields) throws {
        let bytes = try verify.bytes("presentation")
        let epochPlace = 136 + 12 * 32 + 2
        // Epoch and level stand behind the scalars: 03 A2 02 19 4F E6 03 64 "gold".
        for (name, changed, error) in [
            ("neutral element for Ā", zeros(bytes, at: 4), "identityPoint"),
            ("neutral element for B̄", zeros(bytes, at: 36), "identityPoint"),
            ("neutral element for D", zeros(bytes, at: 68), "identityPoint"),
            ("neutral element for N", zeros(bytes, at: 100), "identityPoint"),
            (
                "point that is none", changed(bytes, at: 4, to: [1] + [UInt8](repeating: 0, count: 31)),
                "nonCanonicalPoint"
            ),
            ("scalar of the order", changed(bytes, at: 136, to: order), "nonCanonicalScalar"),
            ("points exchanged", swapped(bytes, 4, 68), "presentationNotProven"),
            ("scalars exchanged", swapped(bytes, 168, 200), "presentationNotProven"),
            ("hidden scalars exchanged", swapped(bytes, 264, 296), "presentationNotProven"),
            ("another value", changed(bytes, at: bytes.count - 1, to: [0x65]), "presentationNotProven"),
            ("another number", changed(bytes, at: bytes.count - 6, to: [4]), "presentationNotProven"),
            ("number beyond the schema", changed(bytes, at: bytes.count - 6, to: [10]), "wrongIndices"),
            ("holder's secret shown", changed(bytes, at: epochPlace, to: [1]), "wrongIndices"),
            ("a byte more", bytes + [0], "encoding/trailingBytes"),
            ("a byte less", Array(bytes.dropLast()), "encoding/truncated"),
        ] {
            try maker.refuse("verify, \(name)", "verify", verify.with("presentation", .hex(changed)), error)
        }
        try maker.refuse(
            "verify, a scalar too few", "verify",
            verify.with("presentation", .hex(withoutScalar(bytes))), "wrongIndices")
        try maker.refuse(
            "verify, epoch hidden", "verify", verify.with("presentation", .hex(withoutEpoch(bytes))),
            "epochNotShown")
        for (name, field) in [
            ("another nonce", "nonce"), ("another verifier", "verifier"), ("another relationship", "relationship"),
            ("another identity of the scope", "identity"),
        ] {
            try maker.refuse(
                "verify, \(name)", "verify", verify.with(field, .hex(maker.random(32))), "presentationNotProven")
        }
        try maker.refuse(
            "verify, another scope", "verify", verify.with("scope", .text("vendor")), "presentationNotProven")
        try maker.refuse("verify, too late", "verify", verify.with("now", .number(now + 86_400)), "expired")
        try maker.refuse(
            "verify, two epochs ahead", "verify", verify.with("now", .number(now - 2 * 86_400)), "epochAhead")
        try maker.refuse("verify, another issuer", "verify", verify.with("key", scalar(&maker)), "wrongIssuer")
        let pseudonym = Array(bytes[100..<132])
        try maker.refuse(
            "verify, on the blocklist", "verify", verify.with("blocklist", .hexes([pseudonym])), "blocklisted")
        try maker.accept(
            "verify, another on the blocklist", "verify",
            verify.with("blocklist", .hexes([RistrettoPoint.generator.array])))
    }

    /// The presentation with one hidden scalar removed.
    private static func withoutScalar(_ bytes: [UInt8]) -> [UInt8] {
        let scalars = Array(bytes[136..<136 + 11 * 32])
        return rebuilt(bytes, scalars: scalars, shown: Array(bytes[(136 + 12 * 32)...]))
    }

    /// The presentation with the epoch among the hidden values.
    private static func withoutEpoch(_ bytes: [UInt8]) -> [UInt8] {
        var scalars = Array(bytes[136..<136 + 12 * 32])
        scalars += bytes[136..<168]
        var shown: [UInt8] = [3, 0xA1]
        shown += bytes.suffix(6)
        return rebuilt(bytes, scalars: scalars, shown: shown)
    }

    private static func rebuilt(_ bytes: [UInt8], scalars: [UInt8], shown: [UInt8]) -> [UInt8] {
        var result = Array(bytes[..<133])
        result += [0x59, UInt8(scalars.count >> 8), UInt8(scalars.count & 0xFF)]
        return result + scalars + shown
    }

    // MARK: Partners

    private static func makeConfirmations(
        _ maker: inout VectorMaker, _ verify: VectorFields, _ question: [UInt8], unissued: VectorValue?
    ) throws {
        let ask: VectorFields = ["question": .hex(question), "mask": scalar(&maker)]
        let answer = try maker.accept("confirm", "confirm", ask)
        try maker.refuse("confirm, what nobody issued", "confirm", ask.with("question", unissued), "notIssued")
        try maker.refuse(
            "confirm, neutral element", "confirm", ask.with("question", .hex(zeros(question, at: 4))), "identityPoint")
        let confirmed = verify.with("confirmation", answer["confirmation"])
        try maker.accept("confirmed", "confirmed", confirmed)
        let bytes = try answer.bytes("confirmation")
        try maker.refuse(
            "confirmed, another proof", "confirmed",
            confirmed.with("confirmation", .hex(swapped(bytes, 4, 36))), "confirmationNotProven")
        try maker.refuse(
            "confirmed, scalar of the order", "confirmed",
            confirmed.with("confirmation", .hex(changed(bytes, at: 4, to: order))), "nonCanonicalScalar")
    }
}
