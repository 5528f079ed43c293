public import HandfastCrypto
internal import HandfastEncoding

extension Channel {
    /// The state that changes with every message, at most 1,100 bytes, to be sealed into the vault. It never holds the
    /// salt.
    ///
    /// `[1, root, own ratchet key, peer's, sending, previous length, next sending header key, receiving, next receiving
    /// header key,
    /// own offer, digest of the used offer, steps, last]`, deterministic CBOR.
    public borrowing func encoded() -> SecretBytes {
        var writer = SecretWriter(capacity: 1_152)
        writer.writeArrayHeader(13)
        writer.writeUnsigned(1)
        writer.writeBytes(root.bytes)
        writer.writeBytes(ownRatchetKey.bytes)
        writer.writeBytes(peerRatchetKey.array)
        switch sending {
        case .some(let chain):
            writer.writeArrayHeader(4)
            writer.writeBytes(chain.keys.bytes)
            writer.writeBytes(chain.headers.key.bytes)
            writer.writeUnsigned(UInt64(chain.next))
            writer.writeUnsigned(chain.usedCiphertext ? 1 : 0)
        case .none:
            writer.writeNull()
        }
        writer.writeUnsigned(UInt64(previousLength))
        writer.writeBytes(nextSendingHeaderKey.bytes)
        switch receiving {
        case .some(let chain):
            writer.writeArrayHeader(5)
            writer.writeBytes(chain.keys.bytes)
            writer.writeBytes(chain.headers.key.bytes)
            writer.writeUnsigned(UInt64(chain.next))
            writer.writeUnsigned(chain.began.seconds)
            writer.writeUnsigned(chain.hasContent ? 1 : 0)
        case .none:
            writer.writeNull()
        }
        writer.writeBytes(nextReceivingHeaders.key.bytes)
        switch ownOffer {
        case .some(let key): writer.writeBytes(key.seed)
        case .none: writer.writeNull()
        }
        if let usedPeerOffer {
            writer.writeBytes(usedPeerOffer.array)
        } else {
            writer.writeNull()
        }
        writer.writeUnsigned(UInt64(schedule.stepsSinceLast))
        writer.writeUnsigned(schedule.last.seconds)
        return writer.finish()
    }

    /// The state that changes rarely (the peer's offered key, a ciphertext still to be repeated, skipped keys, held
    /// envelopes); nil when
    /// there is none.
    ///
    /// `[1, peer's offer, ciphertext, [* [header key, index, message key, expires]], [* envelope]]`, deterministic
    /// CBOR.
    public borrowing func auxiliary() -> SecretBytes? {
        let ciphertext = repeatedCiphertext
        if peerOffer == nil, ciphertext == nil, skipped.isEmpty, held.envelopes.isEmpty { return nil }
        var writer = SecretWriter(capacity: 2_560)
        writer.writeArrayHeader(5)
        writer.writeUnsigned(1)
        if let peerOffer { writer.writeBytes(peerOffer.array) } else { writer.writeNull() }
        if let ciphertext { writer.writeBytes(ciphertext) } else { writer.writeNull() }
        writer.writeArrayHeader(skipped.count)
        for key in skipped {
            key.write(to: &writer)
        }
        writer.writeArrayHeader(held.envelopes.count)
        for envelope in held.envelopes { writer.writeBytes(envelope) }
        return writer.finish()
    }

    private var repeatedCiphertext: [UInt8]? {
        switch sending {
        case .some(let chain): return chain.ciphertext
        case .none: return nil
        }
    }

    /// Loads what ``encoded()`` and ``auxiliary()`` gave, with a new salt.
    ///
    /// - Throws: ``ChannelError``
    public static func decode(
        _ bytes: RawSpan, auxiliary: RawSpan?, using random: inout some RandomNumberGenerator
    ) throws(ChannelError) -> Channel {
        let salt: UInt64 = random.next()
        var channel = try ChannelError.decoding("stored channel", bytes, maximum: 2_048) { reader in
            try Channel(reading: &reader, salt: salt)
        }
        if let auxiliary {
            let rest = try ChannelError.decoding("stored channel keys", auxiliary, maximum: 2 << 20) { reader in
                try Auxiliary(reading: &reader)
            }
            guard rest.ciphertext == nil || channel.sending?.next != nil else {
                throw .malformed("stored channel keys: a ciphertext without a chain that carries it")
            }
            channel.peerOffer = rest.peerOffer
            channel.sending?.ciphertext = rest.ciphertext
            channel.skipped = rest.skipped
            channel.held = rest.held
        }
        return channel
    }

