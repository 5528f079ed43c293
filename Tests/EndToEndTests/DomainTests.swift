import Foundation
import Testing

extension EndToEndTests {
    /// Whether a shop is the one of its domain: asked over real HTTPS.
    @Suite(.serialized)
    struct DomainTests {
        /// What `show` tells of the domain.
        private struct Standing: Decodable {
            let state: String
            let domain: String?
            let domainConfirmed: UInt64?
            let domainFault: String?
        }

        /// A shop whose node serves its domain, a relay, and what a customer needs to reach the domain.
        private struct Street {
            let relay: String
            let shop: Party
            let port: Int
            let certificate: WebCertificate

            init(in scene: Scene) async throws {
                relay = try await scene.startRelay().address
                certificate = try await WebCertificate.make(for: "shop.example", in: scene)
                var shop = try await scene.makeParty("Shop", relay: relay, options: ["--public", "shop.example"])
                shop.environment = [
                    "HANDFAST_WEB_LISTEN": "127.0.0.1:0", "HANDFAST_WEB_CERTIFICATE": certificate.chain,
                    "HANDFAST_WEB_PRIVATE_KEY": certificate.privateKey,
                ]
                self.shop = shop
                let node = try await shop.startNode()
                let place = node.firstLine.split(separator: " ").last?.split(separator: ":").last?.dropLast()
                port = try #require(place.flatMap { Int($0) })
            }

            func customer(_ name: String, trusting: Bool = true, port: Int? = nil) async throws -> Party {
                var environment = [
                    "HANDFAST_WEB_ROUTES": "shop.example=127.0.0.1:\(port ?? self.port)",
                    "HANDFAST_WEB_ALLOW_PRIVATE": "true",
                ]
                if trusting { environment["HANDFAST_WEB_ROOTS"] = certificate.authority }
                var party = try await shop.scene.makeParty(name, relay: relay)
                party.environment = environment
                return party
            }
        }

        @Test func aShopIsConfirmedByItsDomain() async throws {
            try await Scene.play { scene in
                let street = try await Street(in: scene)
                let ann = try await street.customer("Ann")
                _ = try await ann.startNode()
                try await ann.done(["accept", try await street.shop.invite(label: "Ann"), "--label", "Shop"])
                try await ann.wait("Shop") { $0.state == "live" }
                let standing = try await ann.ask(Standing.self, "show", "Shop")
                #expect(standing.domain == "shop.example" && standing.domainConfirmed != nil)
                #expect(standing.domainFault == nil)
                #expect(try await ann.done(["show", "Shop"]).output.contains("shop.example (confirmed by it on"))
            }
        }

        @Test func aNewKeyOfTheShopIsConfirmedByItsDomainToo() async throws {
            try await Scene.play { scene in
                let street = try await Street(in: scene)
                let ann = try await street.customer("Ann")
                _ = try await ann.startNode()
                try await ann.done(["accept", try await street.shop.invite(label: "Ann"), "--label", "Shop"])
                try await ann.wait("Shop") { $0.state == "live" }
                try await street.shop.wait("Ann") { $0.state == "live" }
                try await street.shop.done(["rotate", "--public"])
                let watch = try await scene.start(["--vault", ann.vault, "watch", "--after", "0", "--json"])
                try await Party.until("the domain was not asked again") {
                    watch.output.contains("domain.confirmed") ? true : nil
                }
                #expect(try await ann.ask(Standing.self, "show", "Shop").domainFault == nil)
            }
        }

        /// The shop rotates between its bundle and its welcome: the domain was not asked about the new key before.
        @Test func aNewKeyThatTheWelcomeShowsIsConfirmedByItsDomainToo() async throws {
            try await Scene.play { scene in
                let relay = try await scene.startRelay().address
                let certificate = try await WebCertificate.make(for: "shop.example", in: scene)
                var shop = try await scene.makeParty("Shop", relay: relay, options: ["--public", "shop.example"])
                shop.environment = [
                    "HANDFAST_WEB_LISTEN": "127.0.0.1:0", "HANDFAST_WEB_CERTIFICATE": certificate.chain,
                    "HANDFAST_WEB_PRIVATE_KEY": certificate.privateKey,
                ]
                var ann = try await scene.makeParty("Ann", relay: relay)
                try await ann.done([
                    "accept", try await shop.invite(label: "Ann"), "--label", "Shop", "--unasked-domain",
                ])
                try await shop.done(["rotate", "--public"])
                let node = try await shop.startNode()
                let place = node.firstLine.split(separator: " ").last?.split(separator: ":").last?.dropLast()
                let port = try #require(place)
                ann.environment = [
                    "HANDFAST_WEB_ROUTES": "shop.example=127.0.0.1:\(port)",
                    "HANDFAST_WEB_ALLOW_PRIVATE": "true", "HANDFAST_WEB_ROOTS": certificate.authority,
                ]
                _ = try await ann.startNode()
                try await Party.until("the domain was not asked") {
                    try await ann.ask(Standing.self, "show", "Shop").domainConfirmed
                }
                #expect(try await ann.show("Shop").state == "live")
            }
        }

        @Test func whatTheDomainDoesNotConfirmIsRefusedAndLeavesNothing() async throws {
            try await Scene.play { scene in
                let street = try await Street(in: scene)
                var impostor = try await scene.makeParty(
                    "Impostor", relay: street.relay, options: ["--public", "shop.example"])
                impostor.environment = [:]
                _ = try await impostor.startNode()
                let ann = try await street.customer("Ann")
                let refused = try await ann.run(["accept", try await impostor.invite(label: "Ann"), "--json"])
                #expect(refused.status == 65)
                #expect(try refused.json(Tool.Failure.self).error.message.contains("another identity"))
                #expect(try await ann.done(["list"]).output.contains("No relationships"))
                let claim = try await ann.done(
                    ["accept", try await impostor.invite(label: "Ann"), "--label", "Shop", "--unasked-domain"])
                #expect(claim.status == 0)
                let standing = try await ann.ask(Standing.self, "show", "Shop")
                #expect(standing.domain == "shop.example" && standing.domainConfirmed == nil)
            }
        }

        @Test func aDomainThatCannotBeAskedOrTrustedIsSaidSo() async throws {
            try await Scene.play { scene in
                let street = try await Street(in: scene)
                let invitation = try await street.shop.invite(label: "Ann")
                let stranger = try await street.customer("Stranger", trusting: false)
                let untrusted = try await stranger.run(["accept", invitation])
                #expect(untrusted.status != 0 && untrusted.errors.contains("certificate"))
                let lost = try await street.customer("Lost", port: 1)
                let unreachable = try await lost.run(["accept", invitation])
                #expect(unreachable.status != 0 && unreachable.errors.contains("shop.example could not be asked"))
                #expect(unreachable.errors.contains("--unasked-domain"))
                var careful = try await street.customer("Careful")
                careful.environment["HANDFAST_WEB_ALLOW_PRIVATE"] = nil
                let private_ = try await careful.run(["accept", invitation])
                #expect(private_.status != 0 && private_.errors.contains("private address"))
            }
        }
    }
}
