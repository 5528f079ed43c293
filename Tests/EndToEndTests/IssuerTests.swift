import Foundation
import Testing

extension EndToEndTests {
    /// Issuers that publish their keys over real HTTPS.
    @Suite(.serialized)
    struct IssuerTests {
        private struct Issuers: Decodable {
            struct Issuer: Decodable {
                struct Key: Decodable {
                    let name: String?
                }
                let issuer: String
                let keys: [Key]
                let types: [String]?
                let url: String?
                let fetched: UInt64?
                let trouble: String?
                let isUsable: Bool
            }
            let issuers: [Issuer]
        }

        private struct Requests: Decodable {
            struct Request: Decodable {
                struct Check: Decodable {
                    let check: String
                    let outcome: String
                }
                let number: UInt64
                let state: String
                let checks: [Check]
                let reason: String?
            }
            let requests: [Request]
        }

        private static let name = "https://id.example"
        private static let type = "https://id.example/person"

        /// The web server of an issuer, and its files.
        private struct Site {
            let scene: Scene
            let folder: String
            let certificate: WebCertificate
            let port: String
            let daemon: Daemon

            init(in scene: Scene) async throws {
                self.scene = scene
                folder = scene.newFile("site")
                try FileManager.default.createDirectory(
                    atPath: "\(folder)/.well-known", withIntermediateDirectories: true)
                certificate = try await WebCertificate.make(for: "id.example", in: scene)
                daemon = try await scene.start(
                    [
                        "-C", folder, "openssl", "s_server", "-accept", "127.0.0.1:0", "-no_dhe", "-HTTP", "-cert",
                        certificate.chain, "-key", certificate.privateKey,
                    ], program: "/usr/bin/env")
                port = try #require(daemon.firstLine.split(separator: ":").last.map(String.init))
            }

            /// What a party needs to reach the site.
            var environment: [String: String] {
                [
                    "HANDFAST_WEB_ROUTES": "id.example=127.0.0.1:\(port)", "HANDFAST_WEB_ALLOW_PRIVATE": "true",
                    "HANDFAST_WEB_ROOTS": certificate.authority,
                ]
            }

            /// Makes a key of the issuer, and gives its public half.
            func makeKey(_ id: String) async throws -> String {
                try await run(["status", "key", file(id), "--key-id", id])
            }

            func file(_ id: String) -> String { "\(scene.folder)/\(id).jwk" }

            /// Serves these keys from now on.
            func publish(_ keys: String..., as issuer: String = IssuerTests.name) throws {
                try serve(#"{"issuer": "\#(issuer)", "jwks": {"keys": [\#(keys.joined(separator: ","))]}}"#)
            }

            func serve(_ text: String, status: String = "200 OK", location: String? = nil) throws {
                let head = "HTTP/1.1 \(status)\r\nConnection: close\r\nContent-Length: \(text.utf8.count)\r\n"
                let redirect = location.map { "Location: \($0)\r\n" } ?? ""
                try Data("\(head)\(redirect)\r\n\(text)".utf8).write(
                    to: URL(fileURLWithPath: "\(folder)/.well-known/jwt-vc-issuer"), options: .atomic)
            }

            @discardableResult
            func run(_ arguments: [String]) async throws -> String {
                let result = try await Tool.run(arguments, in: scene)
                guard result.status == 0 else { throw Tool.UnexpectedEnd(arguments: arguments, result: result) }
                return result.output
            }

            /// Issues a credential, signed with the key of a name.
            func issue(_ claim: String, to party: Party, with key: String, format: String) async throws {
                let base = "\(scene.folder)/\(party.name)-\(key)"
                try #"{"\#(claim)": true}"#.write(toFile: "\(base).json", atomically: true, encoding: .utf8)
                try await party.done(["credential", "request", "--label", key, "--output", "\(base).keys"])
                try await run([
                    "credential", "issue", "\(base).keys", "--claims", "\(base).json", "--type", IssuerTests.type,
                    "--issuer", IssuerTests.name, "--key", file(key), "--key-id", key, "--format", format,
                    "--output", "\(base).credential",
                ])
                try await party.done(["credential", "import", "\(base).credential"])
            }
        }

