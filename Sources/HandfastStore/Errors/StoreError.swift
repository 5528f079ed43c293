/// Everything that a store refuses or fails at, with what to do next in its text.
public enum StoreError: Error, Equatable, Sendable {
    /// The passphrase or key file does not open this vault; the vault itself is sound.
    case wrongPassphrase
    /// Another process holds the vault or relay store; `process` is its id where the lock file tells it.
    case locked(path: String, process: Int32?)
    /// There is no vault at this path.
    case noVault(path: String)
    /// There is a vault at this path already.
    case alreadyExists(path: String)
    /// The file is a database of something else.
    case notAVault(path: String)
    /// The file was written by a later version of the program.
    case newerVersion(path: String)
    /// A row does not open under its place in the file, or the file's structure is broken. Names table and row.
    case corrupted(String)
    /// The disk or a size limit leaves no room; nothing of the batch was stored.
    case full
    /// The disk refused to make a commit durable. The store answers nothing from then on: the process must end.
    case syncFailed(String)
    /// Reading or writing failed; nothing of the batch was stored.
    case inputOutput(String)
    /// The database could not be brought to flush every commit.
    case unsafeDurability(String)
    /// Others than the owner may read the key file, or it does not belong to the user of this process.
    case keyFilePermissions(path: String)
    /// The key file cannot be read or written, or is not 32 bytes.
    case keyFile(path: String, reason: String)
    /// Memory for keys could not be had, or the passphrase could not be hashed in the memory that is left.
    case keys(String)
    /// A row with this key exists already; nothing of the batch was stored. A fault of the caller.
    case duplicate(String)
    /// A row names another that does not exist; nothing of the batch was stored. A fault of the caller.
    case missing(String)
    /// A backup cannot be made or read, and why.
    case backup(path: String, BackupFault)
    /// The store was closed.
    case closed
}

extension StoreError {
    /// Whether this process can commit nothing more, so that it has to end: nobody knows what is on the disk, or another
    /// process has taken the vault.
    public var isFinal: Bool {
        switch self {
        case .syncFailed, .locked: true
        default: false
        }
    }
}

extension StoreError: CustomStringConvertible {
    /// What happened and what a person can do about it.
    public var description: String {
        switch self {
        case .wrongPassphrase:
            "The passphrase or key file does not open this vault. The vault is sound: try again with the right one."
        case .locked(let path, let process?):
            "Process \(process) is using \(path). Send it the command, or stop it first."
        case .locked(let path, nil):
            "Another process is using \(path). Stop it first."
        case .noVault(let path):
            "There is no vault at \(path). Make one with `handfast init`, or name another path."
        case .alreadyExists(let path):
            "There is a vault at \(path) already. Name another path; nothing was changed."
        case .notAVault(let path):
            "\(path) is not a file of this kind. Check the path; nothing was changed."
        case .newerVersion(let path):
            "\(path) was written by a later version of handfast. Use that version; nothing was changed."
        case .corrupted(let what):
            "Damaged: \(what). Restore the folder from a backup; keep the damaged one for inspection."
        case .full:
            "The disk, or the size allowed to this store, is full. Nothing of the last change was stored: "
                + "free some room and try again."
        case .syncFailed(let reason):
            "The disk did not confirm a write (\(reason)). Nothing unconfirmed was acknowledged. "
                + "Check the disk, then start again: the store opens with what is really on it."
        case .inputOutput(let reason):
            "Reading or writing the store failed (\(reason)). Nothing of the last change was acknowledged."
        case .unsafeDurability(let reason):
            "The database would not promise to flush each commit (\(reason)). Starting was refused."
        case .keyFilePermissions(let path):
            "The key file \(path) must belong to you and be readable by you alone: chmod 600 \(path)"
        case .keyFile(let path, let reason):
            "The key file \(path) cannot be used: \(reason)."
        case .keys(let reason):
            "The keys could not be prepared (\(reason)). Free some memory, or raise the limit on locked memory."
        case .duplicate(let what):
            "Stored already: \(what). Nothing of the batch was stored."
        case .missing(let what):
            "Not in the store: \(what). Nothing of the batch was stored."
        case .backup(let path, let fault):
            "The backup \(path): \(fault)."
        case .closed:
            "The store was closed."
        }
    }
}
