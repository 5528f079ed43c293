/// How things stand with the recovery root, and what was done.
public struct RecoveryReport: Codable, Hashable, Sendable {
    /// An identity whose next key derives from the root.
    public struct Identity: Codable, Hashable, Sendable {
        /// The relationship that it is for; nil for the public identity.
        public var relationship: String?
        /// From what the root makes its next key, 16 bytes.
        public var salt: [UInt8]
    }

    /// The name of the root; nil where there is none.
    public var name: [UInt8]?
    /// When it was made, seconds since 1970.
    public var created: UInt64?
    /// Promises that no identity has used yet.
    public var promises = 0
    /// Identities whose next keys derive from the root.
    public var identities: [Identity] = []
    /// Identities that are in use and whose next keys lie in the vault.
    public var inVault = 0
    /// Identities that were rotated now.
    public var rotated = 0
    /// Why others were not, in words.
    public var refusals: [String] = []

    /// Nothing is known yet.
    public init() {}
}
