internal import Handfast
internal import HandfastChannel
internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding

extension ClaimVectors {
    /// What a verifier makes of an answer: every check of every query, and what is proved.
    static func judge(_ input: VectorFields) throws -> VectorFields {
        let request = try ClaimRequest.decode(input.bytes("request"))
        let answer = try ClaimPresentation.decode(input.bytes("present"))
        let verdict = try verifier(input).judge(answer, to: request, asked: input.number("asked"))
        return [
            "checks": .list(
                verdict.checks.map {
                    .object([
                        "query": .number($0.query), "check": .text($0.check.rawValue),
                        "outcome": .text($0.outcome.rawValue),
                    ])
                }),
            "shown": .list(
                try verdict.shown.map {
                    .object([
                        "query": .number($0.query), "isOwnWord": .flag($0.isOwnWord),
                        "issuer": .text($0.credential.issuer),
                        "claims": .hex(try CBORValue.map($0.credential.claims).encoded()),
                    ])
                }),
        ]
    }

    private static func verifier(_ input: VectorFields) throws -> ClaimVerifier {
        let issuers = try input.fieldsList("issuers").map { fields in
            TrustedIssuer(
                issuer: try fields.text("issuer"),
                keys: [IssuerKey(try CredentialVerificationKey(coseKey: fields.bytes("key")))],
                types: try fields["types"].map { _ in try texts("types", of: fields) })
        }
        let peerKey = try input.bytes("peerKey")
        return ClaimVerifier(
            audience: IdentityID(try input.digest("audience")), peer: IdentityID(try input.digest("peer")),
            peerKey: try VerificationKey(peerKey.bytes), issuers: issuers, now: try input.number("now"))
    }

    private static func texts(_ name: String, of fields: VectorFields) throws -> [String] {
        try fields.list(name).map { value in
            guard case .text(let text) = value else { throw VectorFault.kind("a list of texts").at(name) }
            return text
        }
    }
}

// MARK: - Making

extension ClaimVectors {
    private static let now: UInt64 = 1_800_000_000
    private static let issuer = "https://id.example"

    private static func claims(_ values: [String: CBORValue]) throws -> CBORMap {
        try CBORMap(values.map { CBORMap.Entry(.text($0.key), $0.value) })
    }

