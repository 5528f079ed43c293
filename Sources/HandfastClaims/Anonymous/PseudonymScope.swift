public import HandfastCrypto

/// Where a pseudonym stays the same.
///
/// The holder makes it from the vendor's authenticated identity, never from a text that the vendor sends: two vendors
/// that sent the same text would see the same pseudonym.
///
/// - Source: Spec/11 §11.5
public enum PseudonymScope: Hashable, Sendable {
    /// One relationship, by the vendor's pairwise identity: the default.
    case relationship(Digest)
    /// All relationships with one vendor, by its public identity: the vendor links them, which is to be shown to the
    /// holder; a blocklist needs it.
    case vendor(Digest)

    /// The scope's name and the vendor's identity in it.
    var items: (name: String, identity: Digest) {
        switch self {
        case .relationship(let identity): ("relationship", identity)
        case .vendor(let identity): ("vendor", identity)
        }
    }

    /// The point whose multiples are the scope's pseudonyms.
    var point: RistrettoPoint {
        let (name, identity) = items
        var transcript = AnonymousTranscript()
        transcript.absorb(name)
        transcript.absorb(identity.array)
        return transcript.point(.anonymousPseudonym)
    }
}
