internal import HandfastCrypto

/// Keys and secrets of vectors, which are all public.
extension VectorFields {
    func secret(_ name: String) throws -> SecretBytes {
        let bytes = try bytes(name)
        return SecretBytes(copying: bytes.bytes)
    }

    func aeadKey(_ name: String) throws -> AEADKey {
        let bytes = try bytes(name)
        return try AEADKey(copying: bytes.bytes)
    }

    func chainKey(_ name: String) throws -> ChainKeys {
        let bytes = try bytes(name)
        return try ChainKeys(copying: bytes.bytes)
    }

    func headerKey(_ name: String) throws -> HeaderKey {
        let bytes = try bytes(name)
        return try HeaderKey(copying: bytes.bytes)
    }

    func signingKey(_ name: String) throws -> SigningKey {
        try SigningKey(seed: secret(name))
    }

    func verificationKey(_ name: String) throws -> VerificationKey {
        let bytes = try bytes(name)
        return try VerificationKey(bytes.bytes)
    }

    func agreementPrivateKey(_ name: String) throws -> AgreementPrivateKey {
        try AgreementPrivateKey(secret(name))
    }

    func agreementPublicKey(_ name: String) throws -> AgreementPublicKey {
        let bytes = try bytes(name)
        return try AgreementPublicKey(bytes.bytes)
    }

    func kemPrivateKey(_ name: String) throws -> KEMPrivateKey {
        try KEMPrivateKey(seed: secret(name))
    }

    func sealingPrivateKey(_ name: String) throws -> SealingPrivateKey {
        try SealingPrivateKey(seed: secret(name))
    }

    func digest(_ name: String) throws -> Digest {
        Digest(try bytes(name))
    }
}
