internal import HandfastCrypto

extension Channel {
    /// Opens one envelope of this relationship.
    ///
    /// Nothing changes unless the body authenticates and parses (or the envelope is held).
    /// - Parameters:
    ///   - envelope: The bytes as they came.
    ///   - now: The time, for expiry and schedules.
    ///   - holdsAhead: Whether an envelope that would skip others is held until those have come, for as long as there is
    ///     room; so where they may come by another queue. See ``takeNext()``.
    ///   - plaintext: Replaced by the body; its capacity is reused. Meaningless when this throws.
    /// - Throws: ``ChannelError/malformed(_:)``, ``ChannelError/unsupportedVersion(_:of:)``,
    ///   ``ChannelError/unknownTag``,
    ///   ``ChannelError/notAuthentic``, ``ChannelError/tooManySkipped``, ``ChannelError/tooManyHeld``.
    /// - Source: Spec/04 §4.7
    public mutating func open(
        _ envelope: RawSpan, now: Timestamp, holdsAhead: Bool = false, into plaintext: inout [UInt8]
    ) throws(ChannelError) -> Opening {
        try Self.check(envelope)
        let location = try locate(envelope, now: now)
        if holdsAhead, skips(location), (try? held.append(envelope)) != nil {
            auxiliaryChanged = true
            return .held
        }
        switch location {
        case .current(let index, let header):
            return try openInCurrentChain(envelope, header, at: index, now: now, into: &plaintext)
        case .next(let index, let header):
            if header.usedCiphertext && !header.carriesCiphertext {
                // The head of such a chain always carries the ciphertext.
                guard index >= PostQuantumSchedule.repeats else { throw .notAuthentic }
                try held.append(envelope)
                auxiliaryChanged = true
                return .held
            }
            let body = try openInNextChain(envelope, header, at: index, now: now, into: &plaintext)
            return .message(body.kind, content: body.content)
        case .skipped(let position, let header):
            return try openSkipped(envelope, header, at: position, into: &plaintext)
        }
    }

    /// Refuses an envelope of a wrong size or version.
    static func check(_ envelope: RawSpan) throws(ChannelError) {
        guard envelope.byteCount >= EnvelopeLayout.minimumByteCount else {
            throw .malformed("envelope: \(envelope.byteCount) bytes are too few")
        }
        guard envelope.byteCount <= EnvelopeLayout.maximumByteCount else {
            throw .tooLarge(of: "envelope", maximum: EnvelopeLayout.maximumByteCount)
        }
        let version = unsafe envelope.unsafeLoad(fromByteOffset: 0, as: UInt8.self)
        guard version == EnvelopeLayout.version else { throw .unsupportedVersion(UInt64(version), of: "envelope") }
    }

    /// Where an envelope belongs, and its header.
    private enum Location {
        case current(UInt32, EnvelopeHeader)
        case next(UInt32, EnvelopeHeader)
        case skipped(Int, EnvelopeHeader)
    }

    /// Whether envelopes before this one have not come.
    private borrowing func skips(_ location: Location) -> Bool {
        switch location {
        case .current(let index, _): index > nextReceivingIndex
        case .next(let index, let header): index > 0 || header.previousLength > nextReceivingIndex
        case .skipped: false
        }
    }

    /// Whether envelopes are held.
    public var holdsEnvelopes: Bool { !held.envelopes.isEmpty }

    /// A held envelope before which nothing is missing any more, or nil; to be given to
    /// ``open(_:now:holdsAhead:into:)`` again.
    ///
    /// Ask after each envelope that opened, before the state is stored.
    public mutating func takeNext() -> [UInt8]? {
        for (position, envelope) in held.envelopes.enumerated() {
            guard let location = try? next(envelope), !skips(location) else { continue }
            auxiliaryChanged = true
            return held.remove(at: position)
        }
        return nil
    }

    /// The held envelopes, in the order in which they were sent as far as it shows: those before them come no more.
    public mutating func takeAhead(now: Timestamp) -> [[UInt8]] {
        guard !held.envelopes.isEmpty else { return [] }
        var places: [(chain: Int, index: UInt32, envelope: [UInt8])] = []
        for envelope in held.take() {
            switch try? locate(envelope.bytes, now: now) {
            case .skipped(_, _), nil: places.append((0, 0, envelope))
            case .current(let index, _): places.append((1, index, envelope))
            case .next(let index, _): places.append((2, index, envelope))
            }
        }
        auxiliaryChanged = true
        heldAreReleasable = false
        return places.sorted { ($0.chain, $0.index) < ($1.chain, $1.index) }.map(\.envelope)
    }

