public import HandfastCrypto

/// What opens a vault.
public enum VaultUnlock: Sendable {
    /// A passphrase, in UTF-8.
    case passphrase([UInt8])
    /// A file of 32 random bytes that only its owner may read.
    case keyFile(path: String)
}

/// What a new vault is to be opened with.
public enum VaultProtection: Sendable {
    /// A passphrase, in UTF-8, hashed with these parameters, which the vault keeps.
    case passphrase([UInt8], PassphraseParameters)
    /// A key file that is made at this path; it must not exist.
    case newKeyFile(path: String)
}
