import Foundation
import Testing

extension EndToEndTests {
    /// Several credentials asked for at once, and presentations verified from files, without a vault.
    @Suite(.serialized)
    struct ClaimFileTests {
        private struct Saved: Decodable {
            let audience: String
            let nonce: String
            let asked: UInt64
            let answered: UInt64
        }

        private struct Judged: Decodable {
            struct Check: Decodable {
                let query: Int
                let check: String
                let outcome: String
            }
            struct Shown: Decodable {
                struct Claim: Decodable {
                    let claim: String
                    let value: String
                }
                let type: String
                let issuer: String
                let claims: [Claim]
            }
            let state: String
            let checks: [Check]
            let shown: [Shown]

            var failed: [String] { checks.filter { $0.outcome == "failed" }.map { "\($0.query) \($0.check)" } }
        }

        private struct Requests: Decodable {
            struct Request: Decodable {
                let number: UInt64
                let state: String
                let reason: String?
            }
            let requests: [Request]
        }

        private static let queries = """
            [{"type": "https://id.example/person", "claims": {"age_over_18": true}},
             {"type": "https://id.example/member", "claims": {"level": 3, "city": null}}]
            """

        /// A shop has asked Ann for two credentials at once and has saved what she presented.
        private struct Answer {
            let scene: Scene
            let shop: Party
            let ann: Party
            let saved: Saved
            let number: UInt64
            let trust: String

