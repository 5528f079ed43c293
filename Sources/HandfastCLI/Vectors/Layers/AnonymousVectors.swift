internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding

/// Anonymous claims: what hashes to what, parameters, issuance, presentations and what partners ask.
///
/// - Source: Spec/11
enum AnonymousVectors: VectorLayer {
    static let name = "anonymous"

    static let operations: [String: VectorOperation] = [
        "hash": hash, "value": value, "parameters": parameters, "pseudonym": pseudonym, "request": request,
        "issue": issue, "finish": finish, "present": present, "verify": verify, "check": check, "confirm": confirm,
        "confirmed": confirmed,
    ]

    // MARK: Hashing and parameters

    private static func hash(_ input: VectorFields) throws -> VectorFields {
        let uniform = try VectorAlgebra.uniform(input.text("label"), input.byteList("items"))
        return [
            "uniform": .hex(uniform), "point": .hex(try RistrettoPoint.mapping(uniform: uniform).array),
            "scalar": .hex(VectorAlgebra.reduced(uniform).array),
        ]
    }

    private static func value(_ input: VectorFields) throws -> VectorFields {
        let value = try input.anonymousValue("value")
        return ["scalar": .hex(try VectorAlgebra.scalar("VALUE", [value.encoded()]).array)]
    }

    private static func parameters(_ input: VectorFields) throws -> VectorFields {
        let parameters = try input.anonymousParameters()
        let algebra = try VectorAlgebra(parameters)
        return [
            "issuer": .hex(parameters.issuer.array), "type": .text(parameters.schema.type),
            "epochLength": .number(parameters.schema.epochLength),
            "attributes": .list(parameters.schema.attributes.map { .text($0) }), "p1": .hex(algebra.fixed.array),
            "q": .hex(algebra.domainGenerator.array), "generators": .hexes(algebra.generators.map(\.array)),
            "domain": .hex(parameters.domain.array), "base": .hex(algebra.base.array),
            "encoded": .hex(parameters.encoded()),
        ]
    }

    private static func pseudonym(_ input: VectorFields) throws -> VectorFields {
        let scope = try input.pseudonymScope()
        let secret = try VectorAlgebra.holderSecret(input.bytes("master"))
        return [
            "secret": .hex(secret.array), "scopePoint": .hex(try VectorAlgebra.point(of: input).array),
            "pseudonym": .hex(try input.anonymousHolder().pseudonym(in: scope).point.array),
        ]
    }

    // MARK: Issuance

    private static func request(_ input: VectorFields) throws -> VectorFields {
        let parameters = try input.anonymousParameters()
        var entropy = try input.scalars("blinding", "blindingMask", "secretMask")
        let pending = PendingAnonymousCredential.request(
            nonce: try input.bytes("nonce"), holder: try input.anonymousHolder(), parameters: parameters,
            using: &entropy)
        let request = pending.request.encoded()
        let parts = try VectorAlgebra.parts(request, 1, 3)
        let algebra = try VectorAlgebra(parameters)
        let mask =
            try input.scalar("blindingMask") * algebra.generators[0]
            + input.scalar("secretMask") * algebra.generators[1]
        return [
            "commitment": .hex(parts[0]), "commitmentMask": .hex(mask.array), "challenge": .hex(parts[1]),
            "blindingResponse": .hex(parts[2]), "secretResponse": .hex(parts[3]), "request": .hex(request),
        ]
    }

    private static func issue(_ input: VectorFields) throws -> VectorFields {
        let parameters = try input.anonymousParameters()
        let key = try input.anonymousKey()
        let bytes = try input.bytes("request")
        let request = try AnonymousRequest(decoding: bytes.bytes)
        let (epoch, values) = (try input.number("epoch"), try input.anonymousValues())
        var entropy = try input.scalars("exponent", "mask")
        let issuance = try key.issue(
            request, nonce: input.bytes("nonce"), epoch: epoch, values: values, parameters: parameters,
            using: &entropy)
        let encoded = issuance.encoded()
        let parts = try VectorAlgebra.parts(encoded, 1, 3)
        let commitment = try RistrettoPoint(FixedBytes(copying: VectorAlgebra.parts(bytes, 1, 3)[0]))
        let total = try VectorAlgebra(parameters).total(commitment, epoch: epoch, values: values)
        let mask = try input.scalar("mask")
        let signature = try RistrettoPoint(FixedBytes(copying: parts[0]))
        return [
            "total": .hex(total.array), "signature": .hex(parts[0]),
            "generatorMask": .hex((mask * RistrettoPoint.generator).array),
            "signatureMask": .hex((mask * signature).array), "challenge": .hex(parts[2]), "response": .hex(parts[3]),
            "issuance": .hex(encoded),
        ]
    }

