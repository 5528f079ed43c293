/// A table of the wallet.
///
/// - Source: Spec/08 §8.2
public enum WalletTable: String, Sendable, CaseIterable {
    /// Credentials: what all copies say.
    case credential
    /// Copies of credentials, with the private keys of their holder.
    case copy
    /// Requests for claims that are not answered yet, of either side.
    case request
    /// Requests for claims that were answered, and what was learned.
    case answer
    /// Rules by which requests are answered.
    case rule
    /// Tokens of status lists.
    case status
    /// What anonymous claims need: the holder's secret, requests, credentials, and nonces that were given out.
    case anonymous
    /// Keys that issuers publish.
    case issuer
    /// Rows of the whole node: the last backup, what comes of strangers, the recovery root's name and promised keys that
    /// are not used yet.
    case recovery
}

/// Which row of the wallet.
public struct WalletKey: Hashable, Sendable {
    /// The table.
    public var table: WalletTable
    /// The key in it, 1 to 255 bytes.
    public var bytes: [UInt8]

    /// Names a row.
    public init(_ table: WalletTable, _ bytes: [UInt8]) {
        self.table = table
        self.bytes = bytes
    }
}

/// A row of the wallet to store, or to remove.
public struct WalletRow: Hashable, Sendable {
    /// Which row.
    public var key: WalletKey
    /// What it holds, opaque to the store; nil to remove it.
    public var bytes: [UInt8]?

    /// Makes a row.
    public init(key: WalletKey, bytes: [UInt8]?) {
        self.key = key
        self.bytes = bytes
    }
}

/// A row of the wallet as stored.
public struct StoredWalletRow: Hashable, Sendable {
    /// Where it stands in the list, for the next page.
    public let position: Int64
    /// Which row.
    public let key: WalletKey
    /// What it holds.
    public let bytes: [UInt8]

    package init(position: Int64, key: WalletKey, bytes: [UInt8]) {
        self.position = position
        self.key = key
        self.bytes = bytes
    }
}
