internal import Foundation
internal import Handfast
public import HandfastCrypto
internal import HandfastStore

extension Node {
    /// Adds to a backup what has changed since it was last written, or makes it. The node goes on working meanwhile.
    ///
    /// A backup holds everything by which relationships go on, and nothing by which a message was or will be sealed:
    /// no channels, no keys of bundles, no tickets.
    ///
    /// - Parameters:
    ///   - path: the backup's file.
    ///   - passphrase: for a new file; it is restored by it. One that exists knows this vault.
    ///   - parameters: how a new file's passphrase is hashed.
    /// - Throws: ``NodeError/store(_:)``, ``NodeError/notConfigured(_:)`` for a vault in memory
    /// - Source: Spec/08 §8.6
    public func backUp(
        to path: String, passphrase: [UInt8]? = nil, parameters: PassphraseParameters? = nil
    ) async throws(NodeError) -> BackupReport {
        guard let vault = store as? any BackupSource else { throw .notConfigured("this vault is in memory only") }
        var files: [(name: String, bytes: [UInt8])] = []
        for file in configuration.backupFiles {
            guard let data = FileManager.default.contents(atPath: file) else { continue }
            files.append((URL(fileURLWithPath: file).lastPathComponent, Array(data)))
        }
        let now = keeper.time.now()
        let outcome: BackupOutcome
        do {
            var random = SecureRandom()
            outcome = try await vault.backUp(
                to: path, passphrase: passphrase, parameters: parameters ?? .vault(using: &random), files: files,
                now: now
            ) { row in try Self.kept(row) }
        } catch {
            throw .store(error)
        }
        let kept = KeptBackup(path: path, created: now.seconds, size: outcome.size)
        do {
            try await keeper.perform { keeper, draft in try keeper.keep(kept, at: KeptBackup.key, draft) }
        } catch .store(.locked) {
            // Another process has the vault: the backup is as good, and is not noted.
        }
        return BackupReport(
            path: path, size: outcome.size, written: outcome.written, rows: outcome.rows, isWhole: outcome.isWhole)
    }

    /// A row as a backup holds it; nil for one that would be of no use without its channel's keys.
    private static func kept(_ row: BackupRow) throws -> BackupRow? {
        switch row {
        case .relationship(_, let state, _, _):
            // What opens the welcome is a channel's key: an acceptance that is not answered yet is made again.
            try KeptRelationship(decoding: state).knocking == nil ? row : nil
        case .wallet(let key, _): key == KeptBackup.key ? nil : row
        default: row
        }
    }
}
