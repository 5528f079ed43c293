/// An identity that names a domain, and so may sign for many relationships by one signature.
///
/// A pairwise identity never becomes one: what it signed together for two relationships would show that both are the
/// same person's.
///
/// - Source: Spec/02 §2.3; Spec/05 §5.9
public struct PublicIdentity: ~Copyable, Sendable {
    /// The identity with its keys.
    public let identity: Identity

    /// Takes an identity that names a domain.
    /// - Throws: ``ChannelError/notPublic(_:)`` for any other.
    public init(_ identity: consuming Identity) throws(ChannelError) {
        guard identity.log.domain != nil else { throw .notPublic(identity.id) }
        self.identity = identity
    }

    /// The identity's key log.
    public var log: KeyLog { identity.log }
}
