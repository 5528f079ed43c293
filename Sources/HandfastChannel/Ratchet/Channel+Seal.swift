public import HandfastCrypto

extension Channel {
    /// Seals one message, first making a step when one is pending.
    ///
    /// - Parameters:
    ///   - kind: What the content is; a turn has none.
    ///   - content: At most ``maximumContentByteCount`` bytes.
    ///   - now: The time, for the schedule of ML-KEM steps.
    ///   - envelope: Replaced by the envelope; its capacity is reused.
    ///   - entropy: Randomness and encapsulation for a step.
    /// - Throws: ``ChannelError/tooLarge(of:maximum:)``, ``ChannelError/chainExhausted``, or
    ///   ``ChannelError/cryptography(_:of:)`` when the
    ///   peer's ratchet key is degenerate.
    /// - Source: Spec/04 §4.1 to §4.6
    public mutating func seal(
        _ kind: PayloadKind, _ content: RawSpan, now: Timestamp, into envelope: inout [UInt8],
        using entropy: inout some Entropy
    ) throws(ChannelError) {
        guard content.byteCount <= Self.maximumContentByteCount else {
            throw .tooLarge(of: "message", maximum: Self.maximumContentByteCount)
        }
        guard kind != .turn || content.byteCount == 0 else { throw .malformed("message: a turn has no content") }
        if sending == nil { try makeStep(now: now, using: &entropy) }
        try seal(kind, content, lead: nil, into: &envelope)
    }

    /// Begins a sending chain: a fresh ratchet key, and an encapsulation if the peer has offered a key.
    mutating func makeStep(now: Timestamp, using entropy: inout some Entropy) throws(ChannelError) {
        let fresh = AgreementPrivateKey.generate(using: &entropy)
        let peerKey = peerRatchetKey
        let agreement = try ChannelError.naming("ratchet step") { try fresh.sharedSecret(with: peerKey) }
        var encapsulated = SecretBytes(count: 0)
        var ciphertext: [UInt8]?
        do throws(CryptoError) {
            if let peerOffer {
                let encapsulation = try entropy.encapsulate(to: peerOffer)
                ciphertext = encapsulation.ciphertext
                encapsulated = encapsulation.sharedSecret.copy()
            }
        } catch {
            throw .cryptography(error, of: "ratchet step")
        }
        let step = try RatchetStep(
            root: root, agreement: agreement, encapsulated: encapsulated,
            RatchetStep.PublicValues(
                senderKey: fresh.publicKey, receiverKey: peerRatchetKey, encapsulationKey: peerOffer?.array ?? [],
                ciphertext: ciphertext ?? []))
        if let peerOffer {
            usedPeerOffer = Self.digest(of: peerOffer)
            self.peerOffer = nil
            auxiliaryChanged = true
        }
        schedule.didStep(withCiphertext: ciphertext != nil, at: now)
        if schedule.isDue(at: now), ownOffer == nil {
            ownOffer = KEMPrivateKey.generate(using: &entropy)
        }
        sending = SendingChain(
            keys: step.chainKey.copy(), headerKey: nextSendingHeaderKey.copy(), ciphertext: ciphertext,
            usedCiphertext: ciphertext != nil)
        root = step.root.copy()
        nextSendingHeaderKey = step.nextHeaderKey.copy()
        ownRatchetKey = fresh
    }

    /// Seals under the next key of the sending chain, which must be there.
    ///
    /// - Parameter lead: What stands in the place of the tag; nil for the tag itself.
    mutating func seal(
        _ kind: PayloadKind, _ content: RawSpan, lead: FixedBytes<16>?, into envelope: inout [UInt8]
    ) throws(ChannelError) {
        guard let index = sending?.next, index < SendingChain.maximumLength else { throw .chainExhausted }
        let isAmongFirst = index < PostQuantumSchedule.repeats
        let offer = isAmongFirst ? ownOffer?.publicKey : nil
        let ciphertext = isAmongFirst ? sending?.ciphertext : nil
        let plainByteCount =
            EnvelopeLayout.bodyPrefixByteCount + (offer == nil ? 0 : EnvelopeLayout.offerByteCount) + content.byteCount
        let ciphertextByteCount = ciphertext?.count ?? 0
        let bodyStart = EnvelopeLayout.afterHeader + ciphertextByteCount
        let end =
            EnvelopeLayout.afterHeader + Padding.paddedByteCount(of: plainByteCount + ciphertextByteCount)
            + EnvelopeLayout.authenticationTagByteCount
        let usedCiphertext = sending?.usedCiphertext ?? false
        let header = EnvelopeHeader(
            flags: (ciphertext == nil ? 0 : EnvelopeHeader.ciphertextFollows)
                | (usedCiphertext ? EnvelopeHeader.chainUsedCiphertext : 0),
            previousLength: previousLength, salt: salt, ratchetKey: ownRatchetKey.publicKey)

        envelope.resize(to: end)
        var bytes = envelope.mutableBytes
        bytes.storeBytes(of: EnvelopeLayout.version, toByteOffset: 0, as: UInt8.self)
        var block = bytes._mutatingExtracting(EnvelopeLayout.headerBlockRange)
        header.write(into: &block)
        sending?.headers.mask(&block, at: index)
        if let lead { bytes.copy(lead.bytes, to: EnvelopeLayout.tagRange.lowerBound) }
        if let ciphertext {
            bytes.copy(ciphertext.bytes, to: EnvelopeLayout.afterHeader)
            var masked = bytes._mutatingExtracting(EnvelopeLayout.afterHeader..<bodyStart)
            sending?.headers.key.maskCiphertext(&masked, at: index)
        }
        var body = bytes._mutatingExtracting(bodyStart..<end)
        Body.write(kind, content, offer: offer, into: &body)
        sending?.keys.advance(into: &messageKey)
        try sealBody(of: &envelope, from: bodyStart)
        messageKey.wipe()
        sending?.next = index + 1
        if index + 1 == PostQuantumSchedule.repeats, ciphertext != nil {
            sending?.ciphertext = nil
            auxiliaryChanged = true
        }
    }

    /// Seals everything from `start` on in place; what stands before it is authenticated.
    private borrowing func sealBody(of envelope: inout [UInt8], from start: Int) throws(ChannelError) {
        let nonce = Self.nonce(salt)
        let sealed = unsafe envelope.withUnsafeMutableBytes { bytes -> CryptoError? in
            // Two disjoint parts of one buffer, which spans of one array cannot express.
            let before = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: bytes[..<start]))
            var body = unsafe MutableRawSpan(_unsafeBytes: UnsafeMutableRawBufferPointer(rebasing: bytes[start...]))
            do throws(CryptoError) {
                try ChaCha20Poly1305.sealInPlace(&body, key: messageKey, nonce: nonce, authenticating: before)
                return nil
            } catch {
                return error
            }
        }
        if let sealed { throw .cryptography(sealed, of: "envelope") }
    }

    /// What is remembered of a used ML-KEM key of the peer.
    static func digest(of offer: KEMPublicKey) -> Digest {
        Digest.of(.offer, offer.array)
    }
}