    private init(reading reader: inout CBORReader, salt: UInt64) throws {
        try reader.readArrayHeader(count: 13)
        let version = try reader.readUnsigned()
        guard version == 1 else { throw ChannelError.unsupportedVersion(version, of: "stored channel") }
        let root = SecretBytes(copying: try reader.readBytes(count: 32))
        let ownRatchetKey = try AgreementPrivateKey(copying: reader.readBytes(count: 32))
        let peerRatchetKey = try AgreementPublicKey(reader.readBytes(count: 32))
        var sending: SendingChain?
        if try !reader.readNullIfPresent() {
            try reader.readArrayHeader(count: 4)
            sending = SendingChain(
                keys: try ChainKeys(copying: reader.readBytes(maximum: ChainKeys.maximumByteCount)),
                headerKey: try HeaderKey(copying: reader.readBytes(count: 32)),
                next: UInt32(try reader.readUnsigned(maximum: UInt64(SendingChain.maximumLength))), ciphertext: nil,
                usedCiphertext: try reader.readUnsigned(maximum: 1) == 1)
        }
        let previousLength = UInt32(try reader.readUnsigned(maximum: UInt64(SendingChain.maximumLength)))
        let nextSendingHeaderKey = try HeaderKey(copying: reader.readBytes(count: 32))
        var receiving: ReceivingChain?
        if try !reader.readNullIfPresent() {
            try reader.readArrayHeader(count: 5)
            receiving = ReceivingChain(
                keys: try ChainKeys(copying: reader.readBytes(maximum: ChainKeys.maximumByteCount)),
                headers: HeaderStream(try HeaderKey(copying: reader.readBytes(count: 32))),
                next: UInt32(try reader.readUnsigned(maximum: UInt64(SendingChain.maximumLength))),
                began: Timestamp(seconds: try reader.readUnsigned()),
                hasContent: try reader.readUnsigned(maximum: 1) == 1)
        }
        let nextReceivingHeaderKey = try HeaderKey(copying: reader.readBytes(count: 32))
        var ownOffer: KEMPrivateKey?
        if try !reader.readNullIfPresent() {
            ownOffer = try KEMPrivateKey(seed: SecretBytes(copying: reader.readBytes(count: KEMPrivateKey.seedCount)))
        }
        let usedPeerOffer = try reader.readNullIfPresent() ? nil : Digest(reader.readBytes(count: 32))
        let schedule = PostQuantumSchedule(
            stepsSinceLast: UInt32(try reader.readUnsigned(maximum: UInt64(UInt32.max))),
            last: Timestamp(seconds: try reader.readUnsigned()))
        self.init(
            root: root, ownRatchetKey: ownRatchetKey, peerRatchetKey: peerRatchetKey, sending: sending,
            previousLength: previousLength, nextSendingHeaderKey: nextSendingHeaderKey, receiving: receiving,
            nextReceivingHeaderKey: nextReceivingHeaderKey, schedule: schedule, salt: salt)
        self.ownOffer = ownOffer
        self.usedPeerOffer = usedPeerOffer
    }
}

/// The rarely changing part of a stored channel.
private struct Auxiliary {
    let peerOffer: KEMPublicKey?
    let ciphertext: [UInt8]?
    var skipped: [SkippedKey] = []
    var held = HeldEnvelopes()

    init(reading reader: inout CBORReader) throws {
        try reader.readArrayHeader(count: 5)
        let version = try reader.readUnsigned()
        guard version == 1 else { throw ChannelError.unsupportedVersion(version, of: "stored channel keys") }
        peerOffer = try reader.readNullIfPresent() ? nil : KEMPublicKey(reader.readBytes(count: KEMPublicKey.count))
        ciphertext =
            try reader.readNullIfPresent() ? nil : [UInt8](reader.readBytes(count: KEMPrivateKey.ciphertextCount))
        for _ in 0..<(try reader.readArrayHeader(maximum: SkippedKey.maximumCount)) {
            try reader.readArrayHeader(count: 4)
            skipped.append(
                SkippedKey(
                    headerKey: try HeaderKey(copying: reader.readBytes(count: 32)),
                    index: UInt32(try reader.readUnsigned(maximum: UInt64(UInt32.max))),
                    messageKey: try AEADKey(copying: reader.readBytes(count: 32)),
                    expires: Timestamp(seconds: try reader.readUnsigned())))
        }
        for count in 0..<(try reader.readArrayHeader(maximum: HeldEnvelopes.maximumCount)) {
            try held.append(reader.readBytes(maximum: Channel.maximumEnvelopeByteCount))
            guard held.envelopes.count > count else {
                throw ChannelError.malformed("stored channel keys: an envelope is held twice")
            }
        }
    }
}
