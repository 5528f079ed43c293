import HandfastClaims
import HandfastCrypto
import HandfastEncoding

/// SD-JWT VC of ten claims, each redacted, of which three are shown: beside the signatures in it, openvc-core and the
/// reference implementation.
extension Suite {
    /// - Parameter peer: openvc-core and sd-jwt.
    static func sdJWT(beside peer: CredentialPeer, _ report: (Row) -> Void) throws {
        try sdJWT("eddsa", peer.eddsa, peer, report)
        try sdJWT("es256", peer.es256, peer, report)
    }

    private static func sdJWT(
        _ algorithm: String, _ parties: CredentialPeer.Parties, _ peer: CredentialPeer, _ report: (Row) -> Void
    ) throws {
        let now = peer.now
        var random = SecureRandom()
        var content = CredentialContent(
            issuer: CredentialPeer.issuer, type: "https://types.example/person",
            claims: try CBORMap(CredentialPeer.claims.map { CBORMap.Entry(.text($0.0), .text($0.1)) }),
            redacting: CredentialPeer.claims.compactMap { ClaimPath([.name($0.0)]) })
        (content.issuedAt, content.expires) = (now, now + 86_400)
        let (trusted, holder) = (parties.issuer.publicKey, parties.holder.publicKey)
        let issue = { try SDJWT.issue(content, holder: holder, with: parties.issuer, using: &random) }
        let held = try issue()
        let shown = CredentialPeer.claims.prefix(3).compactMap { ClaimPath([.name($0.0)]) }
        let present = {
            try held.present(
                disclosing: shown, audience: CredentialPeer.audience, nonce: CredentialPeer.nonce, issuedAt: now,
                with: parties.holder)
        }
        let presentation = try present()
        let verify = {
            try SDJWT.verify(presentation, audience: CredentialPeer.audience, nonce: CredentialPeer.nonce, now: now) {
                _, _ in trusted
            }
        }
        guard try verify().disclosed.count == 3 else { throw BenchmarkError.wrongContent }

        // Of the sizes that are signed: the credential's token without its signature, and a proof of 250 bytes.
        let first = Array(held.encoded().utf8.prefix { $0 != UInt8(ascii: "~") }.dropLast(87))
        let second = random.bytes(250)
        let signatures = (
            try parties.issuer.signature(for: first.bytes), try parties.holder.signature(for: second.bytes)
        )
        let works: [(String, String, () throws -> Void, () throws -> Void)] = [
            ("issue", "sign", { keep(try issue()) }, { keep(try parties.issuer.signature(for: first.bytes)) }),
            ("present", "sign", { keep(try present()) }, { keep(try parties.holder.signature(for: second.bytes)) }),
            (
                "verify", "verify twice", { keep(try verify()) },
                {
                    try trusted.verify(signatures.0.bytes, of: first.bytes)
                    try holder.verify(signatures.1.bytes, of: second.bytes)
                }
            ),
        ]
        for (step, signature, ours, bare) in works {
            let name = "claims/sd-jwt/\(step)/\(algorithm)"
            report(
                try Comparison.measure(
                    name, beside: "\(algorithm)/\(signature)", ours: { for _ in 0..<$0 { try ours() } },
                    theirs: { for _ in 0..<$0 { try bare() } }))
            try peer.measure(name, beside: algorithm, step, ours, report)
        }
    }
}
