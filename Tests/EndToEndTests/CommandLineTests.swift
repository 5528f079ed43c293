import Foundation
import Testing

extension EndToEndTests {
    /// What a person finds at the command line before there is any relationship, and what a script can rely on.
    @Suite(.serialized)
    struct CommandLineTests {
        static let commands = [
            "", "init", "invite", "accept", "list", "show", "send", "read", "watch", "rotate", "rejoin", "end",
            "ledger", "ledger export", "ledger verify", "node", "node run", "relay", "relay run", "migrate", "doctor",
            "config",
            "config check", "config show", "vectors", "vectors check", "vectors make",
        ]

        @Test(arguments: commands)
        func helpHasAnExample(command: String) async throws {
            try await Scene.play { scene in
                let words = command.split(separator: " ").map(String.init)
                let help = try await Tool.run(words + ["--help"], in: scene)
                #expect(help.status == 0 && help.errors.isEmpty)
                let name = (["handfast"] + words).joined(separator: " ")
                let examples = help.output.components(separatedBy: "EXAMPLES").dropFirst().joined()
                #expect(examples.contains("  \(name)"), "\(help.output)")
            }
        }

        @Test func helpNamesExitCodesAndCompletions() async throws {
            try await Scene.play { scene in
                let help = try await Tool.run(["--help"], in: scene).output
                for code in ["64", "65", "69", "73", "75", "77"] { #expect(help.contains("  \(code)  ")) }
                #expect(help.contains("--generate-completion-script"))
            }
        }

        @Test(arguments: ["bash", "zsh", "fish"])
        func completionsKnowTheCommands(shell: String) async throws {
            try await Scene.play { scene in
                let script = try await Tool.run(["--generate-completion-script", shell], in: scene)
                #expect(script.status == 0)
                for command in ["invite", "accept", "ledger", "doctor"] { #expect(script.output.contains(command)) }
            }
        }

        @Test func optionsStandBeforeOrAfterTheCommand() async throws {
            try await Scene.play { scene in
                let vault = "\(scene.folder)/v"
                #expect(try await Tool.run(["--vault", vault, "init"], in: scene).status == 0)
                let before = try await Tool.run(["--vault", vault, "--json", "list"], in: scene)
                let after = try await Tool.run(["list", "--json", "--vault", vault], in: scene)
                #expect(before.status == 0 && before.output == after.output)
                let variable = try await Tool.run(["list"], in: scene, environment: ["HANDFAST_VAULT": vault])
                #expect(variable.status == 0 && variable.output.contains("No relationships yet"))
            }
        }

        @Test func publicIdentityIsWrittenForTheWebServer() async throws {
            struct Made: Decodable {
                let publicIdentity: String
                let domain: String
                let wellKnown: String
                let keyFile: String
            }
            try await Scene.play { scene in
                let party = Party(name: "Shop", vault: "\(scene.folder)/s", scene: scene)
                let file = "\(scene.folder)/web/.well-known/handfast"
                let made = try await party.ask(
                    Made.self, "init", "--public", "shop.example", "--well-known", file)
                #expect(made.domain == "shop.example" && made.publicIdentity.hasPrefix("hf:") && made.wellKnown == file)
                #expect(try Data(contentsOf: URL(fileURLWithPath: file)).count > 100)
                let attributes = try FileManager.default.attributesOfItem(atPath: made.keyFile)
                #expect(attributes[.posixPermissions] as? Int == 0o600)
                struct Rotated: Decodable {
                    let publicIdentity: String
                    let keyEvents: Int
                    let told: Int
                    let wellKnown: String
                }
                let old = try Data(contentsOf: URL(fileURLWithPath: file))
                let rotated = try await party.ask(
                    Rotated.self, "rotate", "--public", "--well-known", file, "--wait", "0")
                #expect(rotated.publicIdentity == made.publicIdentity && rotated.wellKnown == file)
                #expect(rotated.keyEvents == 2 && rotated.told == 0)
                #expect(try Data(contentsOf: URL(fileURLWithPath: file)).count > old.count)
                let nowhere = try await party.run(["rotate", "--public", "--well-known", "/dev/null/no/file"])
                #expect(nowhere.status == 73)
                #expect(try await party.run(["rotate"]).status == 64)
                #expect(try await party.run(["rotate", "Ann", "--public"]).status == 64)
                let refused = Party(name: "Other", vault: "\(scene.folder)/o", scene: scene)
                let result = try await refused.run(["init", "--public", "not a domain"])
                #expect(result.status == 65, "\(result)")
                #expect(try await refused.run(["list"]).status == 1)
                try await refused.done(["init"])
                let person = try await refused.run(["rotate", "--public"])
                #expect(person.status == 65 && person.errors.contains("public identity"), "\(person)")
            }
        }

        @Test func everyCommandSpeaksJSON() async throws {
            struct Anything: Decodable {}
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                let file = scene.newFile("ledger")
                let commands = [
                    ["list"], ["show", "Shop"], ["send", "Shop", "hello"], ["read", "Shop"], ["doctor"], ["invite"],
                    ["config", "show"], ["config", "check"], ["rotate", "Shop"], ["end", "Shop"],
                    ["ledger", "export", "Shop", file], ["ledger", "verify", file],
                ]
                for command in commands {
                    let result = try await couple.ann.run(command + ["--json"])
                    #expect(result.status == 0 && result.errors.isEmpty, "\(command): \(result)")
                    #expect(result.output.filter { $0 == "\n" }.count == 1, "\(command)")
                    _ = try result.json(Anything.self)
                }
                let unknown = try await couple.ann.run(["show", "nobody", "--json"])
                #expect(unknown.status == 64)
                #expect(try unknown.json(Tool.Failure.self).error.hint.contains("handfast list"))
            }
        }

        @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/zbarimg"), "needs zbar-tools"))
        func qrCodeHoldsTheInvitation() async throws {
            try await Scene.play { scene in
                let relay = try await scene.startRelay().address
                let shop = try await scene.makeParty("Shop", relay: relay)
                let svg = "\(scene.folder)/invitation.svg"
                let uri = try await shop.done(["invite", "--svg", svg]).output
                #expect(uri.hasPrefix("handfast:") && uri.count <= 201 && uri.last == "\n")
                // The modules of the image, as a bitmap that a scanner reads.
                let image = try Bitmap(svg: try String(contentsOfFile: svg, encoding: .utf8))
                let picture = "\(scene.folder)/invitation.pgm"
                try image.portableGraymap(scale: 4).write(to: URL(fileURLWithPath: picture))
                let scanner = URL(fileURLWithPath: "/usr/bin/zbarimg")
                let scanned = try await Tool.run(["-q", "--raw", picture], program: scanner, in: scene)
                #expect(scanned.output == uri, "\(scanned)")
            }
        }
    }
}

/// The modules of a QR code's SVG image.
struct Bitmap {
    let side: Int
    private var dark: Set<[Int]> = []

    /// Reads the view box and the squares of the one path.
    init(svg: String) throws {
        let box = try #require(svg.firstMatch(of: /viewBox="0 0 (\d+) (\d+)"/))
        side = try #require(Int(box.1))
        for square in svg.matches(of: /M(\d+) (\d+)h1v1h-1z/) {
            dark.insert([try #require(Int(square.1)), try #require(Int(square.2))])
        }
    }

    /// A grey image, several pixels a module.
    func portableGraymap(scale: Int) -> Data {
        var data = Data("P5\n\(side * scale) \(side * scale)\n255\n".utf8)
        for y in 0..<side * scale {
            for x in 0..<side * scale { data.append(dark.contains([x / scale, y / scale]) ? 0 : 255) }
        }
        return data
    }
}
