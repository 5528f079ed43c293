@testable import HandfastClaims
@testable import HandfastCrypto

extension FuzzTarget {
    static let anonymous = [
        FuzzTarget(name: "anonymous-parts", seeds: anonymousPartSeeds, run: anonymousParts),
        FuzzTarget(name: "anonymous-presentation", seeds: { Tampering.seeds }, run: anonymousPresentation),
        FuzzTarget(name: "anonymous-issuance", seeds: { Tampering.seeds }, run: anonymousIssuance),
    ]

    /// Every structure of anonymous claims encodes to what it came from.
    @Sendable private static func anonymousParts(_ input: [UInt8]) throws {
        if let schema = accepted({ try AnonymousSchema(decoding: input.bytes) }) {
            try BrokenPromise.unlessSame(schema.encoded(), as: input, "schema")
        }
        if let parameters = accepted({ try AnonymousParameters(decoding: input.bytes) }) {
            try BrokenPromise.unlessSame(parameters.encoded(), as: input, "parameters")
        }
        if let request = accepted({ try AnonymousRequest(decoding: input.bytes) }) {
            try BrokenPromise.unlessSame(request.encoded(), as: input, "request")
        }
        if let issuance = accepted({ try AnonymousIssuance(decoding: input.bytes) }) {
            try BrokenPromise.unlessSame(issuance.encoded(), as: input, "issuance")
        }
        if let presentation = accepted({ try AnonymousPresentation(decoding: input.bytes) }) {
            try BrokenPromise.unlessSame(presentation.encoded(), as: input, "presentation")
        }
        if let question = accepted({ try ConfirmationQuestion(decoding: input.bytes) }) {
            try BrokenPromise.unlessSame(question.encoded(), as: input, "question")
        }
        if let confirmation = accepted({ try Confirmation(decoding: input.bytes) }) {
            try BrokenPromise.unlessSame(confirmation.encoded(), as: input, "confirmation")
        }
        if let value = accepted({ try AnonymousValue(decoding: input.bytes) }) {
            try BrokenPromise.unlessSame(value.encoded(), as: input, "value")
        }
        if let pending = accepted({ try PendingAnonymousCredential.decode(input.bytes) }) {
            let encoded = pending.encoded()
            try BrokenPromise.unlessSame([UInt8](encoded.bytes), as: input, "stored request")
        }
        if let credential = accepted({ try AnonymousCredential.decode(input.bytes) }) {
            let encoded = credential.encoded()
            try BrokenPromise.unlessSame([UInt8](encoded.bytes), as: input, "stored credential")
        }
    }

    @Sendable private static func anonymousPartSeeds() throws -> [[UInt8]] {
        let fixture = try AnonymousFixture()
        let stored = fixture.credential.encoded()
        let pending = fixture.pending.encoded()
        let unconfirmed = try fixture.presentation.check(fixture.expectation, parameters: fixture.parameters)
        var random = FixedEntropy(2)
        let answer = try fixture.key.confirm(unconfirmed.question, using: &random)
        return [
            fixture.parameters.schema.encoded(), fixture.parameters.encoded(), fixture.pending.request.encoded(),
            fixture.issuance.encoded(), fixture.presentation.encoded(), unconfirmed.question.encoded(),
            answer.encoded(), AnonymousValue.text("gold").encoded(), [UInt8](pending.bytes), [UInt8](stored.bytes),
        ]
    }

    /// A presentation that was changed on the way verifies no more.
    @Sendable private static func anonymousPresentation(_ input: [UInt8]) throws {
        let fixture = try AnonymousFixture()
        let genuine = fixture.presentation.encoded()
        let bytes = Tampering(InputReader(input)).apply(to: genuine)
        let claims = accepted {
            try AnonymousPresentation(decoding: bytes.bytes).verify(
                fixture.expectation, parameters: fixture.parameters, key: fixture.key)
        }
        try BrokenPromise.unless((claims != nil) == (bytes == genuine), "a changed presentation verifies, or none does")
    }

    /// Neither does a request or an answer to it.
    @Sendable private static func anonymousIssuance(_ input: [UInt8]) throws {
        let fixture = try AnonymousFixture()
        let tampering = Tampering(InputReader(input))
        let request = tampering.apply(to: fixture.pending.request.encoded())
        var random = FixedEntropy(3)
        let issued = accepted {
            try fixture.key.issue(
                AnonymousRequest(decoding: request.bytes), nonce: .zero, epoch: 1, values: [.text("gold")],
                parameters: fixture.parameters, using: &random)
        }
        try BrokenPromise.unless(
            (issued != nil) == (request == fixture.pending.request.encoded()), "a changed request is answered")
        let issuance = tampering.apply(to: fixture.issuance.encoded())
        let credential = accepted {
            try fixture.pending.finish(
                AnonymousIssuance(decoding: issuance.bytes), parameters: fixture.parameters, now: 3_600)
        }
        let isAccepted =
            switch consume credential {
            case .none: false
            case .some: true
            }
        try BrokenPromise.unless(
            isAccepted == (issuance == fixture.issuance.encoded()), "a changed answer gives a credential")
    }
}

/// One credential of one attribute, the same in each run.
private struct AnonymousFixture: ~Copyable {
    let key: AnonymousIssuerKey
    let parameters: AnonymousParameters
    let pending: PendingAnonymousCredential
    let issuance: AnonymousIssuance
    let credential: AnonymousCredential
    let expectation: AnonymousExpectation
    let presentation: AnonymousPresentation

    init() throws {
        var random = FixedEntropy()
        let key = AnonymousIssuerKey.generate(using: &random)
        let schema = try AnonymousSchema(type: "member", epochLength: 3_600, attributes: ["level"])
        let parameters = try AnonymousParameters(issuer: key.publicKey, schema: schema)
        let holder = try AnonymousHolderSecret(master: SecretBytes(random: 32, using: &random))
        let pending = PendingAnonymousCredential.request(
            nonce: .zero, holder: holder, parameters: parameters, using: &random)
        let issuance = try key.issue(
            pending.request, nonce: .zero, epoch: 1, values: [.text("gold")], parameters: parameters, using: &random)
        let credential = try pending.finish(issuance, parameters: parameters, now: 3_600)
        let vendor = Digest(.zero)
        let expectation = AnonymousExpectation(
            scope: .relationship(vendor),
            binding: PresentationBinding(nonce: .zero, verifier: vendor, relationship: vendor), now: 3_600)
        let presentation = try credential.present(
            showing: ["level"], in: expectation.scope, for: expectation.binding, holder: holder,
            parameters: parameters, using: &random)
        self.key = key
        self.parameters = parameters
        self.pending = pending
        self.issuance = issuance
        self.credential = credential
        self.expectation = expectation
        self.presentation = presentation
    }
}
