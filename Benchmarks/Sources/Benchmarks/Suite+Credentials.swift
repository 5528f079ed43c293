import HandfastClaims
import HandfastCrypto
import HandfastEncoding

/// Credentials of ten claims, each redacted, of which three are shown, beside the signatures in them.
extension Suite {
    private static let claimCount = 10
    private static let shownCount = 3
    /// How many copies a batch has: one for each relationship of a wallet for some time.
    private static let copyCount = 20
    private static let now: UInt64 = 1_790_000_000
    private static let issuer = "https://issuer.example"

    /// - Parameter peer: openvc-core and sd-jwt, whose form is SD-JWT.
    static func credentials(beside peer: CredentialPeer, _ report: (Row) -> Void) throws {
        var random = SecureRandom()
        try credentials(
            "eddsa", issuer: .ed25519(SigningKey.generate(using: &random)),
            holder: .ed25519(SigningKey.generate(using: &random)), peer, report)
        try credentials(
            "es256", issuer: .p256(P256SigningKey.generate(using: &random)),
            holder: .p256(P256SigningKey.generate(using: &random)), peer, report)
    }

    private static func credentials(
        _ algorithm: String, issuer issuerKey: consuming CredentialSigningKey,
        holder holderKey: consuming CredentialSigningKey, _ peer: CredentialPeer, _ report: (Row) -> Void
    ) throws {
        let (issuerKey, holderKey) = (Shared(issuerKey), Shared(holderKey))
        var random = SecureRandom()
        let content = try sampleContent()
        let trusted = issuerKey.key.publicKey
        let credential = try SDCWT.issue(
            content, holder: holderKey.key.publicKey, with: issuerKey.key, using: &random)
        let held = try SDCWT(decoding: credential)
        let context = VerificationContext(audience: "https://shop.example", nonce: random.bytes(16), now: now)
        let shown = Array(held.redacted.prefix(shownCount))
        let present = {
            try held.present(
                disclosing: shown, audience: context.audience, nonce: context.nonce, issuedAt: now, with: holderKey.key)
        }
        let presentation = try present()
        guard try SDCWT.verify(presentation, in: context, issuerKey: { _, _ in trusted }).disclosed.count == shownCount
        else { throw BenchmarkError.wrongContent }

        // Of the size of what is signed.
        let payload = try payloadCount(of: credential)
        let (first, second) = (random.bytes(payload + 32), random.bytes(presentation.count))
        let firstSignature = try issuerKey.key.signature(for: first.bytes)
        let secondSignature = try holderKey.key.signature(for: second.bytes)
        let holder = holderKey.key.publicKey
        let copies = (0..<UInt64(copyCount)).map { index in
            CredentialCopy(
                holder: holder, status: StatusReference(uri: "https://status.example/1", index: 123_456 + index))
        }
        let works: [(String, String, () throws -> Void, () throws -> Void)] = [
            (
                "issue", "sign",
                { keep(try SDCWT.issue(content, holder: holder, with: issuerKey.key, using: &random)) },
                { keep(try issuerKey.key.signature(for: first.bytes)) }
            ),
            (
                "issue-\(copyCount)", "sign \(copyCount) times",
                { keep(try SDCWT.issue(batch: copies, of: content, with: issuerKey.key, using: &random)) },
                { for _ in copies { keep(try issuerKey.key.signature(for: first.bytes)) } }
            ),
            ("present", "sign", { keep(try present()) }, { keep(try holderKey.key.signature(for: second.bytes)) }),
            (
                "verify", "verify twice", { keep(try SDCWT.verify(presentation, in: context) { _, _ in trusted }) },
                {
                    try trusted.verify(firstSignature.bytes, of: first.bytes)
                    try holder.verify(secondSignature.bytes, of: second.bytes)
                }
            ),
        ]
        for (step, signature, ours, bare) in works {
            let name = "claims/sd-cwt/\(step)/\(algorithm)"
            report(
                try Comparison.measure(
                    name, beside: "\(algorithm)/\(signature)", ours: { for _ in 0..<$0 { try ours() } },
                    theirs: { for _ in 0..<$0 { try bare() } }))
            guard ["issue", "present", "verify"].contains(step) else { continue }
            try peer.measure(name, beside: algorithm, step, ours, report)
        }
    }

    /// A key that several closures use.
    private final class Shared {
        let key: CredentialSigningKey

        init(_ key: consuming CredentialSigningKey) {
            self.key = key
        }
    }

    private static func sampleContent() throws -> CredentialContent {
        let values: [(String, CBORValue)] = [
            ("given_name", .text("Ada")), ("family_name", .text("Berg")), ("birth_date", .text("1990-01-02")),
            ("age_over_18", .bool(true)), ("nationality", .text("NO")), ("street_address", .text("Storgata 1")),
            ("locality", .text("Oslo")), ("postal_code", .text("0155")), ("country", .text("NO")),
            ("email", .text("ada@example.org")),
        ]
        let claims = try CBORMap(values.prefix(claimCount).map { CBORMap.Entry(.text($0.0), $0.1) })
        var content = CredentialContent(
            issuer: issuer, type: "https://types.example/person", claims: claims,
            redacting: values.prefix(claimCount).compactMap { ClaimPath([.name($0.0)]) })
        content.subject = "person"
        content.issuedAt = now
        content.expires = now + 10_000_000
        content.status = StatusReference(uri: "https://status.example/1", index: 123_456)
        return content
    }

    private static func payloadCount(of credential: [UInt8]) throws -> Int {
        guard case .tag(_, .array(let items)) = try CBORValue(decoding: credential), items.count == 4,
            case .bytes(let payload) = items[2]
        else { throw BenchmarkError.wrongContent }
        return payload.count
    }
}
