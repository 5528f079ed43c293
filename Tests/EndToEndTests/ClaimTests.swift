import Foundation
import Testing

extension EndToEndTests {
    /// An issuer, a customer and two vendors, each a process or more.
    @Suite(.serialized)
    struct ClaimTests {
        private struct Requests: Decodable {
            struct Request: Decodable {
                struct Shown: Decodable {
                    struct Claim: Decodable {
                        let claim: String
                        let value: String
                    }
                    let issuer: String?
                    let claims: [Claim]
                }
                struct Check: Decodable {
                    let check: String
                    let outcome: String
                }
                let number: UInt64
                let sender: String
                let state: String
                let shown: [Shown]
                let checks: [Check]
                let reason: String?
            }
            let requests: [Request]
        }

        private struct Revocations: Decodable {
            struct Revoked: Decodable {
                let subject: String
                let id: String
                let number: UInt64?
                let kind: String
                let party: String?
                let label: String?
            }
            let revocations: [Revoked]
        }

        private static let type = "https://id.example/person"

        /// The issuer's files, which no vault is needed for.
        private struct Issuer {
            let scene: Scene
            let key: String
            let list: String
            /// The file of a party that trusts this issuer.
            let trust: String

            init(in scene: Scene) async throws {
                self.scene = scene
                key = "\(scene.folder)/issuer.jwk"
                list = "\(scene.folder)/staff.list"
                let jwk = try await Tool.run(["status", "key", key], in: scene).output
                trust = #"{"issuers": [{"issuer": "https://id.example", "keys": [\#(jwk)]}]}"#
                try await run(["status", "create", list, "--uri", "https://id.example/status/1"])
            }

            /// Issues four copies of a credential to a party.
            func issue(_ claims: String, to party: Party, format: String) async throws {
                let (keys, file) = ("\(scene.folder)/\(party.name).keys", file(of: party))
                try claims.write(toFile: "\(file).json", atomically: true, encoding: .utf8)
                try await party.done(["credential", "request", "--label", "ID", "--copies", "4", "--output", keys])
                try await run([
                    "credential", "issue", keys, "--claims", "\(file).json", "--type", ClaimTests.type, "--issuer",
                    "https://id.example", "--key", key, "--format", format, "--status", list, "--output", file,
                ])
                try await party.done(["credential", "import", file])
            }

            func file(of party: Party) -> String { "\(scene.folder)/\(party.name).credential" }

            @discardableResult
            func run(_ arguments: [String]) async throws -> Tool.Result {
                let result = try await Tool.run(arguments, in: scene)
                guard result.status == 0 else { throw Tool.UnexpectedEnd(arguments: arguments, result: result) }
                return result
            }

            func publish(to token: String) async throws {
                try await run(["status", "publish", list, "--key", key, "--output", token])
            }
        }

        /// Customer and vendors at one relay, all trusting the issuer.
        private struct Market {
            let issuer: Issuer
            let ann: Party
            /// Somebody else, to know what all presentations have in common.
            let bob: Party
            let vendors: [Party]

            init(in scene: Scene, format: String) async throws {
                issuer = try await Issuer(in: scene)
                let relay = try await scene.startRelay().address
                ann = try await scene.makeParty("Ann", relay: relay)
                bob = try await scene.makeParty("Bob", relay: relay)
                vendors = [
                    try await scene.makeParty("Wine", relay: relay), try await scene.makeParty("Films", relay: relay),
                ]
                for party in [ann, bob] + vendors {
                    try issuer.trust.write(toFile: "\(party.vault)/issuers.json", atomically: true, encoding: .utf8)
                }
                try await issuer.issue(
                    #"{"age_over_18": true, "birthdate": "1990-01-01", "address": {"city": "Lyon"}}"#, to: ann,
                    format: format)
                try await issuer.issue(
                    #"{"age_over_18": true, "birthdate": "1980-12-31", "address": {"city": "Nice"}}"#, to: bob,
                    format: format)
                let token = "\(scene.folder)/token-1"
                try await issuer.publish(to: token)
                for party in [ann, bob] + vendors {
                    if party.name == "Ann" || party.name == "Bob" {
                        try await party.done(["credential", "import", "--status-token", token])
                    }
                    _ = try await party.startNode()
                }
                for (person, vendor) in [(ann, vendors[0]), (ann, vendors[1]), (bob, vendors[0])] {
                    let invitation = try await vendor.invite(label: person.name)
                    try await person.done(["accept", invitation, "--label", vendor.name])
                    try await person.wait(vendor.name) { $0.state == "live" }
                    try await vendor.wait(person.name) { $0.state == "live" }
                }
            }

            /// A vendor asks whether somebody is of age.
            func ask(_ vendor: Party, _ person: Party) async throws {
                try await vendor.done([
                    "claim", "request", person.name, "--purpose", "dpv:AgeVerification", "--type", ClaimTests.type,
                    "--claim", "age_over_18=true",
                ])
            }

