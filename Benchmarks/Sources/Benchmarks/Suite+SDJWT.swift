import Foundation
import HandfastClaims
import HandfastCrypto
import HandfastEncoding

/// SD-JWT VC of ten claims, each redacted, of which three are shown: beside the signatures in it, openvc-core and the
/// reference implementation.
extension Suite {
    private static let audience = "https://shop.example"
    private static let nonce = "nonce"

    /// - Parameter python: An interpreter that has openvc-core and sd-jwt.
    static func sdJWT(python: String, _ report: (Row) -> Void) throws {
        var random = SecureRandom()
        let seeds = (random.bytes(SigningKey.seedCount), random.bytes(SigningKey.seedCount))
        let eddsa = SDJWTParties(
            issuer: .ed25519(try SigningKey(seed: SecretBytes(copying: seeds.0.bytes))), issuerSecret: seeds.0,
            holder: .ed25519(try SigningKey(seed: SecretBytes(copying: seeds.1.bytes))), holderSecret: seeds.1)
        let scalars = (random.bytes(P256SigningKey.scalarCount), random.bytes(P256SigningKey.scalarCount))
        let es256 = SDJWTParties(
            issuer: .p256(try P256SigningKey(scalar: SecretBytes(copying: scalars.0.bytes))), issuerSecret: scalars.0,
            holder: .p256(try P256SigningKey(scalar: SecretBytes(copying: scalars.1.bytes))), holderSecret: scalars.1)
        let now = UInt64(Date().timeIntervalSince1970)
        let peer = try PythonPeer(
            python: python, script: "Peers/sd_jwt_peer.py",
            samples: [try sample(now: now, eddsa: eddsa, es256: es256)])
        try sdJWT("eddsa", eddsa, now: now, peers: ["openvc-core/eddsa"], peer, report)
        try sdJWT("es256", es256, now: now, peers: ["openvc-core/es256", "sd-jwt/es256"], peer, report)
        try peer.stop()
    }

    private static func sdJWT(
        _ algorithm: String, _ parties: SDJWTParties, now: UInt64, peers: [String], _ peer: PythonPeer,
        _ report: (Row) -> Void
    ) throws {
        var random = SecureRandom()
        var content = CredentialContent(
            issuer: issuer, type: "https://types.example/person",
            claims: try CBORMap(claims.map { CBORMap.Entry(.text($0.0), .text($0.1)) }),
            redacting: claims.compactMap { ClaimPath([.name($0.0)]) })
        (content.issuedAt, content.expires) = (now, now + 86_400)
        let (trusted, holder) = (parties.issuer.publicKey, parties.holder.publicKey)
        let issue = { try SDJWT.issue(content, holder: holder, with: parties.issuer, using: &random) }
        let held = try issue()
        let shown = claims.prefix(3).compactMap { ClaimPath([.name($0.0)]) }
        let present = {
            try held.present(disclosing: shown, audience: audience, nonce: nonce, issuedAt: now, with: parties.holder)
        }
        let presentation = try present()
        let verify = {
            try SDJWT.verify(presentation, audience: audience, nonce: nonce, now: now) { _, _ in trusted }
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
            for theirs in peers {
                // The peer measures itself: what it is told takes no part of its time.
                var pairs: [(Double, Double)] = []
                for _ in 0..<Comparison.runs {
                    pairs.append(
                        (
                            try Comparison.nanoseconds(5, { _ in }, { for _ in 0..<$0 { try ours() } }),
                            try peer.nanoseconds("\(theirs)/\(step)", 3)
                        ))
                }
                report(Row(name, beside: "\(theirs)/\(step)", ours: pairs.map(\.0), theirs: pairs.map(\.1)))
            }
        }
    }

    private static let issuer = "https://issuer.example"
    private static let claims = [
        ("given_name", "Ada"), ("family_name", "Berg"), ("birth_date", "1990-01-02"), ("age_over_18", "yes"),
        ("nationality", "NO"), ("street_address", "Storgata 1"), ("locality", "Oslo"), ("postal_code", "0155"),
        ("country", "NO"), ("email", "ada@example.org"),
    ]

    /// What the peer needs, as one line of JSON.
    private static func sample(now: UInt64, eddsa: SDJWTParties, es256: SDJWTParties) throws -> String {
        let always: [String: Any] = [
            "iss": issuer, "vct": "https://types.example/person", "iat": now, "exp": now + 86_400,
        ]
        let sample: [String: Any] = [
            "always": always, "claims": Dictionary(uniqueKeysWithValues: claims),
            "shown": claims.prefix(3).map(\.0),
            "keys": ["eddsa": try eddsa.privateKeys(), "es256": try es256.privateKeys()],
        ]
        return String(decoding: try JSONSerialization.data(withJSONObject: sample), as: UTF8.self)
    }
}

/// An issuer and a holder, whose private keys the peer gets as well.
private final class SDJWTParties {
    let issuer: CredentialSigningKey
    let holder: CredentialSigningKey
    private let secrets: [String: [UInt8]]

    init(
        issuer: consuming CredentialSigningKey, issuerSecret: [UInt8], holder: consuming CredentialSigningKey,
        holderSecret: [UInt8]
    ) {
        self.issuer = issuer
        self.holder = holder
        secrets = ["issuer": issuerSecret, "holder": holderSecret]
    }

    func privateKeys() throws -> [String: Any] {
        var keys: [String: Any] = [:]
        for (name, key) in [("issuer", issuer.publicKey), ("holder", holder.publicKey)] {
            let text = try HandfastClaims.JSON.encode(.map(key.jwk()))
            var jwk = try JSONSerialization.jsonObject(with: Data(text)) as? [String: Any] ?? [:]
            jwk["d"] = Base64URL.encode(secrets[name] ?? [])
            keys[name] = jwk
        }
        return keys
    }
}