    /// Where an envelope belongs if it is the next of its chain.
    private mutating func next(_ envelope: [UInt8]) throws(ChannelError) -> Location? {
        let expected = nextReceivingIndex
        let bytes = envelope.bytes
        if let header = try currentHeader(of: bytes, at: expected) { return .current(expected, header) }
        return try nextHeader(of: bytes, at: 0).map { .next(0, $0) }
    }

    private mutating func locate(_ envelope: RawSpan, now: Timestamp) throws(ChannelError) -> Location {
        let expected = nextReceivingIndex
        if let header = try currentHeader(of: envelope, at: expected) { return .current(expected, header) }
        if let header = try nextHeader(of: envelope, at: 0) {
            return .next(0, header)
        }
        for (position, key) in skipped.enumerated() where key.expires > now {
            var block = Self.headerBlock(of: envelope)
            var bytes = block.mutableBytes
            key.headerKey.mask(&bytes, at: key.index)
            if let header = try Self.header(of: envelope, inBlock: bytes.bytes) {
                return .skipped(position, header)
            }
        }
        for ahead in 1...Self.maximumSkip {
            if let header = try currentHeader(of: envelope, at: expected + ahead) {
                return .current(expected + ahead, header)
            }
            if let header = try nextHeader(of: envelope, at: ahead) {
                return .next(ahead, header)
            }
        }
        throw .unknownTag
    }

    private var nextReceivingIndex: UInt32 {
        switch receiving {
        case .some(let chain): return chain.next
        case .none: return 0
        }
    }

    private mutating func currentHeader(
        of envelope: RawSpan, at index: UInt32
    ) throws(ChannelError) -> EnvelopeHeader? {
        guard receiving != nil, index < SendingChain.maximumLength else { return nil }
        var block = Self.headerBlock(of: envelope)
        var bytes = block.mutableBytes
        receiving?.headers.mask(&bytes, at: index)
        return try Self.header(of: envelope, inBlock: bytes.bytes)
    }

    /// In an epoch's first envelope a nonce takes the tag's place.
    private mutating func nextHeader(
        of envelope: RawSpan, at index: UInt32, isFirst: Bool = false
    ) throws(ChannelError) -> EnvelopeHeader? {
        var block = Self.headerBlock(of: envelope)
        var bytes = block.mutableBytes
        nextReceivingHeaders.mask(&bytes, at: index)
        return try Self.header(of: envelope, inBlock: bytes.bytes, isFirst: isFirst)
    }

    /// Tag and header as they came, to be unmasked.
    private static func headerBlock(of envelope: RawSpan) -> FixedBytes<64> {
        FixedBytes(envelope, at: EnvelopeLayout.headerBlockRange.lowerBound)
    }

    /// The header, if the block was unmasked at the index of its tag.
    private static func header(
        of envelope: RawSpan, inBlock block: RawSpan, isFirst: Bool = false
    ) throws(ChannelError) -> EnvelopeHeader? {
        guard isFirst || EnvelopeHeader.hasTag(inBlock: block) else { return nil }
        let header = try EnvelopeHeader(block: block)
        guard !header.carriesCiphertext || envelope.byteCount >= EnvelopeLayout.minimumByteCountWithCiphertext else {
            throw .notAuthentic
        }
        return header
    }

    private mutating func openInCurrentChain(
        _ envelope: RawSpan, _ header: EnvelopeHeader, at index: UInt32, now: Timestamp, into plaintext: inout [UInt8]
    ) throws(ChannelError) -> Opening {
        guard var chain = receiving.take() else { throw .unknownTag }
        let body: Body
        do throws(ChannelError) {
            body = try open(envelope, header, in: &chain, at: index, now: now, into: &plaintext)
        } catch {
            receiving = consume chain
            throw error
        }
        receiving = consume chain
        return .message(body.kind, content: body.content)
    }

