/// What a backup has written.
public struct BackupReport: Codable, Hashable, Sendable {
    /// The file.
    public var path: String
    /// Its size in bytes.
    public var size: UInt64
    /// The bytes that were written now.
    public var written: UInt64
    /// The rows that were written now: new ones and those that have changed.
    public var rows: UInt64
    /// Whether the file was written whole; otherwise something was added to it.
    public var isWhole: Bool
    /// What a person should know beside that.
    public var notice: String?
}

/// What a restore has brought back, and what it could not.
public struct RestoreReport: Codable, Hashable, Sendable {
    /// When the backup was made, seconds since 1970.
    public var created: UInt64 = 0
    /// Relationships of any state.
    public var relationships = 0
    /// Relationships in which the other side is asked to begin the channel anew.
    public var asking = 0
    /// Records of both sides.
    public var records = 0
    /// Credentials' copies and everything else of the wallet.
    public var walletRows = 0
    /// Files that the vault's folder has back.
    public var files: [String] = []
    /// Attachments whose content was not in the backup.
    public var attachments = 0
    /// Whether an unfinished addition at the backup's end was left out.
    public var leftUnfinishedOut = false

    /// Nothing has come back yet.
    public init() {}
}
