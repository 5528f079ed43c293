import Foundation
import Testing

extension EndToEndTests {
    /// A vendor that issues anonymous credentials, a customer, and a partner of the vendor, each a process.
    @Suite(.serialized)
    struct AnonymousTests {
        private struct Verified: Decodable {
            struct Claim: Decodable {
                let claim: String
                let value: String
            }
            let state: String
            let experimental: Bool
            let claims: [Claim]?
            let pseudonym: String?
            let scope: String?
            let reason: String?
        }

        private struct Listed: Decodable {
            struct Credential: Decodable {
                struct Showing: Decodable {
                    let label: String?
                    let claims: [String]
                    let isLinkable: Bool
                }
                let label: String
                let isIssued: Bool
                let expires: UInt64?
                let shown: [Showing]
            }
            let credentials: [Credential]
        }

        /// How long an epoch lasts, in seconds.
        private static let epoch = 365 * 86_400

        /// The club issues, the shop is its partner; Ann has two relationships with the club.
        private struct Scenery {
            let scene: Scene
            let club: Party
            let shop: Party
            let ann: Party

            init(in scene: Scene) async throws {
                self.scene = scene
                let relay = try await scene.startRelay().address
                club = try await scene.makeParty("Club", relay: relay, options: ["--public", "club.example"])
                shop = try await scene.makeParty("Shop", relay: relay)
                ann = try await scene.makeParty("Ann", relay: relay)
                for party in [club, shop, ann] { _ = try await party.startNode() }
                for (vendor, here, there) in [(club, "Ann", "Club"), (club, "Anonyma", "Club2"), (shop, "Ann", "Shop")]
                {
                    try await ann.done([
                        "accept", try await vendor.invite(label: here), "--label", there, "--unasked-domain",
                    ])
                    try await ann.wait(there) { $0.state == "live" }
                    try await vendor.wait(here) { $0.state == "live" }
                }
            }

            func file(_ name: String) -> String { "\(scene.folder)/\(name)" }

            /// The key of the club and what it publishes.
            func makeKey(_ name: String = "club") async throws {
                let made = try await Tool.run(
                    [
                        "anonymous", "key", file("\(name).key"), "--type", "https://club.example/member",
                        "--attribute", "level", "--attribute", "city", "--epoch-days", "365", "--output",
                        file("\(name).parameters"),
                    ], in: scene)
                try #require(made.status == 0, "\(made.errors)")
            }

            func nonce(at vendor: Party, for name: String) async throws -> String {
                try await vendor.done(["anonymous", "nonce", name]).output.trimmingCharacters(
                    in: .whitespacesAndNewlines)
            }

            /// Ann asks and the club answers.
            func issue(_ options: [String] = []) async throws -> String {
                let (request, issuance) = (scene.newFile("request"), scene.newFile("issuance"))
                let nonce = try await nonce(at: club, for: "Ann")
                try await ann.done([
                    "anonymous", "request", file("club.parameters"), "--nonce", nonce, "--label", "Card", "--output",
                    request,
                ])
                try #"{"level": 3, "city": "Lyon"}"#.write(
                    toFile: file("ann.json"), atomically: true, encoding: .utf8)
                let issue = ["anonymous", "issue", "Ann", request, "--key", file("club.key"), "--claims"]
                try await club.done(issue + [file("ann.json"), "--output", issuance] + options)
                // The nonce is spent.
                #expect(try await club.run(issue + [file("ann.json")] + options).status == 65)
                return issuance
            }

            /// What Ann shows at a vendor that has given her a nonce, as text.
            func show(_ names: [String], to name: String, nonce: String, options: [String] = []) async throws -> String
            {
                let shown = try await ann.done(
                    ["anonymous", "present", name, "Card", "--nonce", nonce] + names.flatMap { ["--show", $0] }
                        + options)
                return shown.output.trimmingCharacters(in: .whitespacesAndNewlines)
            }

