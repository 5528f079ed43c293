public import HandfastCrypto
public import HandfastEncoding

/// The public part of a handshake, from which anyone can verify what the inviter says about who met whom.
///
/// Its signatures are the inviter's; that the invitee took part, its first record shows.
/// - Source: Spec/03 §3.4, Spec/05 §5.6
public struct HandshakeProof: Hashable, Sendable {
    /// The COSE type of both of the inviter's signatures.
    public static let type = "handfast-welcome+cose"
    static let maximumSignatureByteCount = 256

    /// The bundle, a COSE_Sign1.
    public let bundle: [UInt8]
    /// The HPKE encapsulation of the hello, 1,120 bytes.
    public let encapsulation: [UInt8]
    /// `H("hello", hello)`.
    public let helloHash: Digest
    /// The ML-KEM ciphertext of the welcome, 1,088 bytes.
    public let ciphertext: [UInt8]
    /// The X25519 ratchet key of the welcome.
    public let ratchetKey: AgreementPublicKey
    /// The invitee's inception, a COSE_Sign1.
    public let inviteeInception: [UInt8]
    /// The inviter's pairwise inception, a COSE_Sign1.
    public let inviterInception: [UInt8]
    /// A detached COSE_Sign1 of the inviter's pairwise identity.
    public let pairwiseSignature: [UInt8]
    /// A detached COSE_Sign1 of the bundle's signer.
    public let signerSignature: [UInt8]
    /// Key events of the signer since the bundle, each a COSE_Sign1: the last one's key signed.
    public let signerEvents: [[UInt8]]

    /// What a proof shows.
    public struct Verified: Hashable, Sendable {
        /// The relationship.
        public let relationship: RelationshipID
        /// The invitee's inception.
        public let invitee: KeyEvent
        /// The inviter's inception.
        public let inviter: KeyEvent
        /// The key log of the bundle's signer, up to its signature.
        public let signer: KeyLog
        /// Six words that both people can compare.
        public let words: String
    }

    /// The inception of one side's pairwise identity.
    ///
    /// - Throws: ``ChannelError``
    public func inception(of side: SenderRole) throws(ChannelError) -> KeyEvent {
        let bytes = side == .invitee ? inviteeInception : inviterInception
        return try KeyEvent(decoding: bytes.bytes)
    }

    /// Verifies the bundle, both inceptions and both signatures.
    ///
    /// - Throws: ``ChannelError``
    public func verify() throws(ChannelError) -> Verified {
        try verify(
            bundle: Bundle(decoding: bundle.bytes), invitee: KeyEvent(decoding: inviteeInception.bytes))
    }

    /// Verifies what remains for the invitee, who verified the bundle before its hello and made its own inception.
    func verify(bundle: Bundle, invitee: KeyEvent) throws(ChannelError) -> Verified {
        let inviter = try KeyEvent(decoding: inviterInception.bytes)
        guard invitee.kind == .inception, inviter.kind == .inception else {
            throw .keyLog(.inceptionExpected, sequence: 0)
        }
        guard encapsulation.count == HPKESender.encapsulationCount else {
            throw .malformed("handshake: the encapsulation has \(HPKESender.encapsulationCount) bytes")
        }
        guard ciphertext.count == KEMPrivateKey.ciphertextCount else {
            throw .malformed("handshake: the ciphertext has \(KEMPrivateKey.ciphertextCount) bytes")
        }
        var signer = bundle.signerLog
        for bytes in signerEvents {
            let (event, count) = (try KeyEvent(decoding: bytes.bytes), signer.events.count)
            try signer.append(event)
            // One handshake has one proof: an event that the bundle shows already has no place here.
            guard signer.events.count > count else { throw .keyLog(.wrongSequence, sequence: event.sequence) }
        }
        guard !signer.isRevoked else { throw .keyLog(.revoked, sequence: signer.events.count - 1) }
        let transcript = HandshakeTranscript(
            bundleHash: bundle.hash, encapsulation: encapsulation, helloHash: helloHash)
        let relationship = HandshakeTranscript.relationship(
            bundleHash: bundle.hash, encapsulation: encapsulation, invitee: invitee.identity)
        let digest = transcript.welcomeDigest(
            relationship: relationship, inception: inviter, ratchetKey: ratchetKey, ciphertext: ciphertext)
        try ChannelError.naming("welcome, signature of the pairwise identity") {
            try COSESign1(decodingDetached: pairwiseSignature.bytes, payload: digest.array)
                .verify(type: Self.type, with: inviter.signingKey)
        }
        let signerKey = signer.currentKey
        try ChannelError.naming("welcome, signature of the bundle's signer") {
            try COSESign1(decodingDetached: signerSignature.bytes, payload: digest.array)
                .verify(type: Self.type, with: signerKey)
        }
        let words = Digest.of(.words, transcript.digest.array, digest.array)
        return Verified(
            relationship: relationship, invitee: invitee, inviter: inviter, signer: signer,
            words: try ChannelError.naming("words") { try Proquint.encode(words.bytes.extracting(0..<12)) })
    }

