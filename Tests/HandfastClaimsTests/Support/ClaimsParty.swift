import HandfastClaims
import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport

/// An issuer, a holder and a verifier with keys of a seed.
final class ClaimsParty {
    static let issuedAt: UInt64 = 1_790_000_000
    static let now: UInt64 = issuedAt + 100_000
    static let expires: UInt64 = issuedAt + 10_000_000
    static let nonce: [UInt8] = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2, 3, 4, 5, 6]
    static let audience = "https://shop.example"
    static let issuerName = "https://issuer.example"

    let issuer: CredentialSigningKey
    let holder: CredentialSigningKey
    var random: SeededEntropy

    init(
        seed: UInt64, issuer: CredentialAlgorithm = .edDSA, holder: CredentialAlgorithm = .edDSA
    ) throws {
        random = SeededEntropy(seed: seed)
        self.issuer = Self.key(issuer, using: &random)
        self.holder = Self.key(holder, using: &random)
    }

    static func key(
        _ algorithm: CredentialAlgorithm, using random: inout SeededEntropy
    ) -> CredentialSigningKey {
        algorithm == .es256
            ? .p256(P256SigningKey.generate(using: &random)) : .ed25519(SigningKey.generate(using: &random))
    }

    func content() throws -> CredentialContent {
        let address = try CBORMap([
            .init(.text("street"), .text("Storgata 1")), .init(.text("city"), .text("Oslo")),
        ])
        let claims = try CBORMap([
            .init(.text("given_name"), .text("Ada")), .init(.text("family_name"), .text("Berg")),
            .init(.text("age_over_18"), .bool(true)), .init(.text("address"), .map(address)),
            .init(.text("languages"), .array([.text("no"), .text("en")])),
        ])
        var content = CredentialContent(
            issuer: Self.issuerName, type: "https://types.example/person", claims: claims,
            redacting: [
                try path("given_name"), try path("family_name"), try path("age_over_18"), try path("address", "street"),
                try path("address", "city"), try ClaimPath([.name("languages"), .index(1)]).unwrapped,
            ])
        content.subject = "person"
        content.issuedAt = Self.issuedAt
        content.expires = Self.expires
        return content
    }

    func issue(_ content: CredentialContent? = nil, keyID: [UInt8]? = nil) throws -> [UInt8] {
        try SDCWT.issue(
            try content ?? self.content(), holder: holder.publicKey, keyID: keyID, with: issuer, using: &random)
    }

    func issuerKey(_ name: String, _ keyID: [UInt8]?) -> CredentialVerificationKey? {
        name == Self.issuerName ? issuer.publicKey : nil
    }

    func hold(_ bytes: [UInt8]) throws -> SDCWT {
        try SDCWT.hold(bytes, for: holder.publicKey, issuerKey: issuerKey, now: Self.now)
    }

    func present(_ credential: SDCWT, _ paths: [ClaimPath]) throws -> [UInt8] {
        try credential.present(
            disclosing: paths, audience: Self.audience, nonce: Self.nonce, issuedAt: Self.now, with: holder)
    }

    func verify(
        _ presentation: [UInt8], audience: String = audience, nonce: [UInt8] = nonce, now: UInt64 = now
    ) throws -> VerifiedCredential {
        try SDCWT.verify(
            presentation, in: VerificationContext(audience: audience, nonce: nonce, now: now), issuerKey: issuerKey)
    }
}

/// A path of names.
func path(_ names: String...) throws -> ClaimPath {
    try ClaimPath(names.map { .name($0) }).unwrapped
}

extension Optional {
    /// The value.
    var unwrapped: Wrapped {
        get throws {
            guard let self else { throw Absent() }
            return self
        }
    }
}

/// A value that a test needs is not there.
struct Absent: Error {}
