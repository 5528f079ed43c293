internal import ArgumentParser
internal import Foundation
internal import HandfastNode

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Make an encrypted backup of the vault, or add to one what has changed.",
        discussion: """
            The node may run meanwhile. A new backup asks for a passphrase of its own, by
            which `handfast restore` opens it; later runs with the same FILE ask for
            nothing, add what has changed, and check what is there. So it can run every
            hour:

              0 * * * *  handfast backup /mnt/backup/ann.hfbackup --json

            The backup holds identities with their keys, relationships, records, events,
            credentials, and the vault's configuration. It holds no key that has sealed
            or will seal a message, so that old messages cannot be read with it from
            what a relay saw. It does not hold the content of attachments, invitations
            that are not answered yet, or what a relay stores.

            EXAMPLES
              handfast backup ann.hfbackup
              handfast backup /mnt/backup/ --backup-passphrase-file ~/.backup-passphrase
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(
        name: .long,
        help: "A file with a new backup's passphrase (default: $HANDFAST_BACKUP_PASSPHRASE or a prompt).",
        completion: .file())
    var backupPassphraseFile: String?

    @Argument(
        help: "The file to write or add to; in a folder, the file handfast.hfbackup.",
        completion: .file(extensions: ["hfbackup"]))
    var file: String

    func run() async throws {
        let path = Self.path(file)
        let exists = FileManager.default.fileExists(atPath: path)
        let access = try await VaultAccess(global, network: false)
        let command = Command.backup(
            path: path, passphrase: exists ? nil : try BackupPassphrase.new(file: backupPassphraseFile))
        let reply = try await Progress.during("Backing up", detail: { Self.size(of: path) }) {
            try await access.reply(to: command)
        }
        guard case .backup(let report) = reply else { throw Failure.unexpectedReply }
        try global.output.write(Document(report)) {
            let (written, size) = (ByteCount.text(report.written), ByteCount.text(report.size))
            if report.isWhole {
                return "Wrote \(size) to \(report.path). `handfast restore` brings the vault back with it and its "
                    + "passphrase: keep both away from this machine."
            }
            return report.rows == 0
                ? "Nothing has changed; \(report.path) is in order (\(size))."
                : "Added \(written) to \(report.path), which holds \(size)."
        }
    }

    /// Where the backup lies that a person names by file or folder.
    private static func path(_ text: String) -> String {
        let path = Paths.absolute(text)
        var isFolder: ObjCBool = false
        let exists = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        return exists && isFolder.boolValue ? "\(path)/handfast.hfbackup" : path
    }

    private static func size(of path: String) -> String {
        for file in [path + ".new", path] {
            let attributes = try? FileManager.default.attributesOfItem(atPath: file)
            if let size = attributes?[.size] as? UInt64 { return ", \(ByteCount.text(size))" }
        }
        return ""
    }
}