    /// A vendor that has asked for two credentials, and a customer who answers.
    static func makeJudged(_ maker: inout VectorMaker) throws {
        let (issuerSeed, holderSeed, peerSeed) = (maker.random(32), maker.random(32), maker.random(32))
        func key(_ seed: [UInt8]) throws -> CredentialSigningKey {
            .ed25519(try SigningKey(seed: SecretBytes(copying: seed.bytes)))
        }
        func digest() throws -> Digest { try Digest(maker.random(32).bytes) }
        let (own, peer) = (IdentityID(try digest()), IdentityID(try digest()))
        let nonce = FixedBytes<16>(random: &maker.entropy)
        let paths = ["given_name", "address"].compactMap { ClaimPath(text: $0) }
        let said = try claims(["given_name": .text("Ada"), "age_over_18": .bool(true), "address": .text("Main 1")])
        var content = CredentialContent(issuer: issuer, type: "person", claims: said, redacting: paths)
        (content.subject, content.issuedAt, content.expires) = ("1", now - 86_400, now + 86_400)
        content.status = StatusReference(uri: issuer + "/status/1", index: 3)
        let token = try StatusListToken(
            uri: issuer + "/status/1", issuedAt: now - 60, expires: now + 600, timeToLive: nil,
            list: StatusList(count: 8, bits: 1)
        ).signed(as: .cwt, with: key(issuerSeed))
        let credential = try SDCWT.issue(
            content, holder: key(holderSeed).publicKey, with: key(issuerSeed), using: &maker.entropy)
        let shown = try SDCWT(decoding: credential).present(
            disclosing: [paths[0]], audience: own.description, nonce: nonce.array, issuedAt: now - 10,
            with: key(holderSeed))
        var word = CredentialContent(
            issuer: peer.description, type: "size", claims: try claims(["shoe": .unsigned(43)]))
        (word.subject, word.issuedAt) = (peer.description, now - 10)
        let ownWord = try SDCWT.issue(word, holder: key(peerSeed).publicKey, with: key(peerSeed), using: &maker.entropy)
        let presentedWord = try SDCWT(decoding: ownWord).present(
            disclosing: [], audience: own.description, nonce: nonce.array, issuedAt: now - 10, with: key(peerSeed))

        guard let over18 = ClaimPath(text: "age_over_18"), let shoe = ClaimPath(text: "shoe") else { return }
        let wanted = [WantedClaim(paths[0]), WantedClaim(over18, value: .bool(true))]
        let request = ClaimRequest(
            purpose: "dpv:AgeVerification",
            credentials: [
                CredentialQuery(type: "person", claims: wanted, issuers: [issuer]),
                CredentialQuery(type: "size", claims: [WantedClaim(shoe)], selfAsserted: true),
            ], maximumAge: 90_000, nonce: nonce)
        let answer = ClaimPresentation(
            to: 1,
            [
                PresentedCredential(query: 0, format: .sdCWT, presentation: shown, statusToken: token),
                PresentedCredential(query: 1, format: .sdCWT, presentation: presentedWord),
            ])
        guard case .ed25519(let peerKey) = try key(peerSeed).publicKey else { return }
        func judge(
            _ name: String, now: UInt64 = now, asked: UInt64 = now - 100, trusted: [String]? = nil,
            request change: (inout ClaimRequest) -> Void = { _ in },
            answer changeAnswer: (inout ClaimPresentation) -> Void = { _ in }
        ) throws {
            var (asking, answering) = (request, answer)
            change(&asking)
            changeAnswer(&answering)
            try maker.accept(
                "judge: \(name)", "judge",
                [
                    "audience": .hex(own.digest.array), "peer": .hex(peer.digest.array),
                    "peerKey": .hex(peerKey.array), "now": .number(now), "asked": .number(asked),
                    "issuers": .list([
                        .object([
                            "issuer": .text(issuer), "key": .hex(try key(issuerSeed).publicKey.coseKey),
                            "types": trusted.map { .list($0.map { .text($0) }) },
                        ])
                    ]), "request": .hex(try CBOREncoder().encode(asking)),
                    "present": .hex(try CBOREncoder().encode(answering)),
                ])
        }
        try judge("all hold")
        try judge("trusted for this type", trusted: ["person"])
        try judge("trusted for another type", trusted: ["size"])
        try judge("nothing is presented", answer: { $0.presentations = [] })
        try judge("damaged", answer: { $0.presentations[0].presentation.removeLast() })
        try judge(
            "another signature",
            answer: { $0.presentations[0].presentation[$0.presentations[0].presentation.count - 1] ^= 1 })
        try judge("of another type", request: { $0.credentials[0].type = "pass" })
        try judge("another issuer is named", request: { $0.credentials[0].issuers = [issuer + "/"] })
        try judge("the own word is not enough", request: { $0.credentials[1].selfAsserted = nil })
        try judge("older than was asked for", request: { $0.maximumAge = 600 })
        try judge("expired", now: now + 86_460)
        try judge("made before it was asked for", now: now + 70, asked: now + 65)
        try judge("another request's", request: { $0.nonce = .zero })
        try judge("no token of the status list", answer: { $0.presentations[0].statusToken = nil })
        try judge("the token has expired", now: now + 660)
        try judge("a claim is not shown", request: { $0.credentials[0].claims = [WantedClaim(paths[1])] })
        try judge(
            "a claim is not what it has to be",
            request: { $0.credentials[0].claims[1].value = .bool(false) })
        try judge("a text where true is wanted", request: { $0.credentials[0].claims[0].value = .bool(true) })
        try judge("formats exchanged", answer: { $0.presentations[0].format = .sdJWT })
    }
}
