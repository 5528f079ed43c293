internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastStore

/// What the vault keeps of the recovery root: its name, never the root.
struct KeptRecovery: Codable, Hashable, Sendable {
    /// The row that holds it.
    static let key = WalletKey(.recovery, Array("root".utf8))

    /// The root's name, 16 bytes.
    var name: [UInt8]
    /// When it was made, seconds since 1970.
    var created: UInt64
}

/// What the vault keeps of a promised key that no identity has used yet.
struct KeptPromise: Codable, Hashable, Sendable {
    private static let prefix = Array("key ".utf8)

    /// What an event says of the key, 32 bytes.
    var commitment: [UInt8]

    /// The row of a salt.
    static func key(_ salt: FixedBytes<16>) -> WalletKey { WalletKey(.recovery, prefix + salt.array) }

    /// Whether a row of the table is a promise.
    static func isPromise(_ key: WalletKey) -> Bool {
        key.table == .recovery && key.bytes.count == prefix.count + 16 && key.bytes.starts(with: prefix)
    }

    /// The promise of a row.
    func promise(of key: WalletKey) throws(NodeError) -> PromisedKey {
        try NodeError.reading("a promised key") {
            PromisedKey(
                salt: try FixedBytes(copying: Array(key.bytes.suffix(16))), commitment: try Digest(commitment.bytes))
        }
    }
}

extension RecoveryAction.Promise {
    /// The promise in the channel's words.
    var promisedKey: PromisedKey {
        get throws(NodeError) {
            do {
                return PromisedKey(salt: try FixedBytes(copying: salt), commitment: try Digest(commitment.bytes))
            } catch {
                throw .badData("a promised key has 16 and 32 bytes: \(error)")
            }
        }
    }
}