            /// The request that waits for a person's word.
            func waiting(for vendor: Party, at person: Party) async throws -> Requests.Request {
                try await Party.until("\(vendor.name)'s request did not come") {
                    try await person.ask(Requests.self, "claim", "requests", vendor.name).requests.first
                }
            }

            /// What the vendor has in the end of its latest request.
            func result(
                at vendor: Party, of person: Party, after number: UInt64 = 0
            ) async throws -> Requests.Request {
                try await Party.until("\(vendor.name) did not get an answer") {
                    try await vendor.ask(Requests.self, "claim", "requests", person.name, "--all").requests
                        .last { $0.number > number && $0.state != "open" }
                }
            }

            /// A vendor asks, the person shows.
            func show(_ person: Party, to vendor: Party, after number: UInt64 = 0) async throws -> Requests.Request {
                try await ask(vendor, person)
                let request = try await waiting(for: vendor, at: person)
                // What will be learned is seen before, and nothing else is.
                #expect(request.shown.flatMap(\.claims).map { "\($0.claim)=\($0.value)" } == ["age_over_18=true"])
                try await person.done(["claim", "present", vendor.name, "\(request.number)", "--yes"])
                return try await result(at: vendor, of: person, after: number)
            }
        }

        @Test(arguments: ["cwt", "jwt"])
        func twoVendorsVerifyWhatTheyCannotLink(format: String) async throws {
            try await Scene.play { scene in
                let market = try await Market(in: scene, format: format)
                let (ann, wine, films) = (market.ann, market.vendors[0], market.vendors[1])
                var began: [UInt64] = []
                for (person, vendor) in [(ann, wine), (ann, films), (market.bob, wine)] {
                    began.append(UInt64(Date().timeIntervalSince1970))
                    let result = try await market.show(person, to: vendor)
                    #expect(result.state == "accepted", "\(result.reason ?? "") \(result.checks)")
                    #expect(result.checks.count == 10 && result.checks.allSatisfy { $0.outcome == "held" })
                    #expect(result.shown.flatMap(\.claims).map(\.claim) == ["age_over_18"])
                }
                let learned = try await ann.done(["claim", "learned"]).output
                #expect(learned.contains("Wine") && learned.contains("Films") && !learned.contains("1990"))

                try await Self.expectNoLink(in: market, of: scene, began: began)

                try await market.issuer.run([
                    "credential", "revoke", market.issuer.file(of: ann), "--status", market.issuer.list,
                ])
                try await Self.expectRevoked(in: market, of: scene)
            }
        }

        /// A copy of Ann's is revoked: the vendor that has seen the list since refuses it, though she still has the old
        /// one; once she has the new one, her wallet shows it to nobody.
        private static func expectRevoked(in market: Market, of scene: Scene) async throws {
            let (ann, bob, wine) = (market.ann, market.bob, market.vendors[0])
            // A list counts as later by the second in which it was issued.
            let second = UInt64(Date().timeIntervalSince1970)
            try await Party.until("time stands still") {
                UInt64(Date().timeIntervalSince1970) > second ? true : nil
            }
            let token = "\(scene.folder)/token-2"
            try await market.issuer.publish(to: token)
            try await bob.done(["credential", "import", "--status-token", token])
            var before = try await market.result(at: wine, of: bob).number
            #expect(try await market.show(bob, to: wine, after: before).state == "accepted")
            before = try await market.result(at: wine, of: ann).number
            let result = try await market.show(ann, to: wine, after: before)
            #expect(result.state == "rejected" && result.shown.isEmpty)
            #expect(result.checks.first { $0.outcome == "failed" }?.check == "status")
            let refused = try await wine.ask(Revocations.self, "revocations", "Ann").revocations
            let revoked = refused.filter { $0.subject == "credential" }
            #expect(revoked.map(\.kind) == ["revoked"] && revoked[0].party == "issuer")
            #expect(revoked[0].id == "https://id.example/status/1")

            try await ann.done(["credential", "import", "--status-token", token])
            let own = try await ann.ask(Revocations.self, "revocations").revocations
            #expect(own.count { $0.subject == "credential" && $0.kind == "revoked" && $0.label == "ID" } == 4)
            #expect(own.contains { $0.id == revoked[0].id && $0.number == revoked[0].number })
            #expect(try await ann.done(["credential", "list"]).output.contains("0 of 4, 4 revoked"))
            #expect(try await ann.done(["credential", "show", "ID"]).output.contains("revoked by its issuer on"))
            #expect(try await ann.done(["doctor"]).output.contains("4 of 4 copies"))
            try await market.ask(wine, ann)
            let request = try await market.waiting(for: wine, at: ann)
            #expect(request.shown.isEmpty && request.reason?.contains("revoked by its issuer") == true)
            let shown = try await ann.run(["claim", "present", "Wine", "\(request.number)", "--yes"])
            #expect(shown.status == 65 && shown.errors.contains("revoked by its issuer"))
        }