    private static func finish(_ input: VectorFields) throws -> VectorFields {
        // As it is kept: [1, request, r].
        var stored = CBORWriter()
        stored.writeArrayHeader(3)
        stored.writeUnsigned(1)
        stored.writeBytes(try input.bytes("request"))
        stored.writeBytes(try input.bytes("blinding"))
        let pending = try PendingAnonymousCredential.decode(stored.bytes.bytes)
        let bytes = try input.bytes("issuance")
        let credential = try pending.finish(
            AnonymousIssuance(decoding: bytes.bytes), parameters: input.anonymousParameters(),
            now: input.number("now"))
        return ["epoch": .number(credential.epoch), "values": .hexes(credential.values.map { $0.encoded() })]
    }

    // MARK: Presentations

    private static func present(_ input: VectorFields) throws -> VectorFields {
        let parameters = try input.anonymousParameters()
        var stored = CBORWriter()
        stored.writeArrayHeader(7)
        stored.writeUnsigned(1)
        for name in ["signature", "exponent", "total", "blinding"] { stored.writeBytes(try input.bytes(name)) }
        stored.writeUnsigned(try input.number("epoch"))
        let values = try input.anonymousValues()
        stored.writeArrayHeader(values.count)
        for value in values { stored.writeBytes(value.encoded()) }
        let credential = try AnonymousCredential.decode(stored.bytes.bytes)
        let names = try input.list("show").map { item in
            guard case .text(let name) = item else { throw VectorFault.kind("a text").at("show") }
            return name
        }
        var entropy = try input.scalars(
            "first", "second", "exponentMask", "firstMask", "secondMask", list: "messageMasks")
        let presentation = try credential.present(
            showing: names, in: input.pseudonymScope(), for: input.presentationBinding(),
            holder: input.anonymousHolder(), parameters: parameters, using: &entropy)
        let bytes = presentation.encoded()
        return try VectorAlgebra(parameters).fields(of: bytes, input).with("presentation", .hex(bytes))
    }

    private static func verify(_ input: VectorFields) throws -> VectorFields {
        let bytes = try input.bytes("presentation")
        let presentation = try AnonymousPresentation(decoding: bytes.bytes)
        let parameters = try input.anonymousParameters()
        let claims = try presentation.verify(
            input.anonymousExpectation(), parameters: parameters, key: input.anonymousKey())
        return try shown(claims, bytes, parameters, input)
    }

    private static func check(_ input: VectorFields) throws -> VectorFields {
        let bytes = try input.bytes("presentation")
        let presentation = try AnonymousPresentation(decoding: bytes.bytes)
        let parameters = try input.anonymousParameters()
        _ = try presentation.check(input.anonymousExpectation(), parameters: parameters)
        return try shown(nil, bytes, parameters, input)
    }

    private static func shown(
        _ claims: VerifiedAnonymousClaims?, _ bytes: [UInt8], _ parameters: AnonymousParameters, _ input: VectorFields
    ) throws -> VectorFields {
        let algebra = try VectorAlgebra(parameters)
        let numbers = try algebra.shown(bytes)
        guard case .integer(let epoch) = numbers[2] else { throw AnonymousClaimError.epochNotShown }
        var values: [String: AnonymousValue] = [:]
        for (index, value) in numbers where index > 2 { values[parameters.schema.attributes[index - 3]] = value }
        if let claims, claims.values != values { throw VectorFault.kind("what the library found").at("values") }
        let points = try VectorAlgebra.parts(bytes, 4, 0)
        var question = CBORWriter()
        question.writeMap { writer in
            writer.writeKey(1)
            writer.writeBytes(points[0] + points[1])
        }
        return try algebra.fields(of: bytes, input)
            .with("epoch", .number(epoch))
            .with(
                "values",
                .object(VectorFields(values.sorted { $0.key < $1.key }.map { ($0.key, .hex($0.value.encoded())) }))
            )
            .with("question", .hex(question.bytes))
    }

    // MARK: Partners

    private static func confirm(_ input: VectorFields) throws -> VectorFields {
        let bytes = try input.bytes("question")
        let question = try ConfirmationQuestion(decoding: bytes.bytes)
        var entropy = try input.scalars("mask")
        let confirmation = try input.anonymousKey().confirm(question, using: &entropy)
        let encoded = confirmation.encoded()
        let parts = try VectorAlgebra.parts(encoded, 2, 0)
        return ["challenge": .hex(parts[0]), "response": .hex(parts[1]), "confirmation": .hex(encoded)]
    }

    private static func confirmed(_ input: VectorFields) throws -> VectorFields {
        let bytes = try input.bytes("presentation")
        let presentation = try AnonymousPresentation(decoding: bytes.bytes)
        let unconfirmed = try presentation.check(
            input.anonymousExpectation(), parameters: input.anonymousParameters())
        let answer = try input.bytes("confirmation")
        let claims = try unconfirmed.confirmed(by: Confirmation(decoding: answer.bytes))
        let values = claims.values.sorted { $0.key < $1.key }
        return ["values": .object(VectorFields(values.map { ($0.key, .hex($0.value.encoded())) }))]
    }
}
