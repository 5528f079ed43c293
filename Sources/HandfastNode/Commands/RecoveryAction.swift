/// What is asked of a node about its recovery root, which it never sees itself.
public enum RecoveryAction: Codable, Hashable, Sendable {
    /// Tells how things stand, and whose next keys derive from the root.
    case status
    /// Names a new root and keeps promises of its keys, in place of those that are left.
    case begin(name: [UInt8], promises: [Promise])
    /// Keeps more promises of the root's keys.
    case refill(name: [UInt8], promises: [Promise])
    /// Rotates up to `limit` identities whose next keys still lie in the vault, so that their next ones are promised.
    case adopt(limit: Int)
    /// Rotates identities with their revealed keys, and begins their channels anew.
    case rotate(name: [UInt8], keys: [Key])

    /// A next key that is promised.
    public struct Promise: Codable, Hashable, Sendable {
        /// From what the root makes the key, 16 bytes.
        public var salt: [UInt8]
        /// What an event says of it, 32 bytes.
        public var commitment: [UInt8]

        /// Names a key of the root.
        public init(salt: [UInt8], commitment: [UInt8]) {
            self.salt = salt
            self.commitment = commitment
        }
    }

    /// A next key that the root has revealed for one rotation.
    public struct Key: Codable, Hashable, Sendable {
        /// Whose key it is.
        public var identity: RecoveryReport.Identity
        /// Its seed, 32 bytes.
        public var seed: [UInt8]
        /// The key after it.
        public var promise: Promise

        /// A key for a rotation.
        public init(identity: RecoveryReport.Identity, seed: [UInt8], promise: Promise) {
            self.identity = identity
            self.seed = seed
            self.promise = promise
        }
    }
}