        /// The customer and the vendor trust the issuer by its address; the vendor meets each new key in a presentation.
        @Test(arguments: ["cwt", "jwt"])
        func anIssuerThatRotatesItsKeyIsStillTakenAtItsWord(format: String) async throws {
            try await Scene.play { scene in
                let site = try await Site(in: scene)
                let one = try await site.makeKey("one")
                try site.publish(one)
                let relay = try await scene.startRelay().address
                var ann = try await scene.makeParty("Ann", relay: relay)
                var wine = try await scene.makeParty("Wine", relay: relay)
                (ann.environment, wine.environment) = (site.environment, site.environment)
                for party in [ann, wine] {
                    _ = try await party.startNode()
                    let trusted = try await party.ask(Issuers.self, "issuer", "trust", Self.name).issuers
                    #expect(trusted.map(\.issuer) == [Self.name] && trusted[0].keys.map(\.name) == ["one"])
                    #expect(trusted[0].url == "\(Self.name)/.well-known/jwt-vc-issuer" && trusted[0].fetched != nil)
                }
                try await ann.done(["accept", try await wine.invite(label: "Ann"), "--label", "Wine"])
                try await ann.wait("Wine") { $0.state == "live" }
                try await wine.wait("Ann") { $0.state == "live" }
                try await ann.done(["claim", "rules", "--add", "answer"])
                try await site.issue("age_over_18", to: ann, with: "one", format: format)
                let first = try await Self.ask("age_over_18", wine, after: 0)
                #expect(first.state == "accepted", "\(first.reason ?? "")")

                // Ann's node asks for the new key when she takes her new credential, the vendor's when it is shown.
                try site.publish(try await site.makeKey("two"))
                try await site.issue("age_over_21", to: ann, with: "two", format: format)
                let second = try await Self.ask("age_over_21", wine, after: first.number)
                #expect(second.state == "accepted", "\(second.reason ?? "")")
                for party in [ann, wine] {
                    let issuers = try await party.ask(Issuers.self, "issuer", "list").issuers
                    #expect(issuers.map { $0.keys.map(\.name) } == [["two"]])
                }

                // The issuer no longer stands by its old key; it is not asked again within the hour.
                let third = try await Self.ask("age_over_18", wine, after: second.number)
                #expect(third.state == "rejected" && third.checks.first { $0.outcome == "failed" }?.check == "issuer")
            }
        }

        /// The vendor asks, and waits for what comes of it.
        private static func ask(
            _ claim: String, _ vendor: Party, after number: UInt64
        ) async throws -> Requests.Request {
            try await vendor.done([
                "claim", "request", "Ann", "--purpose", "dpv:AgeVerification", "--type", type, "--claim",
                "\(claim)=true",
            ])
            return try await Party.until("no answer was judged") {
                try await vendor.ask(Requests.self, "claim", "requests", "Ann", "--all").requests
                    .last { $0.number > number && $0.state != "open" && $0.state != "presented" }
            }
        }

        /// The pitfall of requests that a stranger's redirect or name service leads inside: the host stays, the address is
        /// judged and then the one that is reached.
        @Test func whatAnIssuerServesIsTakenOnlyIfItIsInOrder() async throws {
            try await Scene.play { scene in
                let site = try await Site(in: scene)
                let key = try await site.makeKey("one")
                var ann = try await scene.makeParty("Ann", relay: try await scene.startRelay().address)
                ann.environment = site.environment
                func refused(_ words: String, status: Int32 = 65) async throws {
                    let result = try await ann.run(["issuer", "trust", Self.name])
                    #expect(result.status == status && result.errors.contains(words), "\(words): \(result.errors)")
                    #expect(try await ann.ask(Issuers.self, "issuer", "list").issuers.isEmpty)
                }
                try site.publish(key, as: "https://other.example")
                try await refused("about another issuer")
                try site.serve("[")
                try await refused("not JSON")
                try site.serve(String(repeating: " ", count: 70_000))
                try await refused("more than 65536 bytes", status: 69)
                try site.serve("", status: "404 Not Found")
                try await refused("status 404", status: 69)
                try site.serve("", status: "302 Found", location: "https://other.example/keys")
                try await refused("another host", status: 69)
                try site.publish(key)
                ann.environment["HANDFAST_WEB_ALLOW_PRIVATE"] = nil
                try await refused("private address", status: 69)
                ann.environment = site.environment
                ann.environment["HANDFAST_WEB_ROOTS"] = nil
                try await refused("certificate", status: 69)
                ann.environment = site.environment
                #expect(try await ann.run(["issuer", "trust", "http://id.example"]).status == 64)
                try await ann.done(["issuer", "trust", Self.name, "--type", Self.type])
                let trusted = try await ann.ask(Issuers.self, "issuer", "list").issuers
                #expect(trusted.count == 1 && trusted[0].types == [Self.type] && trusted[0].isUsable)
            }
        }