        @Test func rulesAnswerAndRefuseWithoutAsking() async throws {
            try await Scene.play { scene in
                let market = try await Market(in: scene, format: "cwt")
                try await market.ann.done([
                    "claim", "rules", "--add", "answer", "--relationship", "Wine", "--claim", "age_over_18",
                ])
                try await market.ann.done(["claim", "rules", "--add", "refuse", "--claim", "birthdate"])
                let (ann, wine, films) = (market.ann, market.vendors[0], market.vendors[1])
                try await market.ask(wine, ann)
                let first = try await market.result(at: wine, of: ann)
                #expect(first.state == "accepted", "\(first.reason ?? "")")
                try await wine.done([
                    "claim", "request", "Ann", "--purpose", "p", "--type", Self.type, "--claim", "birthdate",
                ])
                #expect(try await market.result(at: wine, of: ann, after: first.number).state == "refused")

                // One's own word is taken where it is asked for, and marked as such.
                try await films.done([
                    "claim", "request", "Ann", "--purpose", "p", "--type", "contact", "--claim", "email",
                    "--self-asserted",
                ])
                let request = try await market.waiting(for: films, at: ann)
                try await ann.done([
                    "claim", "present", "Films", "\(request.number)", "--say", "email=ann@mail.example", "--yes",
                ])
                let own = try await market.result(at: films, of: ann)
                #expect(own.state == "accepted", "\(own.reason ?? "") \(own.checks)")
                #expect(own.shown.count == 1 && own.shown[0].issuer == nil)
                #expect(own.checks.first { $0.check == "issuer" }?.outcome == "absent")
            }
        }

        /// What a vendor holds of the presentation, as its ledger has it.
        private static func presentation(of person: Party, at vendor: Party) async throws -> [UInt8] {
            struct History: Decodable {
                struct Entry: Decodable {
                    struct Body: Decodable {
                        struct Presented: Decodable { let presentation: String }
                        let presentations: [Presented]?
                    }
                    let type: String
                    let body: Body?
                }
                let entries: [Entry]
            }
            let entries = try await vendor.ask(History.self, "read", person.name, "--from", "peer", "--wait", "0")
                .entries
            let body = entries.last { $0.type == "claim/present" }?.body
            let text = try #require(body?.presentations?.first?.presentation)
            return try #require(Traces.decodedBase64URL(text))
        }

        /// Two vendors and the relay put together all that they saw: what Ann showed to one and to the other have nothing
        /// in common but what Bob's has as well, which is the issuer's or everybody's.
        ///
        /// - Parameter began: when each of the three presentations was asked for, in seconds since 1970.
        private static func expectNoLink(in market: Market, of scene: Scene, began: [UInt64]) async throws {
            let (ann, bob, wine, films) = (market.ann, market.bob, market.vendors[0], market.vendors[1])
            let bytes = [
                try await presentation(of: ann, at: wine), try await presentation(of: ann, at: films),
                try await presentation(of: bob, at: wine),
            ]
            let presentations = bytes.map { Traces($0) }
            #expect(presentations[0].shared(with: presentations[1], butNotWith: presentations[2]) == [])
            // One copy shown twice would be known by its key, digests, salts and signature.
            #expect(presentations[0].shared(with: presentations[0], butNotWith: presentations[2]).count > 10)
            // The place in the status list is up to six digits shorter in one than in another; padding hides that.
            #expect(bytes.allSatisfy { abs($0.count - bytes[2].count) <= 8 })
            // Of times there are the moment of presenting and whole days, which many have in common.
            for (presentation, began) in zip(presentations, began) {
                #expect(presentation.times.allSatisfy { $0 % 86_400 == 0 || $0 >= began })
            }
            #expect(presentations.allSatisfy { $0.statusIndices.count == 1 })
            #expect(presentations[0].statusIndices.isDisjoint(with: presentations[1].statusIndices))

            var seen: [Traces] = []
            for (person, vendor) in [(ann, wine), (ann, films), (bob, wine)] {
                let ledger = FileManager.default.contents(atPath: try await vendor.export(person.name))
                seen.append(Traces(Array(try #require(ledger))))
            }
            #expect(seen.allSatisfy { $0.values.count > 30 })
            #expect(seen[0].shared(with: seen[1], butNotWith: seen[2]) == [])

            let services = try Traces.ofServices(atRelay: "\(scene.folder)/relay")
            // A vendor has one for all; each of the three relationships has its own at the customer's side.
            #expect(services.filter { $0.queues == 1 }.count == 3)
            for (index, service) in services.enumerated() {
                for other in services[..<index] {
                    #expect(service.traces.shared(with: other.traces, butNotWith: Traces()) == [])
                }
            }
            let held = services.map(\.traces)
            let bobs = seen[2].joined(with: held, butNotBy: seen[0])
            let pooled = seen[..<2].map { $0.joined(with: held, butNotBy: bobs) }
            #expect(pooled[0].shared(with: pooled[1], butNotWith: bobs) == [])
        }
    }
}
