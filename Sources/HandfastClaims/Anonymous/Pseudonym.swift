public import HandfastCrypto

/// By what a verifier knows a holder again, within one scope and nowhere else: a point, 32 bytes.
///
/// Whoever breaks discrete logarithms in ristretto255 one day, as a quantum computer would, links all of a holder's.
///
/// - Source: Spec/11 §11.5
public struct Pseudonym: Hashable, Sendable {
    /// The point, which is not the neutral element.
    public let point: RistrettoPoint

    init(_ point: RistrettoPoint) {
        self.point = point
    }

    /// Takes an encoded pseudonym, as a blocklist keeps it.
    /// - Throws: ``AnonymousClaimError/nonCanonicalPoint(_:)``, ``AnonymousClaimError/identityPoint(_:)``
    public init(_ value: FixedBytes<32>) throws(AnonymousClaimError) {
        point = try AnonymousClaimError.point(value.bytes, named: "pseudonym")
    }
}
