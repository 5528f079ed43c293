import HandfastCrypto

/// Private keys in use.
enum Keys {
    static func run() throws {
        try Main.check("SigningKey from its seed, and a signature") {
            let key = try SigningKey(seed: SecretBytes(copying: hidden(32).bytes))
            let signature = show(key.signature(for: [UInt8](repeating: 1, count: 200).bytes))
            keep(show(key.publicKey.value))
            keep(signature)
        }
        var random = SecureRandom()
        let peer = AgreementPrivateKey.generate(using: &random).publicKey
        try Main.check("AgreementPrivateKey, its public key and a shared secret") {
            let key = try AgreementPrivateKey(copying: hidden(32).bytes)
            keep(try key.sharedSecret(with: peer))
        }
    }
}
