internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding

/// The bodies with which claims are asked for, shown and judged.
///
/// - Source: Spec/10 §10.9
enum ClaimVectors: VectorLayer {
    static let name = "claim"

    static let operations: [String: VectorOperation] = [
        "request": request, "present": present, "result": result, "judge": judge,
    ]

    private static func encoded(_ body: some RecordBody) throws -> VectorValue {
        .hex(try CBOREncoder().encode(body))
    }

    // MARK: - Request

    private static func request(_ input: VectorFields) throws -> VectorFields {
        let body = try ClaimRequest.decode(input.bytes("body"))
        return [
            "encoded": try encoded(body), "purpose": .text(body.purpose),
            "description": body.description.map { .text($0) }, "credentials": .list(body.credentials.map(query)),
            "maximumAge": body.maximumAge.map { .number($0) }, "nonce": .hex(body.nonce.array),
        ]
    }

    private static func query(_ query: CredentialQuery) -> VectorValue {
        .object([
            "type": .text(query.type),
            "claims": .list(
                query.claims.map {
                    .object(["path": VectorClaims.value($0.path), "value": $0.value.map(value)])
                }),
            "issuers": query.issuers.map { .list($0.map { .text($0) }) },
            "selfAsserted": query.selfAsserted.map { .flag($0) },
        ])
    }

    /// A value with its type, as in the layer `cbor`.
    private static func value(_ value: ClaimValue) -> VectorValue {
        switch value {
        case .bool(let flag): .object(["bool": .flag(flag)])
        case .integer(let number): .object(["int": .text(String(number))])
        case .text(let text): .object(["text": .text(text)])
        }
    }

    // MARK: - Presentation and result

    private static func present(_ input: VectorFields) throws -> VectorFields {
        let body = try ClaimPresentation.decode(input.bytes("body"))
        return [
            "encoded": try encoded(body), "request": .number(body.request),
            "presentations": .list(
                body.presentations.map {
                    .object([
                        "query": .number($0.query), "format": .text($0.format.rawValue),
                        "presentation": .hex($0.presentation), "statusToken": .hex($0.statusToken),
                    ])
                }), "reason": body.reason.map { .text($0) },
        ]
    }

    private static func result(_ input: VectorFields) throws -> VectorFields {
        let body = try ClaimResult.decode(input.bytes("body"))
        return [
            "encoded": try encoded(body), "request": .number(body.request), "presentation": .number(body.presentation),
            "checks": .list(
                body.checks.map {
                    .object([
                        "query": .number($0.query), "check": .text($0.check.rawValue),
                        "outcome": .text($0.outcome.rawValue), "reason": $0.reason.map { .text($0) },
                    ])
                }), "isAccepted": .flag(body.isAccepted),
        ]
    }
}
