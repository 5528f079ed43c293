import Foundation
import HandfastClaims
import HandfastCrypto
import HandfastEncoding

/// openvc-core and sd-jwt, which issue, present and verify an SD-JWT of ten claims, three of them shown.
final class CredentialPeer {
    static let audience = "https://shop.example"
    static let nonce = "nonce"
    static let issuer = "https://issuer.example"
    static let claims = [
        ("given_name", "Ada"), ("family_name", "Berg"), ("birth_date", "1990-01-02"), ("age_over_18", "yes"),
        ("nationality", "NO"), ("street_address", "Storgata 1"), ("locality", "Oslo"), ("postal_code", "0155"),
        ("country", "NO"), ("email", "ada@example.org"),
    ]
    /// What can do it by an algorithm.
    private static let names = ["eddsa": ["openvc-core/eddsa"], "es256": ["openvc-core/es256", "sd-jwt/es256"]]

    let now = UInt64(Date().timeIntervalSince1970)
    let eddsa: Parties
    let es256: Parties
    private let process: PythonPeer

    /// - Parameter python: An interpreter that has openvc-core and sd-jwt.
    init(python: String) throws {
        var random = SecureRandom()
        let seeds = (random.bytes(SigningKey.seedCount), random.bytes(SigningKey.seedCount))
        eddsa = Parties(
            issuer: .ed25519(try SigningKey(seed: SecretBytes(copying: seeds.0.bytes))), issuerSecret: seeds.0,
            holder: .ed25519(try SigningKey(seed: SecretBytes(copying: seeds.1.bytes))), holderSecret: seeds.1)
        let scalars = (random.bytes(P256SigningKey.scalarCount), random.bytes(P256SigningKey.scalarCount))
        es256 = Parties(
            issuer: .p256(try P256SigningKey(scalar: SecretBytes(copying: scalars.0.bytes))), issuerSecret: scalars.0,
            holder: .p256(try P256SigningKey(scalar: SecretBytes(copying: scalars.1.bytes))), holderSecret: scalars.1)
        process = try PythonPeer(
            python: python, script: "Peers/sd_jwt_peer.py",
            samples: [try Self.sample(now: now, eddsa: eddsa, es256: es256)])
    }

    /// Measures a step of ours beside the same one of every peer that has the algorithm.
    func measure(
        _ name: String, beside algorithm: String, _ step: String, _ ours: () throws -> Void, _ report: (Row) -> Void
    ) throws {
        for theirs in Self.names[algorithm] ?? [] {
            // The peer measures itself: what it is told takes no part of its time.
            var pairs: [(Double, Double)] = []
            for _ in 0..<Comparison.runs {
                pairs.append(
                    (
                        try Comparison.nanoseconds(5, { _ in }, { for _ in 0..<$0 { try ours() } }),
                        try process.nanoseconds("\(theirs)/\(step)", 3)
                    ))
            }
            report(Row(name, beside: "\(theirs)/\(step)", ours: pairs.map(\.0), theirs: pairs.map(\.1)))
        }
    }

    /// Ends the process.
    func stop() throws { try process.stop() }

    /// What the peer needs, as one line of JSON.
    private static func sample(now: UInt64, eddsa: Parties, es256: Parties) throws -> String {
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

    /// An issuer and a holder, whose private keys the peer gets as well.
    final class Parties {
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
}