            init(in scene: Scene, format: String) async throws {
                self.scene = scene
                let couple = try await Couple(in: scene)
                (shop, ann) = (couple.shop, couple.ann)
                let (key, list) = ("\(scene.folder)/issuer.jwk", "\(scene.folder)/people.list")
                let jwk = try await Tool.run(["status", "key", key], in: scene).output
                trust = "\(scene.folder)/issuers.json"
                let issuers = #"{"issuers": [{"issuer": "https://id.example", "keys": [\#(jwk)]}]}"#
                for path in [trust, "\(ann.vault)/issuers.json", "\(shop.vault)/issuers.json"] {
                    try issuers.write(toFile: path, atomically: true, encoding: .utf8)
                }
                try await Self.run(["status", "create", list, "--uri", "https://id.example/status/1"], in: scene)
                for (type, claims) in [
                    ("person", #"{"age_over_18": true, "birthdate": "1990-01-01"}"#),
                    ("member", #"{"level": 3, "city": "Lyon", "name": "Ann"}"#),
                ] {
                    // What a QR code holds comes in by standard input.
                    let (keys, file) = ("\(scene.folder)/\(type).keys", "\(scene.folder)/\(type).credential")
                    try claims.write(toFile: "\(file).json", atomically: true, encoding: .utf8)
                    try await ann.done(["credential", "request", "--label", type, "--copies", "2", "--output", keys])
                    let issue = [
                        "credential", "issue", "-", "--claims", "\(file).json", "--type", "https://id.example/\(type)",
                        "--issuer", "https://id.example", "--key", key, "--format", format, "--status", list,
                        "--output",
                        file,
                    ]
                    try await Self.run(issue, in: scene, input: try String(contentsOfFile: keys, encoding: .utf8))
                    try await ann.done(
                        ["credential", "import", "-"], input: try String(contentsOfFile: file, encoding: .utf8))
                }
                let token = "\(scene.folder)/token"
                try await Self.run(["status", "publish", list, "--key", key, "--output", token], in: scene)
                try await ann.done(["credential", "import", "--status-token", token])

                let queries = "\(scene.folder)/queries.json"
                try ClaimFileTests.queries.write(toFile: queries, atomically: true, encoding: .utf8)
                try await shop.done(["claim", "request", "Ann", "--purpose", "p", "--queries", queries])
                let (shop, ann) = (shop, ann)
                number = try await Party.until("the request did not come") {
                    try await ann.ask(Requests.self, "claim", "requests").requests.first?.number
                }
                try await ann.done(["claim", "present", "Shop", "\(number)", "--yes"])
                let state = try await Party.until("the answer did not come") {
                    try await shop.ask(Requests.self, "claim", "requests", "--all").requests.first {
                        $0.state != "open"
                    }
                }
                #expect(state.state == "accepted", "\(state.reason ?? "")")
                saved = try await shop.ask(
                    Saved.self, "claim", "save", "Ann", "\(number)", "\(scene.folder)/presentation")
            }

            private static func run(_ arguments: [String], in scene: Scene, input: String = "") async throws {
                let result = try await Tool.run(arguments, in: scene, input: input)
                guard result.status == 0 else { throw Tool.UnexpectedEnd(arguments: arguments, result: result) }
            }

            /// Verifies the saved file, or another, with what was asked for, or something else.
            func verify(
                _ file: String? = nil, audience: String? = nil, nonce: String? = nil, queries: String? = nil,
                issuers: String? = nil, at time: UInt64? = nil
            ) async throws -> (status: Int32, judged: Judged) {
                let queryFile = scene.newFile("queries")
                try (queries ?? ClaimFileTests.queries).write(toFile: queryFile, atomically: true, encoding: .utf8)
                let result = try await Tool.run(
                    [
                        "claim", "verify", file ?? "\(scene.folder)/presentation", "--issuers", issuers ?? trust,
                        "--audience", audience ?? saved.audience, "--nonce", nonce ?? saved.nonce, "--queries",
                        queryFile,
                        "--asked", "\(saved.asked)", "--at", "\(time ?? saved.answered)", "--json",
                    ], in: scene)
                return (result.status, try result.json(Judged.self))
            }

            /// The file with another text.
            func changed(_ change: (String) -> String) throws -> String {
                let text = try String(contentsOfFile: "\(scene.folder)/presentation", encoding: .utf8)
                let file = scene.newFile("changed")
                try change(text).write(toFile: file, atomically: true, encoding: .utf8)
                return file
            }
        }

        @Test(arguments: ["cwt", "jwt"])
        func aSavedPresentationIsVerifiedByItsFileAlone(format: String) async throws {
            try await Scene.play { scene in
                let answer = try await Answer(in: scene, format: format)
                let (status, judged) = try await answer.verify()
                #expect(status == 0 && judged.state == "accepted", "\(judged.failed)")
                #expect(judged.checks.count == 20 && judged.checks.allSatisfy { $0.outcome == "held" })
                #expect(judged.shown.map(\.type) == ["https://id.example/person", "https://id.example/member"])
                #expect(
                    judged.shown.map { $0.claims.map { "\($0.claim)=\($0.value)" }.sorted() } == [
                        ["age_over_18=true"], [#"city="Lyon""#, "level=3"],
                    ])

                // Each check fails by itself, is named, and nothing counts as shown.
                let strangers = "\(scene.folder)/strangers.json"
                let jwk = try await Tool.run(["status", "key", "\(scene.folder)/other.jwk"], in: scene).output
                try #"{"issuers": [{"issuer": "https://id.example", "keys": [\#(jwk)]}]}"#.write(
                    toFile: strangers, atomically: true, encoding: .utf8)
                let nobody = "\(scene.folder)/nobody.json"
                try #"{"issuers": []}"#.write(toFile: nobody, atomically: true, encoding: .utf8)
                let person = #"{"type": "https://id.example/person", "claims": {"age_over_18": true}}"#
                let refusals: [(String, (status: Int32, judged: Judged))] = [
                    ("0 audience", try await answer.verify(audience: "https://other.example")),
                    ("0 nonce", try await answer.verify(nonce: "AAAAAAAAAAAAAAAAAAAAAA")),
                    ("0 nonce", try await answer.verify(nonce: "-AAAAAAAAAAAAAAAAAAAAA")),
                    ("0 nonce", try await answer.verify(nonce: "not base64url")),
                    ("0 issuer", try await answer.verify(issuers: nobody)),
                    ("0 signature", try await answer.verify(issuers: strangers)),
                    ("0 time", try await answer.verify(at: answer.saved.answered + 400 * 86_400)),
                    ("0 status", try await answer.verify(at: answer.saved.answered + 2 * 86_400)),
                    ("0 type", try await answer.verify(queries: #"[{"type": "https://id.example/member"}]"#)),
                    ("0 query", try await answer.verify(queries: "[\(person.replacing("true", with: "false"))]")),
                    (
                        "1 query",
                        try await answer.verify(
                            queries:
                                "[\(person), {\"type\": \"https://id.example/member\", \"claims\": {\"name\": null}}]")
                    ),
                    ("2 form", try await answer.verify(queries: ClaimFileTests.queries.dropLast() + ", \(person)]")),
                ]
                for (check, refused) in refusals {
                    #expect(refused.status == 1 && refused.judged.state == "rejected", "\(check)")
                    #expect(refused.judged.failed.contains(check), "\(check): \(refused.judged.failed)")
                    #expect(refused.judged.shown.isEmpty, "\(check)")
                }
                let unstapled = try answer.changed { $0.replacing("statusToken", with: "statustoken") }
                #expect(try await answer.verify(unstapled).judged.failed == ["0 status", "1 status"])

                // What cannot be read is not judged.
                let torn = try answer.changed { String($0.prefix(40)) }
                let result = try await Tool.run(
                    [
                        "claim", "verify", torn, "--issuers", answer.trust, "--audience", "a", "--nonce", "n", "--type",
                        "t",
                    ], in: scene)
                #expect(result.status == 65 && result.errors.contains("claim save"))
            }
        }

        @Test func whatDoesNotFitIntoACodeIsSaid() async throws {
            try await Scene.play { scene in
                let relay = try await scene.startRelay().address
                let ann = try await scene.makeParty("Ann", relay: relay)
                let (keys, svg) = ("\(scene.folder)/keys", "\(scene.folder)/keys.svg")
                let request = ["credential", "request", "--label", "ID", "--output", keys, "--svg", svg]
                try await ann.done(request + ["--copies", "2"])
                #expect(try String(contentsOfFile: svg, encoding: .utf8).contains("QR code of a request for 2 copies"))
                let failed = try await ann.run(request + ["--copies", "100"])
                #expect(failed.status == 73 && failed.errors.contains("2953") && failed.errors.contains("file"))
                let shown = try await ann.done(request + ["--copies", "2", "--qr"]).output
                #expect(shown.contains("█") && shown.contains("Wrote the keys of 2 copies"))
            }
        }
    }
}
