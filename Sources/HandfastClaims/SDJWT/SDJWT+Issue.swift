internal import HandfastCrypto
internal import HandfastEncoding

extension SDJWT {
    /// Issues a credential.
    ///
    /// Digests stand in the order of their text, with the decoys among them, so that their order tells nothing.
    /// - Parameters:
    ///   - content: What it says; claims with a meaning of their own stand outside of `claims`.
    ///   - holder: The holder's key.
    ///   - keyID: The name of the issuer's key (`kid`); nil for none.
    ///   - key: The issuer's key.
    ///   - generator: Gives the salts and the decoys.
    /// - Throws: ``CredentialError/forbiddenClaim(_:in:)`` and ``CredentialError/reservedName(in:)`` for names among the
    ///   claims, ``CredentialError/unknownClaim(_:)`` and ``CredentialError/notRedactable(_:)`` for paths to redact,
    ///   ``CredentialError/json(_:in:)`` for what has no form in JSON, and every bound
    public static func issue(
        _ content: CredentialContent, holder: CredentialVerificationKey, keyID: String? = nil,
        with key: borrowing CredentialSigningKey, using generator: inout some RandomNumberGenerator
    ) throws(CredentialError) -> SDJWT {
        let claims = try content.claims(holder: holder)
        for path in content.redacting {
            guard path.leads(in: claims) else { throw .unknownClaim(path) }
            if case .name(let name)? = path.steps.first, RegisteredClaims.alwaysVisible.contains(name) {
                throw .notRedactable(name)
            }
        }

        var disclosures: [SDJWTDisclosure] = []
        let redacted = try redact(
            claims, content.redacting.map { $0.steps[...] }, decoyCount: content.decoyCount, into: &disclosures,
            using: &generator)
        guard disclosures.count <= maximumDisclosureCount else {
            throw .tooManyDisclosures(limit: maximumDisclosureCount)
        }
        let token = try JWS.sign(redacted, type: type, keyID: keyID, with: key)
        let credential = try SDJWT(
            token: JWS(token, type: type, maximumSize: maximumCount), disclosures: disclosures)
        guard credential.encoded().utf8.count <= maximumCount else {
            throw .sizeExceeded(limit: maximumCount, in: .credential)
        }
        return credential
    }

    /// The map with digests in the places that the paths, which begin here, lead to.
    private static func redact(
        _ map: CBORMap, _ paths: [ArraySlice<ClaimPath.Step>], decoyCount: Int,
        into disclosures: inout [SDJWTDisclosure], using generator: inout some RandomNumberGenerator
    ) throws(CredentialError) -> CBORMap {
        var members: [(String, CBORValue)] = []
        var digests: [String] = []
        for (name, value) in try map.issuableEntries() {
            let (ends, further) = follow(.name(name), paths)
            let value = try redact(value, further, into: &disclosures, using: &generator)
            if ends {
                let disclosure = try SDJWTDisclosure(name: name, value: value, using: &generator)
                disclosures.append(disclosure)
                digests.append(SDJWTHash.sha256.digest(of: disclosure.text))
            } else {
                members.append((name, value))
            }
        }
        for _ in 0..<decoyCount { digests.append(Base64URL.encode(generator.bytes(32))) }
        if !digests.isEmpty { members.append((SDJWTName.digests, .array(digests.sorted().map(CBORValue.text)))) }
        return CBORMap(names: members)
    }

    private static func redact(
        _ items: [CBORValue], _ paths: [ArraySlice<ClaimPath.Step>], into disclosures: inout [SDJWTDisclosure],
        using generator: inout some RandomNumberGenerator
    ) throws(CredentialError) -> [CBORValue] {
        var result: [CBORValue] = []
        for (index, item) in items.enumerated() {
            let (ends, further) = follow(.index(index), paths)
            let value = try redact(item, further, into: &disclosures, using: &generator)
            if ends {
                let disclosure = try SDJWTDisclosure(name: nil, value: value, using: &generator)
                disclosures.append(disclosure)
                let digest = CBORValue.text(SDJWTHash.sha256.digest(of: disclosure.text))
                result.append(.map(CBORMap(names: [(SDJWTName.element, digest)])))
            } else {
                result.append(value)
            }
        }
        return result
    }

    private static func redact(
        _ value: CBORValue, _ paths: [ArraySlice<ClaimPath.Step>], into disclosures: inout [SDJWTDisclosure],
        using generator: inout some RandomNumberGenerator
    ) throws(CredentialError) -> CBORValue {
        switch value {
        case .map(let map):
            .map(try redact(map, paths, decoyCount: 0, into: &disclosures, using: &generator))
        case .array(let items): .array(try redact(items, paths, into: &disclosures, using: &generator))
        default: value
        }
    }

    /// Whether a path ends with this step, and what is left of those that go on.
    private static func follow(
        _ step: ClaimPath.Step, _ paths: [ArraySlice<ClaimPath.Step>]
    ) -> (ends: Bool, further: [ArraySlice<ClaimPath.Step>]) {
        let rest = paths.filter { $0.first?.matches(step) ?? false }.map { $0.dropFirst() }
        return (rest.contains(where: \.isEmpty), rest.filter { !$0.isEmpty })
    }
}

extension CredentialContent {
    /// All claims by their names in a JWT.
    fileprivate func claims(holder: CredentialVerificationKey) throws(CredentialError) -> CBORMap {
        var members = try claims.issuableEntries()
        for (name, _) in members where RegisteredClaims.names.contains(name) {
            throw .forbiddenClaim(name, in: .credential)
        }
        members += [
            ("iss", .text(issuer)), ("vct", .text(type)), ("cnf", .map(CBORMap(names: [("jwk", .map(holder.jwk()))]))),
        ]
        if let subject { members.append(("sub", .text(subject))) }
        for (name, time) in [("iat", issuedAt), ("nbf", notBefore), ("exp", expires)] {
            if let time { members.append((name, .unsigned(time))) }
        }
        if let status {
            let place = CBORMap(names: [("idx", .unsigned(status.index)), ("uri", .text(status.uri))])
            members.append(("status", .map(CBORMap(names: [("status_list", .map(place))]))))
        }
        return CBORMap(names: members)
    }
}

extension CBORMap {
    /// The entries, if each has a name that an issuer may give.
    fileprivate func issuableEntries() throws(CredentialError) -> [(String, CBORValue)] {
        var result: [(String, CBORValue)] = []
        for entry in entries {
            guard case .text(let name) = entry.key else { throw .json(.notRepresentable, in: .credential) }
            guard !SDJWTName.isReserved(name) else { throw .reservedName(in: .credential) }
            result.append((name, entry.value))
        }
        return result
    }
}
