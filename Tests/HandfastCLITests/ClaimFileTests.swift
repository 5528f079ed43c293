import Foundation
import Handfast
import HandfastClaims
import HandfastCrypto
import HandfastEncoding
import HandfastNode
import Testing

@testable import HandfastCLI

/// Files, pasted texts and QR codes of claims, read and refused.
@Suite struct ClaimFileTests {
    // MARK: Queries

    @Test func aFileAsksForSeveralCredentials() throws {
        let text = """
            [{"type": "person", "claims": {"age_over_18": true, "address.city": null, "level": -3},
              "issuers": ["https://id.example"]},
             {"type": "address", "claims": {"zip": "75001"}, "selfAsserted": true}, {"type": "card"}]
            """
        let queries = try QueryFile(decoding: Array(text.utf8), named: "it").queries
        #expect(queries.map(\.type) == ["person", "address", "card"])
        #expect(
            Set(queries[0].claims)
                == [
                    WantedClaim(try Self.path("age_over_18"), value: .bool(true)),
                    WantedClaim(try Self.path("address.city")),
                    WantedClaim(try Self.path("level"), value: .integer(-3)),
                ])
        #expect(queries[0].issuers == ["https://id.example"] && queries[0].selfAsserted == nil)
        #expect(queries[1].claims == [WantedClaim(try Self.path("zip"), value: .text("75001"))])
        #expect(queries[1].selfAsserted == true && queries[2].claims.isEmpty)

