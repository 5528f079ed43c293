import HandfastCrypto

/// Secrets compared with what a stranger sent.
enum Comparing {
    static func run() throws {
        for (name, bytes) in [
            ("first byte wrong", guess(wrongAt: 0)), ("last byte wrong", guess(wrongAt: 31)), ("equal", guess()),
        ] {
            // As the relay compares the digest of a send capability, and anybody a digest, knock or key.
            try Main.check("FixedBytes ==, \(name)") {
                let (secret, other) = try (FixedBytes<32>(copying: hiddenSecret()), FixedBytes<32>(copying: bytes))
                keep(show(secret == other))
            }
            try Main.check("Digest == of a capability, \(name)") {
                let (secret, other) = try (
                    Digest(FixedBytes(copying: hiddenSecret())), Digest(FixedBytes(copying: bytes))
                )
                keep(show(secret == other))
            }
            try Main.check("SecretBytes.isEqual, \(name)") {
                let secret = SecretBytes(copying: hiddenSecret().bytes)
                keep(show(secret.isEqual(to: bytes.bytes)))
            }
        }
    }

    private static let secret = [UInt8](0..<32)

    private static func hiddenSecret() -> [UInt8] {
        let copy = secret.map { $0 }
        hide(copy)
        return copy
    }

    private static func guess(wrongAt index: Int? = nil) -> [UInt8] {
        var guess = secret
        if let index { guess[index] ^= 1 }
        return guess
    }
}
