/// What is wrong with a backup, or with what was asked of it.
///
/// - Source: Spec/08 §8.6
public enum BackupFault: Error, Equatable, Sendable {
    /// The file cannot be read or written, and why.
    case file(String)
    /// The file is none of ours.
    case notABackup
    /// A later version wrote it.
    case newerVersion
    /// It is made with a passphrase, which was not given.
    case needsPassphrase
    /// The passphrase does not open it.
    case wrongPassphrase
    /// It is of another vault, or of this one before it was restored.
    case anotherVault
    /// What stands from this byte on is not what was written.
    case damaged(offset: UInt64)
    /// It ends before its first part is whole.
    case unfinished
    /// Another process is writing it.
    case busy
}

extension BackupFault: CustomStringConvertible {
    /// What is wrong and what a person can do about it.
    public var description: String {
        switch self {
        case .file(let reason): "it cannot be used: \(reason). Nothing was changed"
        case .notABackup: "it is no backup. Check the path; nothing was changed"
        case .newerVersion: "a later version of handfast wrote it. Use that version; nothing was changed"
        case .needsPassphrase: "a new backup needs a passphrase of its own, by which it is restored"
        case .wrongPassphrase: "the passphrase does not open it. It is sound: try again with the right one"
        case .anotherVault:
            "it is a backup of another vault, or was made before this one was restored. Name another file; nothing was "
                + "changed"
        case .damaged(let offset):
            "it is damaged at byte \(offset), or was changed. Use another copy, and make a new backup at another path"
        case .unfinished: "it was never finished. Use another copy"
        case .busy: "another process is writing it. Try again when that is done"
        }
    }
}
