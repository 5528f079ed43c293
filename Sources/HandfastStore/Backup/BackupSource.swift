public import HandfastChannel
public import HandfastCrypto

/// What a backup has added to its file.
public struct BackupOutcome: Sendable, Equatable {
    /// The bytes of the file now.
    public let size: UInt64
    /// The bytes that were written.
    public let written: UInt64
    /// Rows that were written because they are new or have changed.
    public let rows: UInt64
    /// Rows that the file held and that are gone.
    public let gone: UInt64
    /// Whether the file was written whole rather than added to.
    public let isWhole: Bool
}

/// A vault of which a backup can be made.
///
/// - Source: Spec/08 §8.6
public protocol BackupSource: VaultStore {
    /// Adds to a backup what has changed since, or makes it.
    ///
    /// Everything is of one state of the vault, which goes on committing meanwhile. Where the additions have outgrown
    /// the first part the file is written whole again, and takes the old one's place once it is on the disk.
    ///
    /// - Parameters:
    ///   - path: the backup's file.
    ///   - passphrase: needed for a new backup, which is restored by it.
    ///   - parameters: how the passphrase is hashed; kept in the file.
    ///   - files: files of the vault's folder that are to be kept, too.
    ///   - now: noted in the file.
    ///   - keeping: gives the row as the backup is to hold it; nil for none at all.
    /// - Throws: ``StoreError/backup(path:_:)``, ``StoreError/full`` and what else reading a vault throws
    func backUp(
        to path: String, passphrase: [UInt8]?, parameters: PassphraseParameters,
        files: [(name: String, bytes: [UInt8])],
        now: Timestamp, keeping: @escaping @Sendable (BackupRow) throws -> BackupRow?
    ) async throws(StoreError) -> BackupOutcome
}
