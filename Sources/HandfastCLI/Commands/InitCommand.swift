internal import ArgumentParser
internal import Foundation
internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastNode
internal import HandfastPostgres
internal import HandfastStore
internal import Logging

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a vault, and with --public DOMAIN a vendor's public identity.",
        discussion: """
            The vault is opened by a key file beside it, so that a node can start by
            itself, or by a passphrase. Without --relay and --listen the node will serve
            a relay of its own on this machine, at a free port.

            EXAMPLES
              handfast init
              HANDFAST_STORE=postgres://handfast@db.example/handfast handfast init
              handfast init --passphrase --relay 'relay.example:7447/…'
              handfast init --relay 'relay.example:7447/…' --relay 'other.example:7447/…'
              handfast init --vault /srv/shop --public shop.example --name 'Corner Shop' --listen 0.0.0.0:7447 \\
                --advertise relay.shop.example
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(name: .customLong("public"), help: "Also make a public identity for this domain of yours.")
    var domain: String?

    @Option(
        name: .long,
        help: "Where to write the file that DOMAIN is to serve (default: well-known/handfast in the vault).",
        completion: .file())
    var wellKnown: String?

    @Flag(name: .long, help: "Protect the vault by a passphrase instead of a key file.")
    var passphrase = false

    @Option(name: .long, help: "The name by which you introduce yourself in every relationship.")
    var name: String?

    @Option(
        name: .long, parsing: .singleValue,
        help: "The relay at which you receive, as `relay run` prints it; again for more, the preferred one first.")
    var relay: [String] = []

    @Option(name: .long, help: "Serve a relay of your own here instead, host:port.")
    var listen: String?

    @Option(name: .long, help: "The host name by which others reach that relay.")
    var advertise: String?

    func validate() throws {
        guard relay.isEmpty || listen == nil else { throw ValidationError("give --relay or --listen, not both") }
        guard relay.count <= Address.maximumCount else {
            throw ValidationError("--relay is given at most \(Address.maximumCount) times")
        }
        guard wellKnown == nil || domain != nil else { throw ValidationError("--well-known goes with --public") }
        guard listen.map({ Endpoint($0)?.port ?? 0 > 0 }) ?? true else {
            throw ValidationError("--listen is host:port with a port from 1 to 65535")
        }
    }

    func run() async throws {
        let settings = try await Settings.load(global)
        ProcessLog.start(settings, usual: .error)
        for text in relay { _ = try RelayAddress(text: text) }
        let folder = settings.folder
        let place = try VaultPlace(settings)
        guard !folder.holdsVault else { throw StoreError.alreadyExists(path: folder.path) }
        let protection = try Unlocking.protection(settings, wantsPassphrase: passphrase)
        let vault = try await Progress.during("Making the vault") { try await place.create(protection) }
        let store = vault.store
        var made = Made(folder: folder.path, name: name)
        if case .newKeyFile(let path) = protection { made.keyFile = path }
        if let domain {
            let node = try await Node.open(NodeConfiguration(), store: store, time: TestClock.time)
            let log: KeyLog
            do {
                log = try await node.makePublicIdentity(domain: domain)
            } catch {
                // Without its identity the vault is not what was asked for.
                await (store as? PostgresVaultStore)?.discard()
                await store.close()
                Self.remove(folder, keyFile: made.keyFile)
                throw error
            }
            made.identity = log.id.description
            made.domain = domain
            made.wellKnown = Paths.absolute(wellKnown ?? folder.file(named: "well-known/handfast"))
            try OutputFile.writeMakingFolder(log.encoded(), to: made.wellKnown ?? "")
        }
        await store.close()
        try await writeConfiguration(settings, &made)
        global.output.write(made.document) { made.text }
    }

    /// Writes what was said about this node into the vault's own configuration, unless another file rules.
    private func writeConfiguration(_ settings: Settings, _ made: inout Made) async throws {
        if let first = relay.first {
            made.relay = first
            if relay.count > 1 { made.alternatives = relay.dropFirst().joined(separator: ", ") }
        } else if let listen {
            made.listen = listen
        } else if settings.text(.relayAddress) == nil, settings.listen == nil {
            made.listen = "127.0.0.1:\(try await FreePort.find())"
        }
        var fields: [String: Document?] = ["name": .text(name)]
        // A password stays where it was given.
        if let database = try settings.database(), !database.hasPassword {
            fields["store"] = .text(settings.text(.store))
        }
        if made.relay != nil || made.listen != nil || advertise != nil {
            fields["relay"] = [
                "address": .text(made.relay), "alternatives": .text(made.alternatives), "listen": .text(made.listen),
                "advertise": .text(advertise),
            ]
        }
        let usual = Unlocking.usualKeyFile(of: settings.folder)
        if let keyFile = made.keyFile, keyFile != usual { fields["keyFile"] = .text(keyFile) }
        let path = SettingsSource.usualPath(in: settings.folder.path)
        guard !FileManager.default.fileExists(atPath: path) else { return }
        try OutputFile.write(Array((Document.object(fields).indentedText + "\n").utf8), to: path, mode: 0o600)
        made.configuration = path
    }

    private static func remove(_ folder: VaultFolder, keyFile: String?) {
        let names = ["", "-wal", "-shm"].map { folder.databasePath + $0 } + [keyFile].compactMap(\.self)
        for name in names { try? FileManager.default.removeItem(atPath: name) }
    }

    /// What `init` made.
    private struct Made {
        let folder: String
        let name: String?
        var keyFile: String?
        var identity: String?
        var domain: String?
        var wellKnown: String?
        var relay: String?
        var alternatives: String?
        var listen: String?
        var configuration: String?

        var document: Document {
            [
                "vault": .text(folder), "keyFile": .text(keyFile), "publicIdentity": .text(identity),
                "domain": .text(domain), "wellKnown": .text(wellKnown), "relay": .text(relay),
                "alternatives": .text(alternatives), "listen": .text(listen), "configuration": .text(configuration),
            ]
        }

        var text: String {
            var lines = ["Made a vault in \(folder)."]
            if let keyFile {
                lines.append(
                    "It is opened by the key file \(keyFile): whoever has both has everything. Keep a copy elsewhere.")
            } else {
                lines.append("It is opened by your passphrase, which nobody can give back to you.")
            }
            if let identity, let domain, let wellKnown {
                lines.append("")
                lines.append("Your public identity for \(domain) is \(identity).")
                lines.append("Let the web server of \(domain) serve the file")
                lines.append("  \(wellKnown)")
                lines.append("as https://\(domain)/.well-known/handfast, for example in nginx:")
                lines.append(
                    "  location = /.well-known/handfast { alias \(wellKnown); default_type application/cbor; }")
            }
            if let listen {
                lines.append("")
                lines.append("The node will serve a relay of its own at \(listen).")
                if listen.hasPrefix("127.") || listen.hasPrefix("localhost") {
                    lines.append(
                        "Only this machine reaches it; see `handfast init --help` for --relay, --listen and --advertise."
                    )
                }
            }
            lines.append("")
            lines.append(
                "Next: `handfast node run` in one terminal, then `handfast invite` or `handfast accept` in another.")
            return lines.joined(separator: "\n")
        }
    }
}