    /// Writes `[bundle, encapsulation, hello hash, ciphertext, ratchet key, invitee's inception, inviter's inception,
    /// pairwise signature,
    /// signer's signature, [* key event]]`.
    public func write(to writer: inout CBORWriter) {
        writer.writeArrayHeader(10)
        writer.writeBytes(bundle)
        writer.writeBytes(encapsulation)
        writer.writeBytes(helloHash.array)
        writer.writeBytes(ciphertext)
        writer.writeBytes(ratchetKey.array)
        writer.writeBytes(inviteeInception)
        writer.writeBytes(inviterInception)
        writer.writeBytes(pairwiseSignature)
        writer.writeBytes(signerSignature)
        writer.writeArrayHeader(signerEvents.count)
        for event in signerEvents { writer.writeBytes(event) }
    }

    /// Reads what ``write(to:)`` writes; verifies nothing.
    ///
    /// - Throws: `CBORError` or `CryptoError`
    public init(reading reader: inout CBORReader) throws {
        try reader.readArrayHeader(count: 10)
        bundle = try reader.readByteArray(maximum: Bundle.maximumByteCount)
        encapsulation = [UInt8](try reader.readBytes(count: HPKESender.encapsulationCount))
        helloHash = try Digest(reader.readBytes(count: 32))
        ciphertext = [UInt8](try reader.readBytes(count: KEMPrivateKey.ciphertextCount))
        ratchetKey = try AgreementPublicKey(reader.readBytes(count: 32))
        inviteeInception = try reader.readByteArray(maximum: KeyEvent.maximumByteCount)
        inviterInception = try reader.readByteArray(maximum: KeyEvent.maximumByteCount)
        pairwiseSignature = try reader.readByteArray(maximum: Self.maximumSignatureByteCount)
        signerSignature = try reader.readByteArray(maximum: Self.maximumSignatureByteCount)
        signerEvents = try Self.readEvents(&reader)
    }

    static func readEvents(_ reader: inout CBORReader) throws(CBORError) -> [[UInt8]] {
        var events: [[UInt8]] = []
        for _ in 0..<(try reader.readArrayHeader(maximum: KeyLog.maximumEventCount)) {
            events.append(try reader.readByteArray(maximum: KeyEvent.maximumByteCount))
        }
        return events
    }

    init(
        bundle: [UInt8], encapsulation: [UInt8], helloHash: Digest, ciphertext: [UInt8],
        ratchetKey: AgreementPublicKey, inviteeInception: [UInt8], inviterInception: [UInt8],
        pairwiseSignature: [UInt8], signerSignature: [UInt8], signerEvents: [[UInt8]]
    ) {
        self.bundle = bundle
        self.encapsulation = encapsulation
        self.helloHash = helloHash
        self.ciphertext = ciphertext
        self.ratchetKey = ratchetKey
        self.inviteeInception = inviteeInception
        self.inviterInception = inviterInception
        self.pairwiseSignature = pairwiseSignature
        self.signerSignature = signerSignature
        self.signerEvents = signerEvents
    }
}
