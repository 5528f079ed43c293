internal import ArgumentParser
internal import Foundation
internal import HandfastNode
internal import HandfastPostgres
internal import HandfastStore
internal import Logging

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make a vault from a backup, and ask every peer to begin the channel anew.",
        discussion: """
            The whole backup is verified before anything is written, and a vault that
            exists is never touched. The new vault has a new key file, or a passphrase.

            Start its node: it asks each peer for a new epoch by itself, and gets back
            what was said after the backup was made, as far as the peer has it. Until a
            peer has answered, nothing can be sent in its relationship. Stop the old node
            if it still runs: two on one vault disturb each other, though they never use
            a key twice.

            It does not come back: the content of attachments, which is asked for again;
            invitations that were not accepted, and acceptances that were not answered;
            free copies of credentials, since another relationship may have seen them.

            With --store the new vault is in a PostgreSQL database, and the folder holds
            its key file, configuration and socket; else it is in the folder, wherever the
            old one was.

            EXAMPLES
              handfast restore ann.hfbackup --into ~/.local/share/handfast
              handfast restore ann.hfbackup --into /srv/ann --passphrase
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(name: .long, help: "The folder of the new vault.", completion: .directory)
    var into: String

    @Option(name: .long, help: "The database of the new vault, postgres://… (default: $HANDFAST_STORE, or none).")
    var store: String?

    @Flag(name: .long, help: "Protect the new vault by a passphrase instead of a key file.")
    var passphrase = false

    @Option(
        name: .long, help: "A file with the backup's passphrase (default: $HANDFAST_BACKUP_PASSPHRASE or a prompt).",
        completion: .file())
    var backupPassphraseFile: String?

    @Argument(help: "The backup.", completion: .file(extensions: ["hfbackup"]))
    var file: String

    func validate() throws {
        guard global.vault == nil else { throw ValidationError("--into names the new vault, not --vault") }
    }

    func run() async throws {
        var options = global
        options.vault = into
        let settings = try await Settings.load(options, adding: [.store: store])
        ProcessLog.start(settings, usual: .error)
        let folder = settings.folder
        guard !folder.holdsVault else { throw StoreError.alreadyExists(path: folder.path) }
        let backupPassphrase = try BackupPassphrase.known(file: backupPassphraseFile)
        let path = Paths.absolute(file)
        let backup = try await Progress.during("Verifying the backup") {
            try BackupReader(path: path, passphrase: backupPassphrase)
        }
        let protection = try Unlocking.protection(settings, wantsPassphrase: passphrase)
        let report = try await Progress.during("Restoring") {
            try await Self.restore(backup, into: try VaultPlace(settings), settings, protection)
        }
        var keyFile: String?
        if case .newKeyFile(let path) = protection { keyFile = path }
        try global.output.write(Document(report).adding(["vault": .text(folder.path), "keyFile": .text(keyFile)])) {
            Self.text(report, folder: folder.path, keyFile: keyFile)
        }
        if report.leftUnfinishedOut {
            global.output.note("an addition at the backup's end was never finished, and is left out")
        }
    }

    private static func restore(
        _ backup: BackupReader, into place: VaultPlace, _ settings: Settings, _ protection: VaultProtection
    ) async throws -> RestoreReport {
        var report = RestoreReport()
        // A password stays where it was given.
        let database = try settings.database().flatMap { $0.hasPassword ? nil : settings.text(.store) }
        let folder = settings.folder
        try await place.create(protection) { store in
            report = try await Node.restore(backup, into: store, time: TestClock.time) { name, bytes in
                try write(bytes, named: name, in: folder, database)
            }
        }
        return report
    }

    /// Writes a file of the vault's folder, unless another one stands there.
    private static func write(
        _ bytes: [UInt8], named name: String, in folder: VaultFolder, _ database: String?
    ) throws {
        guard !name.isEmpty, !name.hasPrefix("."), !name.contains("/"), !name.hasPrefix("vault.") else {
            throw Failure(.badData, "the backup names the file \(name), which is none of a vault's folder")
        }
        let isConfiguration = folder.file(named: name) == SettingsSource.usualPath(in: folder.path)
        let content = isConfiguration ? moved(bytes, to: database) : bytes
        let path = folder.file(named: name)
        if let known = FileManager.default.contents(atPath: path) {
            guard Array(known) == content else {
                throw Failure(
                    .cannotCreate, "the file \(path) exists, and is not that of the backup",
                    hint: "move it away, or restore into another folder")
            }
            return
        }
        try OutputFile.write(content, to: path, mode: 0o600)
    }

    /// The configuration without what was true of the old vault's place only, and with the new one's database.
    private static func moved(_ bytes: [UInt8], to database: String?) -> [UInt8] {
        guard var fields = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else { return bytes }
        for key in [SettingsKey.keyFile, .passphraseFile, .vault] { fields[key.rawValue] = nil }
        fields[SettingsKey.store.rawValue] = database
        let data = try? JSONSerialization.data(
            withJSONObject: fields, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        return data.map { Array($0) + [UInt8(ascii: "\n")] } ?? bytes
    }

    private static func text(_ report: RestoreReport, folder: String, keyFile: String?) -> String {
        var lines = [
            "Made a vault in \(folder) from the backup of \(Moment.text(report.created)):",
            "  \(report.relationships) relationships with \(report.records) records, \(report.walletRows) rows of the "
                + "wallet" + (report.files.isEmpty ? "" : ", \(report.files.joined(separator: ", "))"),
        ]
        if let keyFile { lines.append("It is opened by the key file \(keyFile). Keep a copy elsewhere.") }
        if report.attachments > 0 {
            lines.append("The content of \(report.attachments) attachments is not in the backup: ask for it again.")
        }
        lines.append("")
        lines.append(
            "Next: stop the old node if it still runs, then `handfast --vault \(folder) node run`. It asks "
                + "\(report.asking) peer\(report.asking == 1 ? "" : "s") to begin the channel anew; `handfast list` shows "
                + "who has answered.")
        return lines.joined(separator: "\n")
    }
}
