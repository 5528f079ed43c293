/// What a verifier holds a presentation against.
///
/// - Source: Spec/11 §11.7
public struct AnonymousExpectation: Hashable, Sendable {
    /// The scope of the pseudonym.
    public let scope: PseudonymScope
    /// The nonce that this verifier gave, its identity and the relationship.
    public let binding: PresentationBinding
    /// Seconds since 1970.
    public let now: UInt64
    /// Pseudonyms of the scope that are refused.
    public let blocklist: Set<Pseudonym>

    /// An expectation.
    public init(scope: PseudonymScope, binding: PresentationBinding, now: UInt64, blocklist: Set<Pseudonym> = []) {
        self.scope = scope
        self.binding = binding
        self.now = now
        self.blocklist = blocklist
    }
}
