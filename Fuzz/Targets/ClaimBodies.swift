@testable import Handfast
@testable import HandfastClaims
@testable import HandfastCrypto
@testable import HandfastEncoding

extension FuzzTarget {
    static let claimBodies = [
        FuzzTarget(name: "claim-request", seeds: claimRequestSeeds, run: claimRequest),
        FuzzTarget(name: "claim-presentation", seeds: claimPresentationSeeds, run: claimPresentation),
        FuzzTarget(name: "claim-result", seeds: claimResultSeeds, run: claimResult),
        FuzzTarget(name: "claim-path", seeds: claimPathSeeds, run: claimPath),
    ]

    /// A body that is read is in order, and reads the same once it is written again.
    private static func read<Body: RecordBody>(_ input: [UInt8], as type: Body.Type) throws -> Body? {
        guard let body = accepted({ try Body.decode(input) }) else { return nil }
        try BrokenPromise.unless(body.fault == nil, "a body is read that is out of bounds")
        let written = try CBOREncoder().encode(body)
        try BrokenPromise.unless(written.count <= input.count, "a body grows when it is written")
        let again = accepted { try Body.decode(written) }
        try BrokenPromise.unless(again == body, "a body changes when it is written again")
        return body
    }

    // MARK: - Request

    /// A request of any values: bounded, and of paths that can be shown and typed.
    @Sendable private static func claimRequest(_ input: [UInt8]) throws {
        guard let request = try read(input, as: ClaimRequest.self) else { return }
        try BrokenPromise.unless((1...8).contains(request.credentials.count), "a request has no or nine queries")
        for claim in request.credentials.flatMap(\.claims) {
            try BrokenPromise.unless(ClaimPath(text: claim.path.text) == claim.path, "a path changes when it is shown")
        }
        let answer = ClaimPresentation(refusing: 1)
        let verifier = ClaimVerifier(
            audience: try Fixture.shared.get().inviter.id, peer: try Fixture.shared.get().inviter.id,
            peerKey: try Fixture.shared.get().inviter.signingKey.publicKey, issuers: [], now: 1)
        let judged = verifier.judge(answer, to: request, asked: 0)
        try BrokenPromise.unless(judged.shown.isEmpty, "something is proved of which nothing was shown")
        let result = ClaimResult(request: 1, presentation: 1, checks: judged.checks)
        try BrokenPromise.unless(result.fault == nil && !result.isAccepted, "the checks of a request are no result")
    }

    @Sendable private static func claimRequestSeeds() throws -> [[UInt8]] {
        let paths = ["age_over_18", "address.#3[].lines[1]", "#-501"].compactMap { ClaimPath(text: $0) }
        let wanted = zip(paths, [ClaimValue.bool(true), .text("FR"), .integer(-7)]).map(WantedClaim.init)
        let query = CredentialQuery(
            type: "https://id.example/person", claims: wanted, issuers: ["https://id.example"], selfAsserted: true)
        return try [
            ClaimRequest(
                purpose: "dpv:AgeVerification", description: "Wine is for adults",
                credentials: [query, CredentialQuery(type: "name")], maximumAge: 86_400, nonce: .zero),
            ClaimRequest(purpose: "p", credentials: [CredentialQuery(type: "t")], nonce: .zero),
        ].map { try CBOREncoder().encode($0) }
    }

    // MARK: - Presentation and result

    /// An answer of any values: what it shows is no proof of anything.
    @Sendable private static func claimPresentation(_ input: [UInt8]) throws {
        guard let answer = try read(input, as: ClaimPresentation.self) else { return }
        try BrokenPromise.unless(answer.isRefusal || answer.reason == nil, "an answer shows something and refuses")
        let queries = Array(repeating: CredentialQuery(type: "t", selfAsserted: true), count: 8)
        let request = ClaimRequest(purpose: "p", credentials: queries, nonce: .zero)
        let verifier = ClaimVerifier(
            audience: try Fixture.shared.get().inviter.id, peer: try Fixture.shared.get().inviter.id,
            peerKey: try Fixture.shared.get().inviter.signingKey.publicKey, issuers: [], now: 1_790_000_000)
        let judged = verifier.judge(answer, to: request, asked: 0)
        try BrokenPromise.unless(judged.shown.isEmpty, "something is proved that nobody signed")
        let result = ClaimResult(request: 1, presentation: 1, checks: judged.checks)
        try BrokenPromise.unless(result.fault == nil, "what is said of an answer is no result")
    }

    @Sendable private static func claimPresentationSeeds() throws -> [[UInt8]] {
        try [
            ClaimPresentation(
                to: 3,
                [
                    PresentedCredential(query: 0, format: .sdCWT, presentation: [0xD2, 0x84], statusToken: [0xD2]),
                    PresentedCredential(query: 7, format: .sdJWT, presentation: Array("e30.e30.~e30.e30.".utf8)),
                ]),
            ClaimPresentation(refusing: 1, reason: "not today"),
        ].map { try CBOREncoder().encode($0) }
    }

    /// A result of any values: accepted only if nothing failed or was left out.
    @Sendable private static func claimResult(_ input: [UInt8]) throws {
        guard let result = try read(input, as: ClaimResult.self) else { return }
        let isWhole = result.checks.allSatisfy { $0.outcome != .failed && $0.outcome != .skipped }
        try BrokenPromise.unless(result.isAccepted == isWhole, "a result is accepted of which a check did not hold")
    }

    @Sendable private static func claimResultSeeds() throws -> [[UInt8]] {
        try [ClaimCheck.Outcome.held, .failed].map { outcome in
            let checks = ClaimCheck.Name.allCases.map {
                ClaimCheck(query: 0, check: $0, outcome: outcome, reason: outcome == .failed ? "so" : nil)
            }
            return try CBOREncoder().encode(ClaimResult(request: 1, presentation: 2, checks: checks))
        }
    }

    // MARK: - Paths

    /// A path as a person types it.
    @Sendable private static func claimPath(_ input: [UInt8]) throws {
        guard let text = String(validating: input, as: UTF8.self), let path = ClaimPath(text: text) else { return }
        try BrokenPromise.unless((1...16).contains(path.steps.count), "a path has no step, or too many")
        try BrokenPromise.unless(ClaimPath(text: path.text) == path, "a path changes when it is written again")
    }

    @Sendable private static func claimPathSeeds() throws -> [[UInt8]] {
        ["age_over_18", "address.city", "degrees[0].name", "nationalities[]", "#501.a\\.b\\[", "a.#-3"].map {
            Array($0.utf8)
        }
    }
}
