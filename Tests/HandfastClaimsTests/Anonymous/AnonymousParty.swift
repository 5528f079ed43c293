import HandfastClaims
import HandfastCrypto
import HandfastTestSupport

/// An issuer, a holder and a verifier, from one seed.
struct AnonymousParty: ~Copyable {
    static let epoch: UInt64 = 20_000
    static let now: UInt64 = 20_000 * 86_400 + 3_600
    static let names = ["level", "since", "country", "plan", "discount", "region", "newsletter"]
    static let values: [AnonymousValue] = [
        .text("gold"), .integer(2_019), .text("NO"), .bytes([1, 2, 3]), .integer(-15), .text(""), .text("weekly"),
    ]

    var random: SeededEntropy
    let key: AnonymousIssuerKey
    let parameters: AnonymousParameters
    let holder: AnonymousHolderSecret
    let vendor: Digest
    let binding: PresentationBinding

    init(seed: UInt64, names: [String] = names) throws {
        var random = SeededEntropy(seed: seed)
        let key = AnonymousIssuerKey.generate(using: &random)
        let schema = try AnonymousSchema(type: "member", epochLength: 86_400, attributes: names)
        let parameters = try AnonymousParameters(issuer: key.publicKey, schema: schema)
        let holder = try AnonymousHolderSecret(master: SecretBytes(random: 32, using: &random))
        let vendor = Digest(FixedBytes(random: &random))
        binding = PresentationBinding(
            nonce: FixedBytes(random: &random), verifier: vendor, relationship: Digest(FixedBytes(random: &random)))
        self.vendor = vendor
        self.key = key
        self.parameters = parameters
        self.holder = holder
        self.random = random
    }

    var scope: PseudonymScope { .relationship(vendor) }

    var expectation: AnonymousExpectation {
        AnonymousExpectation(scope: scope, binding: binding, now: Self.now)
    }

    mutating func issue(
        _ values: [AnonymousValue] = values, epoch: UInt64 = epoch
    ) throws -> AnonymousCredential {
        let nonce = FixedBytes<32>(random: &random)
        let pending = PendingAnonymousCredential.request(
            nonce: nonce, holder: holder, parameters: parameters, using: &random)
        let issuance = try key.issue(
            pending.request, nonce: nonce, epoch: epoch, values: values, parameters: parameters, using: &random)
        return try pending.finish(issuance, parameters: parameters, now: Self.now)
    }

    mutating func present(
        _ credential: borrowing AnonymousCredential, showing names: [String] = ["level"],
        scope: PseudonymScope? = nil, binding: PresentationBinding? = nil
    ) throws -> AnonymousPresentation {
        try credential.present(
            showing: names, in: scope ?? self.scope, for: binding ?? self.binding, holder: holder,
            parameters: parameters, using: &random)
    }

    func verify(_ presentation: AnonymousPresentation) throws -> VerifiedAnonymousClaims {
        try presentation.verify(expectation, parameters: parameters, key: key)
    }
}