            /// The issuer verifies.
            func verify(
                _ shown: String, from name: String, options: [String] = [], clock offset: Int = 0
            ) async throws -> (status: Int32, Verified) {
                let result = try await club.run(
                    ["anonymous", "verify", name, shown, "--key", file("club.key"), "--json"] + options,
                    environment: ["HANDFAST_TEST_CLOCK_OFFSET": "\(offset)"])
                return (result.status, try result.json(Verified.self))
            }
        }

        @Test func aVendorIssuesAndKnowsItsCustomerByPseudonymOnly() async throws {
            try await Scene.play { scene in
                let market = try await Scenery(in: scene)
                let (club, ann) = (market.club, market.ann)
                try await market.makeKey()
                let mode = try FileManager.default.attributesOfItem(atPath: market.file("club.key"))[.posixPermissions]
                #expect(mode as? Int == 0o600)
                let again = ["anonymous", "key", market.file("club.key"), "--type", "t", "--attribute", "a"]
                #expect(try await Tool.run(again, in: scene).status == 73)

                let issuance = try await market.issue()
                #expect(try await market.shop.run(["anonymous", "import", issuance]).status == 65)
                let imported = try await ann.done(["anonymous", "import", issuance]).output
                #expect(imported.contains("level = 3") && imported.contains("experimental"))
                #expect(try await ann.run(["anonymous", "import", issuance]).status == 65)

                // Shown once in each relationship: only what was asked for, under names that say nothing of each other.
                let nonce = try await market.nonce(at: club, for: "Ann")
                let shown = try await market.show(["level"], to: "Club", nonce: nonce)
                let (status, first) = try await market.verify(shown, from: "Ann")
                #expect(status == 0 && first.state == "accepted" && first.scope == "relationship" && first.experimental)
                #expect(first.claims?.map { "\($0.claim)=\($0.value)" } == ["level=3"])
                // What was taken is not taken again, neither with this nonce nor with the next.
                let repeated = try await club.run([
                    "anonymous", "verify", "Ann", shown, "--key", market.file("club.key"),
                ])
                #expect(repeated.status == 65 && repeated.errors.contains("handfast anonymous nonce"))
                let second = try await market.nonce(at: club, for: "Ann")
                let replayed = try await market.verify(shown, from: "Ann")
                #expect(replayed.status == 1 && replayed.1.state == "refused" && replayed.1.claims == nil)

                // In another relationship with the same vendor the pseudonym is another one, unless Ann lets it be known.
                let other = try await market.nonce(at: club, for: "Anonyma")
                let unlinked = try await market.verify(
                    try await market.show([], to: "Club2", nonce: other), from: "Anonyma")
                #expect(unlinked.status == 0 && unlinked.1.pseudonym != first.pseudonym)
                #expect(unlinked.1.claims?.isEmpty == true)

                let linkable = try await market.show([], to: "Club", nonce: second, options: ["--linkable"])
                // A verifier that takes it for another scope learns nothing.
                #expect(try await market.verify(linkable, from: "Ann").status == 1)
                let linked = try await market.verify(linkable, from: "Ann", options: ["--linkable"])
                #expect(linked.status == 0 && linked.1.scope == "vendor" && linked.1.pseudonym != first.pseudonym)
                let blocklist = market.file("blocked")
                try "# broke a window\n\(linked.1.pseudonym ?? "")\n".write(
                    toFile: blocklist, atomically: true, encoding: .utf8)
                let third = try await market.nonce(at: club, for: "Anonyma")
                let blocked = try await market.verify(
                    try await market.show(["city"], to: "Club2", nonce: third, options: ["--linkable"]),
                    from: "Anonyma",
                    options: ["--linkable", "--blocklist", blocklist])
                #expect(blocked.status == 1 && blocked.1.reason?.contains("blocklist") == true)
                #expect(blocked.1.claims == nil)

                // A credential ends with its epoch.
                let late = try await market.verify(
                    try await market.show([], to: "Club2", nonce: third), from: "Anonyma", clock: Self.epoch)
                #expect(late.status == 1 && late.1.reason?.contains("epoch") == true)

                let list = try await ann.ask(Listed.self, "anonymous", "list").credentials
                #expect(list.map(\.label) == ["Card"])
                let showings = list.flatMap(\.shown).map {
                    "\($0.label ?? "") \($0.claims) \($0.isLinkable)"
                }
                #expect(
                    Set(showings) == [
                        #"Club ["level"] false"#, "Club2 [] false", "Club [] true", #"Club2 ["city"] true"#,
                    ])

                // The next epoch's credential stands beside it, and is the one that is shown.
                try await ann.done(["anonymous", "import", try await market.issue(["--next-epoch"])])
                let ends = try await ann.ask(Listed.self, "anonymous", "list").credentials.compactMap(\.expires)
                #expect(ends.count == 2 && ends[1] == ends[0] + UInt64(Self.epoch))
                let renewed = try await market.show([], to: "Club2", nonce: third)
                #expect(try await market.verify(renewed, from: "Anonyma", clock: Self.epoch).status == 0)
            }
        }

        @Test func aPartnerVerifiesWithOneQuestionToTheIssuer() async throws {
            try await Scene.play { scene in
                let market = try await Scenery(in: scene)
                let (shop, ann) = (market.shop, market.ann)
                try await market.makeKey()
                try await market.makeKey("impostor")
                try await ann.done(["anonymous", "import", try await market.issue()])
                let nonce = try await market.nonce(at: shop, for: "Ann")
                let shown = try await market.show(["city"], to: "Shop", nonce: nonce)
                let verify = [
                    "anonymous", "verify", "Ann", shown, "--parameters", market.file("club.parameters"), "--json",
                ]
                let question = market.file("question")
                let asked = try await shop.run(verify + ["--output", question])
                #expect(asked.status == 75 && !asked.output.contains("Lyon"))
                #expect(try asked.json(Verified.self).state == "unconfirmed")

                // The impostor's key has not made it; the club's has.
                let confirm = ["anonymous", "confirm", question, "--key"]
                let denied = try await Tool.run(confirm + [market.file("impostor.key")], in: scene)
                #expect(denied.status == 1 && denied.output.contains("Refused"))
                let confirmation = market.file("confirmation")
                let answered = try await Tool.run(
                    confirm + [market.file("club.key"), "--output", confirmation], in: scene)
                #expect(answered.status == 0)
                let accepted = try await shop.run(verify + ["--confirmation", confirmation])
                let verified = try accepted.json(Verified.self)
                #expect(accepted.status == 0 && verified.state == "accepted")
                #expect(verified.claims?.map { "\($0.claim)=\($0.value)" } == [#"city="Lyon""#])

                // What was made for the shop says nothing to the club, and no answer counts for another question.
                _ = try await market.nonce(at: market.club, for: "Ann")
                #expect(try await market.verify(shown, from: "Ann").status == 1)
                let next = try await market.nonce(at: shop, for: "Ann")
                let later = try await market.show(["city"], to: "Shop", nonce: next)
                let stale = try await shop.run([
                    "anonymous", "verify", "Ann", later, "--parameters", market.file("club.parameters"),
                    "--confirmation", confirmation,
                ])
                #expect(stale.status == 1 && !stale.output.contains("Lyon"))
            }
        }

        @Test func whatIsWrongIsNamedWithWhatToDo() async throws {
            try await Scene.play { scene in
                let market = try await Scenery(in: scene)
                try await market.makeKey()
                try await market.ann.done(["anonymous", "import", try await market.issue()])
                let nonce = try await market.nonce(at: market.club, for: "Ann")
                let shown = try await market.show(["level"], to: "Club", nonce: nonce)
                let present = ["anonymous", "present", "Club", "Card", "--nonce"]
                let verify = ["anonymous", "verify", "Ann"]
                let key = ["--key", market.file("club.key")]
                for (party, arguments, words) in [
                    (market.ann, present + [shown], "a presentation, not a nonce"),
                    (market.ann, present + [nonce, "--show", "age"], "no attribute named"),
                    (market.ann, ["anonymous", "present", "Club", "Carte", "--nonce", nonce], "anonymous list"),
                    (
                        market.ann, ["anonymous", "present", "Shop", "Card", "--nonce", nonce, "--linkable"],
                        "--linkable"
                    ),
                    (
                        market.ann, ["anonymous", "request", nonce, "--nonce", nonce, "--label", "x"],
                        "not the parameters"
                    ),
                    (market.club, verify + [nonce] + key, "not a presentation"),
                    (market.club, verify + [shown, "--key", market.file("club.parameters")], "may be read by others"),
                    (market.club, verify + [shown.dropLast(8).description] + key, "presentation"),
                    (market.club, ["anonymous", "verify", "Anonyma", shown] + key, "anonymous nonce"),
                ] {
                    let result = try await party.run(arguments)
                    #expect(result.status == 65 || result.status == 77, "\(arguments)")
                    #expect(result.errors.contains(words) && result.output.isEmpty, "\(result.errors)")
                }
                // Changed, or with a value that Ann does not have: nothing of it counts.
                let changed = String(shown.dropLast(2)) + (shown.hasSuffix("BA") ? "Bw" : "BA")
                let refused = try await market.club.run(verify + [changed] + key)
                #expect(refused.status == 1 || refused.status == 65, "\(refused.output)")
                #expect(try await market.verify(shown, from: "Ann").status == 0)
            }
        }

        @Test func aVerifierThatWasCopiedBackTakesNothingTwice() async throws {
            try await Scene.play { scene in
                var couple = try await Couple(in: scene)
                let (shop, ann) = (couple.shop, couple.ann)
                let (key, parameters) = ("\(scene.folder)/key", "\(scene.folder)/parameters")
                let made = try await Tool.run(
                    ["anonymous", "key", key, "--type", "t", "--attribute", "level", "--output", parameters], in: scene)
                #expect(made.status == 0)
                let (nonce, request, issuance, shown, claims) = (
                    scene.newFile("nonce"), scene.newFile("request"), scene.newFile("issuance"), scene.newFile("shown"),
                    scene.newFile("claims")
                )
                try #"{"level": 3}"#.write(toFile: claims, atomically: true, encoding: .utf8)
                try await shop.done(["anonymous", "nonce", "Ann", "--output", nonce])
                try await ann.done([
                    "anonymous", "request", parameters, "--nonce", nonce, "--label", "Card", "--output", request,
                ])
                try await shop.done([
                    "anonymous", "issue", "Ann", request, "--key", key, "--claims", claims, "--output", issuance,
                ])
                try await ann.done(["anonymous", "import", issuance])
                try await shop.done(["anonymous", "nonce", "Ann", "--output", nonce])
                try await ann.done(["anonymous", "present", "Shop", "Card", "--nonce", nonce, "--output", shown])

                await couple.shopNode.stop()
                let copy = scene.newFile("copy")
                try FileManager.default.copyItem(atPath: shop.vault, toPath: copy)
                couple.shopNode = try await shop.startNode()
                let verify = ["anonymous", "verify", "Ann", shown, "--key", key]
                try await shop.done(verify)
                try await ann.done(["send", "Shop", "hello"])
                _ = try await shop.texts("Ann", count: 1)
                await couple.shopNode.stop()
                try FileManager.default.removeItem(atPath: shop.vault)
                try FileManager.default.copyItem(atPath: copy, toPath: shop.vault)
                couple.shopNode = try await shop.startNode()
                try await shop.wait("Ann") { $0.epoch > 0 && !$0.isRejoining && $0.state == "live" }
                let again = try await shop.run(verify)
                #expect(again.status == 65 && again.errors.contains("no nonce"), "\(again.output)\(again.errors)")
            }
        }
    }
}
