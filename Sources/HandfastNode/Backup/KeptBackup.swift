internal import HandfastStore

/// What the vault keeps of the last backup that was made of it.
struct KeptBackup: Codable, Hashable, Sendable {
    /// The row that holds it.
    static let key = WalletKey(.recovery, Array("backup".utf8))

    /// The file.
    var path: String
    /// When it was made, seconds since 1970.
    var created: UInt64
    /// The file's size in bytes.
    var size: UInt64
}