        let again = Array(QueryFile.document(of: queries).jsonText.utf8)
        #expect(
            Set(try QueryFile(decoding: again, named: "it").queries.flatMap(\.claims)) == Set(queries.flatMap(\.claims))
        )
    }

    @Test(arguments: [
        ("", "not JSON"), ("{}", "no list"), ("[]", "no list"), ("[{}]", "no type"), (#"[{"type": 3}]"#, "no type"),
        (#"[{"type": "t", "claim": {}}]"#, "unknown"),
        (#"[{"type": "t", "claims": ["age"]}]"#, "not what it has to be"),
        (#"[{"type": "t", "claims": {"a..b": null}}]"#, "no path"),
        (#"[{"type": "t", "claims": {"a": 0.5}}]"#, "has to be"),
        (#"[{"type": "t"}, {"type": "t", "issuers": [1]}]"#, "query 2"),
        ("[" + Array(repeating: #"{"type": "t"}"#, count: 9).joined(separator: ",") + "]", "1 to 8"),
    ])
    func refusesAFileOfQueriesAndSaysWhy(text: String, reason: String) {
        let failure = #expect(throws: Failure.self) {
            _ = try QueryFile(decoding: Array(text.utf8), named: "the file")
        }
        #expect(failure?.kind == .badData && failure?.message.contains(reason) == true, "\(failure?.message ?? "")")
    }

    private static func path(_ text: String) throws -> ClaimPath { try #require(ClaimPath(text: text)) }

    // MARK: Presentations

    @Test func presentationsComeInEveryForm() throws {
        let cwt: [UInt8] = [0xD2, 0x84, 0x40, 0xA0, 0x40, 0x40]
        let jwt = "eyJ.e30.AA~WyJ~KB"
        let one = try PresentationFile(decoding: cwt, named: "it").presentations
        #expect(one == [PresentedCredential(query: 0, format: .sdCWT, presentation: cwt)])
        let pasted = Array((Base64URL.encode(cwt) + "\r\n").utf8)
        #expect(try PresentationFile(decoding: pasted, named: "it").presentations == one)
        let text = try PresentationFile(decoding: Array((jwt + "\n").utf8), named: "it").presentations
        #expect(text == [PresentedCredential(query: 0, format: .sdJWT, presentation: Array(jwt.utf8))])

        let all = [
            PresentedCredential(query: 0, format: .sdCWT, presentation: cwt, statusToken: [1, 2]),
            PresentedCredential(query: 2, format: .sdJWT, presentation: Array(jwt.utf8)),
        ]
        let file = PresentationFile(all).document.jsonText + "\n"
        #expect(try PresentationFile(decoding: Array(file.utf8), named: "it").presentations == all)
    }

    @Test(arguments: [
        "{", "{}", #"{"presentations": []}"#, #"{"presentations": [{}]}"#, "0not*base64",
        #"{"presentations": [{"query": 8, "format": "dc+sd-cwt", "presentation": "0oQ"}]}"#,
        #"{"presentations": [{"query": 0, "format": "mdoc", "presentation": "0oQ"}]}"#,
        #"{"presentations": [{"query": 0, "format": "dc+sd-cwt", "presentation": "*"}]}"#,
    ])
    func refusesAFileWithoutPresentations(text: String) {
        let failure = #expect(throws: Failure.self) {
            _ = try PresentationFile(decoding: Array(text.utf8), named: "the file")
        }
        #expect(failure?.kind == .badData)
    }

    // MARK: Anonymous claims

    @Test(arguments: AnonymousPart.allCases) func partsAreReadAsTextAndFromAFile(part: AnonymousPart) throws {
        let bytes: [UInt8] = [0, 250, 3]
        let text = part.text(bytes)
        #expect(text.hasPrefix("handfast-anonymous:") && text.allSatisfy { $0.isASCII && !$0.isWhitespace })
        #expect(try part.read(text) == bytes)
        #expect(try part.read(" \(text)\n".inFile()) == bytes)
        for other in AnonymousPart.allCases where other != part {
            let failure = #expect(throws: Failure.self) { _ = try other.read(text) }
            #expect(failure?.message.contains(part.name) == true && failure?.message.contains(other.name) == true)
        }
    }

    @Test(arguments: [
        "", "handfast:AAAA", "handfast-anonymous:", "handfast-anonymous:nonce", "handfast-anonymous:ticket:AAAA",
        "handfast-anonymous:nonce:A*", "handfast-anonymous:nonce:AAAA handfast-anonymous:nonce:AAAA",
    ])
    func refusesATextThatIsNoPart(text: String) throws {
        let file = try text.inFile()
        let failure = #expect(throws: Failure.self) { _ = try AnonymousPart.nonce.read(file) }
        #expect(failure?.kind == .badData && failure?.hint.isEmpty == false)
    }

    @Test func blocklistsHoldPseudonymsAndNotesForPeople() throws {
        let master = SecretBytes(copying: [UInt8](repeating: 7, count: 32).bytes)
        let holder = try AnonymousHolderSecret(master: master)
        let pseudonyms = try [UInt8(1), 2].map { number in
            holder.pseudonym(in: .vendor(try Digest([UInt8](repeating: number, count: 32).bytes)))
        }
        let lines = pseudonyms.map { Base64URL.encode($0.point.array) }
        let file = try "# refused\n\n\(lines[0])  # broke the window\r\n\(lines[1])\n".inFile()
        #expect(try PseudonymList(at: file).pseudonyms == Set(pseudonyms))
        for bad in [
            "nobody", lines[0] + "A", lines[0] + " " + lines[1], Base64URL.encode([UInt8](repeating: 0, count: 32)),
        ] {
            let file = try "\(lines[0])\n\(bad)\n".inFile()
            let failure = #expect(throws: Failure.self) { _ = try PseudonymList(at: file) }
            #expect(failure?.message.contains("line 2") == true)
        }
    }

    @Test func claimsOfAnIssuerFitTheSchema() throws {
        let schema = try AnonymousSchema(type: "t", epochLength: 86_400, attributes: ["level", "city"])
        let values = try AnonymousClaimsFile(at: #"{"city": "Lyon", "level": -3}"#.inFile()).values(of: schema)
        #expect(values == [.integer(-3), .text("Lyon")])
        for bad in [
            #"{"level": 3}"#, #"{"level": true, "city": "Lyon"}"#, #"{"level": 3, "city": "Lyon", "name": "Ann"}"#,
            #"{"level": 0.5, "city": "Lyon"}"#, "[]", "{",
        ] {
            let file = try bad.inFile()
            #expect(throws: Failure.self) { _ = try AnonymousClaimsFile(at: file).values(of: schema) }
        }
    }

    @Test func anIssuersKeyIsForItsOwnerAlone() throws {
        let schema = try AnonymousSchema(type: "t", epochLength: 86_400, attributes: ["level"])
        let path = Self.newPath()
        let parameters = try AnonymousKeyFile.make(at: path, schema: schema)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        #expect(try AnonymousKeyFile.read(path).parameters == parameters)
        let again = #expect(throws: Failure.self) { _ = try AnonymousKeyFile.make(at: path, schema: schema) }
        #expect(again?.kind == .cannotCreate)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let open = #expect(throws: Failure.self) { _ = try AnonymousKeyFile.read(path).parameters }
        #expect(open?.kind == .notPermitted)
    }

    // MARK: QR codes

    @Test func aCodeHoldsWhatFitsAndSaysWhatDoesNot() throws {
        let text = String(repeating: "x", count: QRCode.maximumSize)
        #expect(try QRCode(text, of: "it").width == 177)
        let failure = #expect(throws: Failure.self) { _ = try QRCode(text + "x", of: "a request") }
        #expect(failure?.message.contains("a request has 2954 bytes") == true)
        #expect(failure?.message.contains("2953 at most") == true)
    }

    fileprivate static func newPath() -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("hf-\(UUID().uuidString)").path
    }
}

extension String {
    /// A new file with this text.
    fileprivate func inFile() throws -> String {
        let path = ClaimFileTests.newPath()
        try write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }
}
