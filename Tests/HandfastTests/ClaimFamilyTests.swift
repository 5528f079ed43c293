import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@testable import Handfast

@Suite struct ClaimFamilyTests {
    private static let nonce = FixedBytes<16>.zero

    private static func path(_ text: String) throws -> ClaimPath { try #require(ClaimPath(text: text)) }

    private static func request() throws -> ClaimRequest {
        ClaimRequest(
            purpose: "dpv:AgeVerification", description: "Wine is for adults",
            credentials: [
                CredentialQuery(
                    type: "https://id.example/person",
                    claims: [
                        WantedClaim(try path("age_over_18"), value: .bool(true)),
                        WantedClaim(try path("address.#3[].lines[1]")),
                        WantedClaim(try path("country"), value: .text("FR")),
                        WantedClaim(try path("#501"), value: .integer(-7)),
                    ], issuers: ["https://id.example"]),
                CredentialQuery(type: "name", claims: [], selfAsserted: true),
            ], maximumAge: 86_400, nonce: nonce)
    }

    private static func checks(_ queries: Int, failing: ClaimCheck.Name? = nil) -> [ClaimCheck] {
        (0..<queries).flatMap { query in
            ClaimCheck.Name.allCases.map { name in
                name == failing
                    ? ClaimCheck(query: query, check: name, outcome: .failed, reason: "it is so")
                    : ClaimCheck(query: query, check: name, outcome: name == .status ? .absent : .held)
            }
        }
    }

    @Test func bodiesComeBackAsTheyWere() throws {
        let request = try Self.request()
        #expect(request.fault == nil)
        let bytes = try CBOREncoder().encode(request)
        #expect(try CBORDecoder().decode(ClaimRequest.self, from: bytes) == request)
        let presentation = ClaimPresentation(
            to: 3,
            [
                PresentedCredential(query: 0, format: .sdCWT, presentation: [1], statusToken: [2]),
                PresentedCredential(query: 7, format: .sdJWT, presentation: [3]),
            ])
        #expect(presentation.fault == nil)
        #expect(
            try CBORDecoder().decode(ClaimPresentation.self, from: CBOREncoder().encode(presentation)) == presentation)
        let result = ClaimResult(request: 1, presentation: 2, checks: Self.checks(2, failing: .nonce))
        #expect(result.fault == nil && !result.isAccepted && result.failure?.check == .nonce)
        #expect(try CBORDecoder().decode(ClaimResult.self, from: CBOREncoder().encode(result)) == result)
        #expect(ClaimResult(request: 1, presentation: 2, checks: Self.checks(1)).isAccepted)
    }

    @Test(arguments: ["a", "address.city", "a[0].b[]", "#501", "#-3.x", "a.#4", "a\\.b.c\\[d", "[2]", "a.\u{301}b"])
    func pathsAreWrittenAsTheyAreRead(_ text: String) throws {
        #expect(try Self.path(text).text == text)
    }

    @Test(arguments: ["", ".", "a.", "a..b", "a[", "a[x]", "a[-1]", "a]", "#x", "a#1", "[]a", "a\\"])
    func refusesWhatIsNoPath(_ text: String) {
        #expect(ClaimPath(text: text) == nil)
    }

    @Test func everyBoundOfARequestIsKept() throws {
        func refused(_ reason: String, _ change: (inout ClaimRequest) throws -> Void) throws {
            var request = try Self.request()
            try change(&request)
            #expect(request.fault == reason)
            #expect(throws: RelationshipError.malformedBody(.claimRequest, reason: reason)) {
                try NewRecord(request)
            }
        }
        try refused("purpose is empty") { $0.purpose = "" }
        try refused("purpose holds control characters") { $0.purpose = "a\u{202E}b" }
        try refused("description is longer than 1024 bytes") { $0.description = String(repeating: "a", count: 1_025) }
        try refused("credentials are not 1 to 8") { $0.credentials = [] }
        try refused("credentials are not 1 to 8") {
            $0.credentials = Array(repeating: CredentialQuery(type: "a"), count: 9)
        }
        try refused("maximumAge is 0") { $0.maximumAge = 0 }
        try refused("type is empty") { $0.credentials[0].type = "" }
        try refused("a claim is asked for twice") { $0.credentials[0].claims.append($0.credentials[0].claims[0]) }
        try refused("there are more than 64 claims") {
            $0.credentials[0].claims = try (0...64).map { WantedClaim(try Self.path("c\($0)")) }
        }
        try refused("issuers are not 1 to 16") { $0.credentials[0].issuers = [] }
        try refused("issuer is empty") { $0.credentials[0].issuers = [""] }
        try refused("value is longer than 256 bytes") {
            $0.credentials[0].claims[0].value = .text(String(repeating: "a", count: 257))
        }
        try refused("path is longer than 256 bytes") {
            $0.credentials[0].claims[0].path = try Self.path(String(repeating: "a", count: 257))
        }
    }

    @Test func everyBoundOfAnAnswerIsKept() {
        func fault(_ change: (inout ClaimPresentation) -> Void) -> String? {
            var answer = ClaimPresentation(
                to: 1, [PresentedCredential(query: 0, format: .sdCWT, presentation: [1])])
            change(&answer)
            return answer.fault
        }
        #expect(fault { $0.request = 0 } == "request is 0")
        #expect(fault { $0.reason = "no" } == "reason stands beside presentations")
        #expect(fault { $0.presentations.append($0.presentations[0]) } == "queries are not in order")
        #expect(fault { $0.presentations[0].query = 8 } == "query is not 0 to 7")
        #expect(fault { $0.presentations[0].presentation = [] } == "presentation is not 1 to 49152 bytes")
        #expect(
            fault { $0.presentations[0].statusToken = Array(repeating: 0, count: 49_153) }
                == "statusToken is not 1 to 49152 bytes")
        #expect(ClaimPresentation(refusing: 1, reason: "").fault == "reason is empty")
        #expect(ClaimPresentation(refusing: 1).fault == nil)
    }

    @Test func everyBoundOfAResultIsKept() {
        func fault(_ change: (inout ClaimResult) -> Void) -> String? {
            var result = ClaimResult(request: 1, presentation: 1, checks: Self.checks(1))
            change(&result)
            return result.fault
        }
        #expect(fault { $0.presentation = 0 } == "request or presentation is 0")
        #expect(fault { $0.checks = [] } == "there are not 10 checks of each of 1 to 8 queries")
        #expect(fault { $0.checks.removeLast() } == "there are not 10 checks of each of 1 to 8 queries")
        #expect(fault { $0.checks.swapAt(0, 1) } == "checks are not in order")
        #expect(
            fault { $0.checks[0].reason = "because" } == "reason stands beside a check that has not failed")
    }

    @Test func aRequestIsAnsweredAndJudgedInTheLedger() throws {
        let meeting = try Meeting.live()
        let (ann, shop) = (meeting.invitee, meeting.inviter)
        let request = try Self.request()
        #expect(try ann.receive(shop.append(.claimRequest, request)) == .accepted(.claimsRequested(request)))
        let number = ann.relationship.peerHead.sequence
        let refusal = ClaimPresentation(refusing: number, reason: "not today")
        #expect(try shop.receive(ann.append(.claimPresentation, refusal)) == .accepted(.claimsPresented(refusal)))
        let result = ClaimResult(
            request: number, presentation: shop.relationship.peerHead.sequence, checks: Self.checks(2))
        #expect(try ann.receive(shop.append(.claimResult, result)) == .accepted(.claimsJudged(result)))
    }
}
