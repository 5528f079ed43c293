import Foundation
import Testing

extension EndToEndTests {
    /// What the user sees of bad input, and that nothing is lost by it.
    @Suite(.serialized)
    struct BadInputTests {
        // MARK: Vault

        @Test func wrongPassphraseIsNotPermittedAndChangesNothing() async throws {
            try await Scene.play { scene in
                let right = ["HANDFAST_PASSPHRASE": "correct horse battery staple"]
                let party = Party(name: "Ann", vault: "\(scene.folder)/a", scene: scene, environment: right)
                try await party.done(["init"])
                let wrong = try await party.run(["list"], environment: ["HANDFAST_PASSPHRASE": "Tr0ub4dor&3"])
                #expect(wrong.status == 77)
                #expect(
                    wrong.errors == "handfast: the passphrase or key file does not open this vault — "
                        + "the vault is sound: try again with the right one\n")
                try await party.done(["list"])
            }
        }

        @Test func vaultWithoutAKeyAtHandSaysHowToGiveOne() async throws {
            try await Scene.play { scene in
                let vault = "\(scene.folder)/a"
                let party = Party(name: "Ann", vault: vault, scene: scene)
                try await party.done(["init"])
                try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(vault)/vault.key")
                let readable = try await party.run(["list"])
                #expect(readable.status == 77 && readable.errors.contains("chmod 600"))
                try FileManager.default.moveItem(atPath: "\(vault)/vault.key", toPath: "\(scene.folder)/moved")
                let session = try await Tool.run(
                    ["-w", Tool.url.path, "--vault", vault, "list"], program: URL(fileURLWithPath: "/usr/bin/setsid"),
                    in: scene)
                #expect(session.status == 77 && session.errors.contains("HANDFAST_PASSPHRASE_FILE"))
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o600], ofItemAtPath: "\(scene.folder)/moved")
                try await party.done(["list", "--key-file", "\(scene.folder)/moved"])
            }
        }

        @Test func secondNodeOnAVaultIsToldWhoHasIt() async throws {
            try await Scene.play { scene in
                let relay = try await scene.startRelay().address
                let ann = try await scene.makeParty("Ann", relay: relay)
                let node = try await ann.startNode()
                let second = try await ann.run(["node", "run"])
                #expect(second.status == 75)
                #expect(second.errors.contains("process \(node.processID) is using"))
                let again = try await ann.run(["init"])
                #expect(again.status == 73 && again.errors.contains("already"))
                try await ann.done(["list"])
            }
        }

        @Test func damagedVaultIsNamedAndNotTouched() async throws {
            try await Scene.play { scene in
                let party = Party(name: "Ann", vault: "\(scene.folder)/a", scene: scene)
                try await party.done(["init"])
                let path = "\(party.vault)/vault.sqlite"
                let garbage = Data("this is not a database, it only has its name".utf8)
                try garbage.write(to: URL(fileURLWithPath: path))
                let result = try await party.run(["list"])
                #expect(result.status == 65 && result.errors.hasPrefix("handfast: "))
                #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == garbage)
            }
        }

        // MARK: Network

        @Test func relayThatIsDownDelaysAndLosesNothing() async throws {
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                let uri = try await couple.shop.invite(label: "Other")
                await couple.relay.stop(SIGKILL)
                let sent = try await couple.ann.ask(Party.Sent.self, "send", "Shop", "patience", "--wait", "1")
                #expect(sent.waiting == 1 && sent.notice?.contains("not delivered yet") == true)
                let accept = try await couple.ann.run(["accept", uri])
                #expect(accept.status == 69 && accept.errors.hasPrefix("handfast: "), "\(accept)")
                _ = try await scene.startRelay(at: couple.relayAddress)
                #expect(try await couple.shop.texts("Ann", count: 1) == ["patience"])
                try await couple.ann.wait("Shop") { $0.waiting == 0 }
            }
        }

        @Test func clockThatIsOffByADayIsBorneOrNamed() async throws {
            try await Scene.play { scene in
                let relay = try await scene.startRelay().address
                let fast = ["HANDFAST_TEST_CLOCK_OFFSET": "86400"]
                let slow = ["HANDFAST_TEST_CLOCK_OFFSET": "-86400"]
                let shop = try await scene.makeParty("Shop", relay: relay, environment: fast)
                let ann = try await scene.makeParty("Ann", relay: relay)
                let bob = try await scene.makeParty("Bob", relay: relay, environment: slow)
                for party in [shop, ann, bob] { _ = try await party.startNode() }
                for (inviter, invitee) in [(shop, ann), (ann, shop), (bob, ann)] {
                    let (from, to) = ("from \(inviter.name)", "to \(invitee.name)")
                    try await invitee.done(["accept", try await inviter.invite(label: to), "--label", from])
                    try await invitee.wait(from) { $0.state == "live" }
                    try await invitee.done(["send", from, "what time is it?"])
                    #expect(try await inviter.texts(to, count: 1) == ["what time is it?"])
                    try await inviter.done(["send", to, "late"])
                    #expect(try await invitee.texts(from, count: 1) == ["late"])
                }
                // A bundle is refused by a clock that says it is not valid yet: the clocks are named, nothing has begun.
                for inviter in [ann, shop] {
                    let apart = try await bob.run(["accept", try await inviter.invite(label: "to Bob")])
                    #expect(apart.status == 65 && apart.errors.contains("check the clock"), "\(apart)")
                }
            }
        }

        // MARK: Invitations

        @Test func garbledInvitationIsBadDataAndBeginsNothing() async throws {
            try await Scene.play { scene in
                let relay = try await scene.startRelay().address
                let shop = try await scene.makeParty("Shop", relay: relay)
                let ann = try await scene.makeParty("Ann", relay: relay)
                _ = try await shop.startNode()
                _ = try await ann.startNode()
                let uri = try await shop.invite(label: "Ann")
                let other: (Character) -> Character = { $0 == "A" ? "B" : "A" }
                var garbled = ["", "hello", "https://shop.example", "handfast:", "handfast:!!!!", uri + "A", uri + uri]
                garbled.append(String(uri.dropLast(10)))
                for offset in stride(from: 9, to: uri.count, by: 13) {
                    let index = uri.index(uri.startIndex, offsetBy: offset)
                    garbled.append(uri.replacingCharacters(in: index...index, with: String(other(uri[index]))))
                }
                struct Accepted: Decodable {
                    let state: String
                    let notice: String?
                }
                for text in garbled {
                    let result = try await ann.run(["accept", "--wait", "2", "--json", "--", text])
                    if result.status == 0 {
                        // A garbled ticket alone looks like one that the relay has not been told of yet.
                        let accepted = try result.json(Accepted.self)
                        #expect(accepted.state == "greeted", "\(text): \(result)")
                        #expect(accepted.notice?.contains("does not know the invitation") == true, "\(result)")
                        continue
                    }
                    // 65 where the text or what it leads to is wrong; 69 where it now names another place.
                    #expect([65, 69].contains(result.status), "\(text): \(result)")
                    #expect(try result.json(Tool.Failure.self).error.message.isEmpty == false)
                }
                struct List: Decodable { let relationships: [Party.Relationship] }
                for relationship in try await ann.ask(List.self, "list").relationships {
                    #expect(relationship.state == "greeted", "\(relationship)")
                }
                try await ann.done(["accept", "-", "--label", "Shop"], input: "  \(uri)\n")
                try await ann.wait("Shop") { $0.state == "live" }
            }
        }

        @Test func expiredInvitationIsRefusedBeforeAnythingIsSent() async throws {
            try await Scene.play { scene in
                let relay = try await scene.startRelay().address
                let shop = try await scene.makeParty("Shop", relay: relay)
                let ann = try await scene.makeParty(
                    "Ann", relay: relay, environment: ["HANDFAST_TEST_CLOCK_OFFSET": "\(40 * 86_400)"])
                _ = try await shop.startNode()
                let result = try await ann.run(["accept", try await shop.invite(label: "Ann")])
                #expect(result.status == 65 && result.errors.contains("expired"), "\(result)")
            }
        }

        @Test func stolenTicketServesNobodyTwiceAndIsReported() async throws {
            try await Scene.play { scene in
                let relay = try await scene.startRelay().address
                let shop = try await scene.makeParty("Shop", relay: relay)
                let ann = try await scene.makeParty("Ann", relay: relay)
                let thief = try await scene.makeParty("Thief", relay: relay)
                for party in [shop, ann, thief] { _ = try await party.startNode() }
                let uri = try await shop.invite(label: "Ann")
                try await ann.done(["accept", uri, "--label", "Shop"])
                try await ann.wait("Shop") { $0.state == "live" }
                let second = try await thief.ask(
                    Party.Relationship.self, "accept", uri, "--label", "Shop", "--wait", "2")
                #expect(second.state == "greeted")
                try await Party.until("the doctor did not report the ticket") {
                    try await shop.run(["doctor"]).output.contains("ticket") ? true : nil
                }
                struct List: Decodable { let relationships: [Party.Relationship] }
                #expect(try await shop.ask(List.self, "list").relationships.count == 1)
                try await shop.done(["send", "Ann", "still we two"])
                #expect(try await ann.texts("Shop", count: 1) == ["still we two"])
            }
        }

        // MARK: Files

        @Test func damagedLedgerIsRefusedByName() async throws {
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                try await couple.ann.done(["send", "Shop", "signed and linked"])
                _ = try await couple.shop.texts("Ann", count: 1)
                let (mine, theirs) = (try await couple.ann.export("Shop"), try await couple.shop.export("Ann"))
                try await couple.ann.done(["ledger", "verify", mine, theirs])
                let whole = try Data(contentsOf: URL(fileURLWithPath: mine))
                var damaged = [Data(), Data("not a ledger".utf8), whole.dropLast(), whole + Data([0])]
                for place in stride(from: 3, to: whole.count, by: whole.count / 12) {
                    var copy = whole
                    copy[place] ^= 0x10
                    damaged.append(copy)
                }
                for bytes in damaged {
                    let file = scene.newFile("damaged")
                    try bytes.write(to: URL(fileURLWithPath: file))
                    let result = try await couple.ann.run(["ledger", "verify", file])
                    #expect(result.status == 65 && result.errors.contains(file), "\(result)")
                    let compared = try await couple.ann.run(["ledger", "verify", theirs, file, "--json"])
                    #expect(compared.status == 65)
                    #expect(try compared.json(Tool.Failure.self).error.code == "badData")
                }
                let missing = try await couple.ann.run(["ledger", "verify", "/nowhere"])
                #expect(missing.status == 65 && missing.errors.contains("/nowhere"))
            }
        }

        @Test(arguments: [
            (#"{"relay": {"listn": "127.0.0.1:7447"}}"#, "relay.listn", #"did you mean "relay.listen"?"#),
            (#"{"relay": {"listen": "7447"}}"#, "relay.listen", "host:port"),
            (#"{"limits": {"retentionDays": 9000}}"#, "limits.retentionDays", "from 1 to 365"),
            (#"{"log": {"level": "loud"}}"#, "log.level", "one of trace"),
            (#"{"wait": "ten"}"#, "wait", "a whole number"),
            (#"{"relay": "host:1/key"}"#, "relay", "make it an object"),
            (#"{"relay": "#, "", "mend it"),
            ("[]", "", "begin it with {"),
        ])
        func damagedConfigurationNamesTheKeyAndTheRemedy(text: String, key: String, hint: String) async throws {
            struct Check: Decodable {
                struct Problem: Decodable {
                    let key: String
                    let message: String
                    let hint: String
                }
                let problems: [Problem]
            }
            try await Scene.play { scene in
                let file = "\(scene.folder)/config.json"
                try Data(text.utf8).write(to: URL(fileURLWithPath: file))
                let check = try await Tool.run(["config", "check", "--config", file, "--json"], in: scene)
                #expect(check.status == 65)
                let problem = try #require(try check.json(Check.self).problems.first)
                #expect(problem.key == key && problem.hint.contains(hint), "\(problem)")
                let command = try await Tool.run(["list", "--config", file], in: scene)
                #expect(command.status == 65 && command.errors.contains(problem.message))
            }
        }

        @Test func environmentOverridesAndIsCheckedToo() async throws {
            try await Scene.play { scene in
                let good = try await Tool.run(
                    ["config", "show", "--json"], in: scene, environment: ["HANDFAST_RELAY_LISTEN": "[::1]:9"])
                #expect(good.status == 0 && good.output.contains(#""relay.listen":"[::1]:9""#))
                let bad = try await Tool.run(
                    ["config", "check"], in: scene, environment: ["HANDFAST_RELAY_LISTN": "[::1]:9"])
                #expect(bad.status == 65 && bad.output.contains("did you mean HANDFAST_RELAY_LISTEN?"))
            }
        }

        // MARK: Arguments

        @Test(arguments: [
            ["--bogus"], ["sned", "x"], ["send"], ["send", "x"], ["send", "x", "y", "--lines"], ["list", "extra"],
            ["read", "x", "--after", "-1"], ["read", "x", "--limit", "0"], ["send", "x", "y", "--wait", "99999"],
            ["ledger", "verify"], ["ledger", "verify", "a", "b", "c"], ["init", "--listen", "nonsense"],
            ["init", "--relay", "a:1/b", "--listen", "a:1"],
        ])
        func wrongUsageIsOneLineWithTheWayToHelp(arguments: [String]) async throws {
            try await Scene.play { scene in
                let result = try await Tool.run(arguments, in: scene)
                #expect(result.status == 64 && result.output.isEmpty)
                #expect(result.errors.hasPrefix("handfast: ") && result.errors.contains("--help`"), "\(result)")
                #expect(result.errors.split(separator: "\n").count == 1)
                let json = try await Tool.run(arguments + ["--json"], in: scene)
                #expect(try json.json(Tool.Failure.self).error.code == "usage" && json.errors.isEmpty)
            }
        }

        @Test func textOfThePeerCannotCommandTheTerminal() async throws {
            try await Scene.play { scene in
                let couple = try await Couple(in: scene)
                let evil = "\u{1B}[2J\u{1B}]0;owned\u{07}\u{202E}txet\u{9B}31m"
                try await couple.ann.done(["send", "Shop", evil])
                #expect(try await couple.shop.texts("Ann", count: 1) == [evil])
                let shown = try await couple.shop.done(["read", "Ann"]).output
                let json = try await couple.shop.done(["read", "Ann", "--json"]).output
                for text in [shown, json] {
                    #expect(!text.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" || $0 == "\u{9B}" })
                }
            }
        }
    }
}
