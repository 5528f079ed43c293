import Foundation
import Testing

extension EndToEndTests {
    /// An issuer's list, from its first place to what a verifier finds in its token.
    @Suite(.serialized)
    struct StatusTests {
        private struct Places: Decodable {
            struct Place: Decodable, Hashable {
                let uri: String
                let index: UInt64
            }
            let places: [Place]
        }

        private struct Checked: Decodable {
            let status: String?
            let count: Int
            let usableUntil: UInt64?
        }

        @Test(arguments: ["cwt", "jwt"]) func verifiersSeeWhatTheIssuerSaid(format: String) async throws {
            try await Scene.play { scene in
                let (list, token, uri) = (
                    "\(scene.folder)/cards.list", "\(scene.folder)/cards.token", "https://issuer.example/1"
                )
                let (key, publicKey) = ("\(scene.folder)/issuer.jwk", "\(scene.folder)/issuer.pub.jwk")
                let made = try await Tool.run(["status", "key", key], in: scene)
                #expect(made.status == 0)
                try Data(made.output.utf8).write(to: URL(fileURLWithPath: publicKey))
                #expect(try await Tool.run(["status", "key", key], in: scene).status == 73)

                let create = ["status", "create", list, "--uri", uri, "--bits", "2", "--count", "1000"]
                #expect(try await Tool.run(create, in: scene).status == 0)
                #expect(try await Tool.run(create, in: scene).status == 73)
                let allocated = try await Tool.run(
                    ["status", "allocate", list, "--number", "3", "--json"], in: scene)
                let places = try allocated.json(Places.self).places
                #expect(Set(places).count == 3 && places.allSatisfy { $0.uri == uri && $0.index < 1_000 })
                for (place, status) in zip(places, ["invalid", "suspended"]) {
                    let set = ["status", "set", list, status, "\(place.index)"]
                    #expect(try await Tool.run(set, in: scene).status == 0)
                }
                let free = try #require((0..<1_000).first { index in !places.contains { $0.index == index } })
                let refused = try await Tool.run(["status", "set", list, "invalid", "\(free)"], in: scene)
                #expect(refused.status == 65 && refused.errors.contains("no credential was given place \(free)"))

                let publish = ["status", "publish", list, "--key", key, "--output", token, "--format", format]
                #expect(try await Tool.run(publish, in: scene).status == 0)
                let check = ["status", "check", token, "--key", publicKey, "--uri", uri, "--json"]
                for (place, status) in zip(places, ["invalid", "suspended", "valid"]) {
                    let checked = try await Tool.run(check + ["--index", "\(place.index)"], in: scene)
                    #expect(checked.status == (status == "valid" ? 0 : 1))
                    #expect(try checked.json(Checked.self).status == status)
                }
                let whole = try await Tool.run(check, in: scene)
                #expect(try whole.status == 0 && whole.json(Checked.self).count == 1_000)
                #expect(try await Tool.run(check + ["--index", "1000"], in: scene).status == 65)
                let another = ["status", "check", token, "--key", publicKey, "--uri", uri + "2"]
                #expect(try await Tool.run(another, in: scene).status == 65)
                let late = try await Tool.run(check, in: scene, environment: ["HANDFAST_TEST_CLOCK_OFFSET": "50000"])
                #expect(try late.status == 65 && late.json(Tool.Failure.self).error.message.contains("could be kept"))
            }
        }
    }
}