    private mutating func open(
        _ envelope: RawSpan, _ header: EnvelopeHeader, in chain: inout ReceivingChain, at index: UInt32, now: Timestamp,
        into plaintext: inout [UInt8]
    ) throws(ChannelError) -> Body {
        guard header.ratchetKey.value == peerRatchetKey.value else { throw .notAuthentic }
        trialKeys.assign(chain.keys)
        let passed = Self.advance(
            &trialKeys, from: chain.next, to: index, of: chain.headers.key, into: &messageKey, now: now)
        let body = try openBody(of: envelope, header, into: &plaintext)
        chain.keys.assign(trialKeys)
        chain.next = index + 1
        chain.hasContent = chain.hasContent || body.kind != .turn
        accept(body, skipping: passed, now: now)
        return body
    }

    private mutating func openSkipped(
        _ envelope: RawSpan, _ header: EnvelopeHeader, at position: Int, into plaintext: inout [UInt8]
    ) throws(ChannelError) -> Opening {
        let key = skipped[position]
        messageKey.assign(key.messageKey)
        let body = try openBody(of: envelope, header, into: &plaintext)
        // Its offer is not taken: the peer may have erased that key since, and repeats one that is still open.
        skipped.remove(at: position)
        auxiliaryChanged = true
        return .message(body.kind, content: body.content)
    }

    /// Opens an epoch's first envelope, whose header key stands in the place of the next chain's.
    ///
    /// - Returns: Where the content stands in `plaintext`, and the ML-KEM ciphertext, which the answerer signs.
    mutating func openFirst(
        _ kind: PayloadKind, _ envelope: RawSpan, now: Timestamp, into plaintext: inout [UInt8]
    ) throws(ChannelError) -> (content: Range<Int>, ciphertext: [UInt8]) {
        guard
            let header = try nextHeader(of: envelope, at: 0, isFirst: true), header.carriesCiphertext,
            header.previousLength == 0
        else { throw .notAuthentic }
        let ciphertext = unmaskedCiphertext(of: envelope, at: 0)
        let body = try openInNextChain(envelope, header, at: 0, first: kind, now: now, into: &plaintext)
        return (body.content, ciphertext)
    }

    private mutating func openInNextChain(
        _ envelope: RawSpan, _ header: EnvelopeHeader, at index: UInt32, first: PayloadKind? = nil,
        now: Timestamp, into plaintext: inout [UInt8]
    ) throws(ChannelError) -> Body {
        let expected = receiving?.next ?? 0
        let missing = header.previousLength.subtractingReportingOverflow(expected)
        guard !missing.overflow else { throw .notAuthentic }
        guard missing.partialValue <= Self.maximumSkip, missing.partialValue + index <= Self.maximumSkip else {
            throw .tooManySkipped
        }
        let step = try receivingStep(envelope, header, at: index)
        var passed: [SkippedKey] = []
        var discarded = AEADKey()
        if header.previousLength > expected, var last = receiving?.keys.copy(),
            let headerKey = receiving?.headers.key.copy()
        {
            passed = Self.advance(
                &last, from: expected, to: header.previousLength, of: headerKey, into: &discarded, now: now)
        }
        discarded.wipe()
        var keys = step.chainKey.copy()
        passed += Self.advance(
            &keys, from: 0, to: index, of: nextReceivingHeaders.key, into: &messageKey, now: now)
        let body = try openBody(of: envelope, header, first: first, into: &plaintext)

        var headers = HeaderStream(step.nextHeaderKey.copy())
        swap(&headers, &nextReceivingHeaders)
        receiving = ReceivingChain(
            keys: keys, headers: headers, next: index + 1, began: now, hasContent: body.kind != .turn)
        root = step.root.copy()
        peerRatchetKey = header.ratchetKey
        if let chain = sending.take() {
            previousLength = chain.next
            if chain.ciphertext != nil { auxiliaryChanged = true }
        }
        if header.usedCiphertext { ownOffer = nil }
        schedule.didStep(withCiphertext: header.usedCiphertext, at: now)
        if !held.envelopes.isEmpty { heldAreReleasable = true }
        accept(body, skipping: passed, now: now)
        return body
    }

