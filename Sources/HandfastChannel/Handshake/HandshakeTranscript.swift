internal import HandfastCrypto
internal import HandfastEncoding

/// The public values of a handshake from which both sides derive the same names and keys.
///
/// - Source: Spec/03 §3.3, §3.4
struct HandshakeTranscript: Sendable, Hashable {
    static let helloInfo = Array("HF1.hello".utf8)

    let bundleHash: Digest
    let encapsulation: [UInt8]
    let helloHash: Digest

    static func info(bundleHash: Digest) -> [UInt8] {
        helloInfo + bundleHash.array
    }

    /// `H("transcript", bundle hash, hello hash)`
    var digest: Digest {
        Digest.of(.transcript, bundleHash.array, helloHash.array)
    }

    static func relationship(bundleHash: Digest, encapsulation: [UInt8], invitee: IdentityID) -> RelationshipID {
        RelationshipID(Digest.of(.relationship, bundleHash.array, encapsulation, invitee.digest.array))
    }

    /// The first root, from what HPKE exports, the ticket and the transcript.
    func root(exported: borrowing SecretBytes, ticket: Ticket) -> EpochRoot {
        var derivation = LabelledHash(.root, key: exported)
        derivation.absorb(ticket.array)
        derivation.absorb(digest.bytes)
        return EpochRoot(derivation.secret())
    }

    /// What both keys of the inviter sign; the relationship's id lets a third party tie the invitee to it without the hello.
    func welcomeDigest(
        relationship: RelationshipID, inception: KeyEvent, ratchetKey: AgreementPublicKey, ciphertext: [UInt8]
    ) -> Digest {
        Digest.of(
            .welcome, relationship.digest.array, bundleHash.array, helloHash.array, inception.signed.payload,
            ratchetKey.array, ciphertext)
    }
}
