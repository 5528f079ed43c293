import HandfastClaims
import HandfastCrypto
import HandfastTestSupport
import Testing

@Suite struct CredentialKeyTests {
    @Test(arguments: [CredentialAlgorithm.edDSA, .es256])
    func verifiesWhatItSigned(algorithm: CredentialAlgorithm) throws {
        var random = SystemRandomNumberGenerator()
        let key: CredentialSigningKey =
            algorithm == .edDSA
            ? .ed25519(SigningKey.generate(using: &random)) : .p256(P256SigningKey.generate(using: &random))
        let message: [UInt8] = [1, 2, 3]
        let signature = try key.signature(for: message.bytes)
        try key.publicKey.verify(signature.bytes, of: message.bytes)
        let other: [UInt8] = [1, 2, 4]
        #expect(throws: CryptoError.invalidSignature) { try key.publicKey.verify(signature.bytes, of: other.bytes) }
        #expect(key.publicKey.algorithm == algorithm)
    }
}