        @Test func keysThatCannotBeFetchedAgainAreUsedForSevenDays() async throws {
            try await Scene.play { scene in
                let site = try await Site(in: scene)
                try site.publish(try await site.makeKey("one"))
                var ann = try await scene.makeParty("Ann", relay: try await scene.startRelay().address)
                ann.environment = site.environment
                try await ann.done(["issuer", "trust", Self.name])
                await site.daemon.stop(SIGKILL)
                for (days, isUsable) in [(2, true), (8, false)] {
                    let node = try await ann.startNode(
                        environment: ["HANDFAST_TEST_CLOCK_OFFSET": "\(days * 86_400)"])
                    try await Party.until("the keys were not asked for") {
                        let issuer = try await ann.ask(Issuers.self, "issuer", "list").issuers[0]
                        return issuer.trouble != nil && issuer.isUsable == isUsable ? true : nil
                    }
                    let issuer = try await ann.ask(Issuers.self, "issuer", "list").issuers[0]
                    #expect(issuer.keys.map(\.name) == ["one"] && issuer.trouble?.contains("no answer") == true)
                    let found = try await ann.run(["doctor"]).output
                    #expect(found.contains(isUsable ? "could not be fetched again" : "more than seven days ago"))
                    await node.stop()
                }
            }
        }

        @Test func keysInAFileAreTrustedAndForgotten() async throws {
            try await Scene.play { scene in
                let ann = try await scene.makeParty("Ann", relay: try await scene.startRelay().address)
                let (file, other) = ("\(scene.folder)/one.pub.jwk", "\(scene.folder)/other.json")
                let key = try await Tool.run(["status", "key", "\(scene.folder)/one.jwk"], in: scene).output
                try key.write(toFile: file, atomically: true, encoding: .utf8)
                try #"{"issuer": "https://other.example", "jwks": {"keys": [\#(key)]}}"#
                    .write(toFile: other, atomically: true, encoding: .utf8)
                let nameless = try await ann.run(["issuer", "trust", file])
                #expect(nameless.status == 64 && nameless.errors.contains("--name"))
                let secret = try await ann.run(["issuer", "trust", "\(scene.folder)/one.jwk", "--name", Self.name])
                #expect(secret.status == 65 && secret.errors.contains("private"))
                try await ann.done(["issuer", "trust", file, "--name", Self.name])
                try await ann.done(["issuer", "trust", other])
                // Again, and for one type: in place of what was said before.
                try await ann.done(["issuer", "trust", file, "--name", Self.name, "--type", Self.type])
                let trusted = try await ann.ask(Issuers.self, "issuer", "list").issuers
                #expect(trusted.map(\.issuer) == ["https://other.example", Self.name])
                #expect(trusted[1].types == [Self.type] && trusted.allSatisfy { $0.url == nil && $0.keys.count == 1 })
                try await ann.done(["issuer", "forget", "https://other.example"])
                #expect(try await ann.ask(Issuers.self, "issuer", "list").issuers.map(\.issuer) == [Self.name])
                let again = try await ann.run(["issuer", "forget", "https://other.example"])
                #expect(again.status == 65 && again.errors.contains("handfast issuer list"))
                try "{".write(toFile: "\(ann.vault)/issuers.json", atomically: true, encoding: .utf8)
                #expect(try await ann.run(["issuer", "list"]).status == 65)
                #expect(try await ann.run(["doctor"]).output.contains("issuers.json"))
            }
        }
    }
}