    /// The ciphertext of an envelope that is known to be long enough for one.
    private borrowing func unmaskedCiphertext(of envelope: RawSpan, at index: UInt32) -> [UInt8] {
        let start = EnvelopeLayout.afterHeader
        var ciphertext = [UInt8](envelope.extracting(start..<start + EnvelopeLayout.ciphertextByteCount))
        var masked = ciphertext.mutableBytes
        nextReceivingHeaders.key.maskCiphertext(&masked, at: index)
        return ciphertext
    }

    /// The step with which the peer began a chain, derived but not taken.
    private borrowing func receivingStep(
        _ envelope: RawSpan, _ header: EnvelopeHeader, at index: UInt32
    ) throws(ChannelError) -> RatchetStep {
        var ciphertext: [UInt8] = []
        var encapsulationKey: [UInt8] = []
        var encapsulated = SecretBytes(count: 0)
        let agreement: SecretBytes
        do throws(CryptoError) {
            if header.carriesCiphertext {
                ciphertext = unmaskedCiphertext(of: envelope, at: index)
                switch ownOffer {
                case .some(let key):
                    encapsulationKey = key.publicKey.array
                    encapsulated = try key.decapsulate(ciphertext.bytes)
                case .none:
                    throw .authenticationFailed
                }
            }
            agreement = try ownRatchetKey.sharedSecret(with: header.ratchetKey)
        } catch {
            throw .notAuthentic
        }
        return try RatchetStep(
            root: root, agreement: agreement, encapsulated: encapsulated,
            RatchetStep.PublicValues(
                senderKey: header.ratchetKey, receiverKey: ownRatchetKey.publicKey,
                encapsulationKey: encapsulationKey, ciphertext: ciphertext))
    }

    /// Moves a chain on to the key of `index` and collects the keys passed over.
    private static func advance(
        _ chain: inout ChainKeys, from next: UInt32, to index: UInt32, of headerKey: borrowing HeaderKey,
        into messageKey: inout AEADKey, now: Timestamp
    ) -> [SkippedKey] {
        var passed: [SkippedKey] = []
        for passedIndex in next..<index {
            var key = AEADKey()
            chain.advance(into: &key)
            passed.append(
                SkippedKey(
                    headerKey: headerKey.copy(), index: passedIndex, messageKey: key,
                    expires: now.adding(seconds: SkippedKey.lifetimeSeconds)))
        }
        chain.advance(into: &messageKey)
        return passed
    }

    /// Opens and parses the body under `messageKey`, which is wiped.
    private mutating func openBody(
        of envelope: RawSpan, _ header: EnvelopeHeader, first: PayloadKind? = nil, into plaintext: inout [UInt8]
    ) throws(ChannelError) -> Body {
        defer { messageKey.wipe() }
        let start =
            EnvelopeLayout.afterHeader + (header.carriesCiphertext ? EnvelopeLayout.ciphertextByteCount : 0)
        let count = envelope.byteCount - start - EnvelopeLayout.authenticationTagByteCount
        guard count >= EnvelopeLayout.bodyPrefixByteCount else { throw .notAuthentic }
        plaintext.resize(to: count)
        var output = plaintext.mutableBytes
        do {
            try ChaCha20Poly1305.open(
                envelope.extracting(start..<envelope.byteCount), key: messageKey, nonce: Self.nonce(header.salt),
                authenticating: envelope.extracting(0..<start), into: &output)
        } catch {
            throw .notAuthentic
        }
        let body = try Body(plaintext.bytes)
        guard body.kind.beginsEpoch ? body.kind == first : first == nil else {
            throw .malformed("envelope: a welcome or rejoined comes first and only once")
        }
        return body
    }

    private mutating func accept(_ body: Body, skipping passed: [SkippedKey], now: Timestamp) {
        take(body.offer)
        if !passed.isEmpty || skipped.contains(where: { $0.expires <= now }) {
            skipped.removeAll { $0.expires <= now }
            skipped += passed
            skipped.removeFirst(max(0, skipped.count - SkippedKey.maximumCount))
            auxiliaryChanged = true
        }
    }

    /// Keeps an offered ML-KEM key unless it was used already: the peer repeats it until it learns that.
    private mutating func take(_ offer: KEMPublicKey?) {
        guard let offer, offer != peerOffer, Self.digest(of: offer) != usedPeerOffer else { return }
        peerOffer = offer
        auxiliaryChanged = true
    }
}
