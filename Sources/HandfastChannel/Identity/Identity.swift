public import HandfastCrypto
internal import HandfastEncoding

/// A party's own identity: its key log and the private keys behind it.
///
/// - Source: Spec/02
public struct Identity: ~Copyable, Sendable {
    /// The key log that others see.
    public private(set) var log: KeyLog
    /// The key that signs records, bundles and handshakes.
    public private(set) var signingKey: SigningKey
    /// The key that the latest event commits to; it has never signed. Nil once the identity is revoked, and while it
    /// derives from a recovery root that is not at hand.
    private var nextKey: SigningKey?
    /// From what the recovery root makes the next key; nil where that is random and lies here.
    public private(set) var nextSalt: FixedBytes<16>?
    /// The private X-Wing key.
    public private(set) var sealingKey: SealingPrivateKey
    /// The X-Wing key that the peer seals to until it has seen a rotation; nil while it knows the one in force.
    private(set) var earlierSealingKey: SealingPrivateKey?

    /// Makes a new identity with random keys.
    ///
    /// - Parameters:
    ///   - domain: The A-label of a public identity; nil for a pairwise one.
    ///   - created: The time to put into the inception.
    ///   - promise: A next key of the recovery root; nil for a random one.
    ///   - random: Where the keys come from.
    /// - Throws: ``ChannelError/malformed(_:)`` for a domain that is none.
    public static func create(
        domain: String? = nil, at created: Timestamp, promising promise: PromisedKey? = nil,
        using random: inout some RandomNumberGenerator
    ) throws(ChannelError) -> Identity {
        if let domain { _ = try KeyEvent.Fields.checked(domain: domain) }
        let signingKey = SigningKey.generate(using: &random)
        let nextKey = SigningKey.generate(using: &random)
        let sealingKey = SealingPrivateKey.generate(using: &random)
        let fields = KeyEvent.Fields(
            kind: .inception, signingKey: signingKey.publicKey,
            next: promise?.commitment ?? KeyEvent.commitment(to: nextKey.publicKey),
            sealingKey: sealingKey.publicKey, domain: domain, created: created)
        let inception = try KeyEvent(COSESign1.sign(fields.encoded(), type: KeyEvent.type, with: signingKey))
        return Identity(
            log: try KeyLog([inception]), signingKey: signingKey, nextKey: nextKey, nextSalt: promise?.salt,
            sealingKey: sealingKey)
    }

    private init(
        log: KeyLog, signingKey: consuming SigningKey, nextKey: consuming SigningKey?, nextSalt: FixedBytes<16>?,
        sealingKey: consuming SealingPrivateKey, earlierSealingKey: consuming SealingPrivateKey? = nil
    ) {
        self.log = log
        self.signingKey = signingKey
        if nextSalt == nil { self.nextKey = nextKey } else { self.nextKey = nil }
        self.nextSalt = nextSalt
        self.sealingKey = sealingKey
        self.earlierSealingKey = earlierSealingKey
    }

    /// The identity's id.
    public var id: IdentityID { log.id }

    /// Takes the next key from the recovery root, for one rotation or revocation. It is never part of ``encoded()``.
    ///
    /// - Throws: ``ChannelError/keyLog(_:sequence:)`` for a key that the log does not commit to.
    public mutating func reveal(_ key: consuming SigningKey) throws(ChannelError) {
        guard nextSalt != nil, KeyEvent.commitment(to: key.publicKey) == log.events.last?.next else {
            throw .keyLog(.uncommittedKey, sequence: log.events.count)
        }
        nextKey = consume key
    }

    /// Reveals the next key, commits to a new one and takes a fresh X-Wing key. The old keys are wiped.
    ///
    /// - Parameters:
    ///   - created: The time to put into the event.
    ///   - promise: The key after the next, of the recovery root; nil for a random one.
    ///   - keepsSealingKey: Whether the X-Wing key is kept until ``forgetEarlierSealingKey()``: a peer that has not seen
    ///     the rotation seals a rejoin to it. Of several in a row the first stays.
    ///   - random: Where the keys come from.
    /// - Throws: ``ChannelError/keyLog(_:sequence:)`` when the identity is revoked or its log is full,
    ///   ``ChannelError/nextKeyNotAtHand`` when only the recovery root gives the next key.
    public mutating func rotate(
        at created: Timestamp, keepingSealingKey keepsSealingKey: Bool = false, promising promise: PromisedKey? = nil,
        using random: inout some RandomNumberGenerator
    ) throws(ChannelError) -> KeyEvent {
        let following = SigningKey.generate(using: &random)
        var newSealingKey = SealingPrivateKey.generate(using: &random)
        let event = try appendEvent(
            .rotation, next: promise?.commitment ?? KeyEvent.commitment(to: following.publicKey),
            sealingKey: newSealingKey.publicKey, at: created)
        if let revealed = nextKey.take() { signingKey = revealed }
        if promise == nil { nextKey = consume following }
        nextSalt = promise?.salt
        let isKept = earlierSealingKey != nil
        swap(&sealingKey, &newSealingKey)
        if keepsSealingKey, !isKept { earlierSealingKey = consume newSealingKey }
        return event
    }

    /// Whether an X-Wing key from before a rotation is still kept.
    public var hasEarlierSealingKey: Bool { earlierSealingKey != nil }

    /// Wipes the X-Wing key from before a rotation: the peer has seen that one.
    public mutating func forgetEarlierSealingKey() {
        earlierSealingKey = nil
    }

    /// Ends the identity with its next key; nothing can follow.
    ///
    /// - Throws: ``ChannelError/keyLog(_:sequence:)`` when it is revoked already or its log is full.
    public mutating func revoke(at created: Timestamp) throws(ChannelError) -> KeyEvent {
        let event = try appendEvent(.revocation, next: nil, sealingKey: nil, at: created)
        if let revealed = nextKey.take() { signingKey = revealed }
        nextSalt = nil
        return event
    }

    private mutating func appendEvent(
        _ kind: KeyEvent.Kind, next: Digest?, sealingKey: SealingPublicKey?, at created: Timestamp
    ) throws(ChannelError) -> KeyEvent {
        let event: KeyEvent
        switch nextKey {
        case .none:
            throw nextSalt == nil ? .keyLog(.revoked, sequence: log.events.count) : .nextKeyNotAtHand
        case .some(let revealed):
            let fields = KeyEvent.Fields(
                kind: kind, signingKey: revealed.publicKey, next: next, sealingKey: sealingKey, domain: nil,
                created: created, follows: log)
            event = try KeyEvent(COSESign1.sign(fields.encoded(), type: KeyEvent.type, with: revealed))
        }
        try log.append(event)
        return event
    }

    /// The log and the private keys, to be sealed into the vault: about 400 bytes where nothing was rotated.
    ///
    /// `[3, digest of the latest event, [+ event], signing seed, next seed / salt / null, X-Wing seed, ? earlier X-Wing
    /// seed]`, deterministic CBOR. The event that brought the X-Wing key in force is written as what stands before the
    /// key and what follows it: the key is made of its seed.
    public borrowing func encoded() -> SecretBytes {
        var writer = SecretWriter(capacity: 1_024)
        writer.writeArrayHeader(earlierSealingKey == nil ? 6 : 7)
        writer.writeUnsigned(3)
        writer.writeBytes(log.head.bytes)
        writer.writeArrayHeader(log.events.count)
        let latest = log.events.lastIndex { $0.sealingKey != nil }
        for (index, event) in log.events.enumerated() {
            let bytes = event.encoded()
            if index == latest, let place = Self.place(of: log.sealingKey, in: bytes) {
                writer.writeArrayHeader(2)
                writer.writeBytes(Array(bytes[..<place.lowerBound]))
                writer.writeBytes(Array(bytes[place.upperBound...]))
            } else {
                writer.writeBytes(bytes)
            }
        }
        writer.writeSeed(of: signingKey)
        if let nextSalt {
            writer.writeBytes(nextSalt.array)
        } else {
            switch nextKey {
            case .none: writer.writeNull()
            case .some(let key): writer.writeSeed(of: key)
            }
        }
        writer.writeBytes(sealingKey.seed)
        switch earlierSealingKey {
        case .none: break
        case .some(let key): writer.writeBytes(key.seed)
        }
        return writer.finish()
    }

    /// Where an X-Wing key stands in an event.
    private static func place(of key: SealingPublicKey, in bytes: [UInt8]) -> Range<Int>? {
        guard bytes.count >= SealingPublicKey.count else { return nil }
        let start = (0...bytes.count - SealingPublicKey.count).first { start in
            bytes[start] == key.array[0] && bytes[start..<start + SealingPublicKey.count].elementsEqual(key.array)
        }
        return start.map { $0..<$0 + SealingPublicKey.count }
    }

    /// An event as ``encoded()`` writes it, whole or around its X-Wing key.
    private enum StoredEvent {
        case whole([UInt8])
        case around(head: [UInt8], tail: [UInt8])

        init(reading reader: inout CBORReader) throws(CBORError) {
            if try reader.peekType() == .array {
                try reader.readArrayHeader(count: 2)
                self = .around(
                    head: try reader.readByteArray(maximum: KeyEvent.maximumByteCount),
                    tail: try reader.readByteArray(maximum: KeyEvent.maximumByteCount))
            } else {
                self = .whole(try reader.readByteArray(maximum: KeyEvent.maximumByteCount))
            }
        }
    }

    /// Decodes what ``encoded()`` gives.
    ///
    /// - Throws: ``ChannelError``; a key that does not belong to the log is ``ChannelError/malformed(_:)``.
    public static func decode(_ bytes: RawSpan) throws(ChannelError) -> Identity {
        try ChannelError.decoding("stored identity", bytes, maximum: 1 << 18) { reader in
            let count = try reader.readArrayHeader(maximum: 7)
            let version = try reader.readUnsigned()
            guard version == 3 else { throw ChannelError.unsupportedVersion(version, of: "stored identity") }
            guard count >= 6 else { throw ChannelError.malformed("stored identity: it has \(count) parts") }
            let head = try Digest(reader.readBytes(count: 32))
            var stored: [StoredEvent] = []
            for _ in 0..<(try reader.readArrayHeader(maximum: KeyLog.maximumEventCount)) {
                stored.append(try StoredEvent(reading: &reader))
            }
            let signingKey = try SigningKey(seed: SecretBytes(copying: reader.readBytes(count: SigningKey.seedCount)))
            var nextKey: SigningKey?
            var nextSalt: FixedBytes<16>?
            if try !reader.readNullIfPresent() {
                // A key of the recovery root is not here: 16 bytes say which it is.
                let bytes = try reader.readBytes(maximum: SigningKey.seedCount)
                if bytes.byteCount == 16 {
                    nextSalt = try FixedBytes(bytes)
                } else {
                    nextKey = try SigningKey(seed: SecretBytes(copying: bytes))
                }
            }
            let sealingKey = try SealingPrivateKey(
                seed: SecretBytes(copying: reader.readBytes(count: SealingPrivateKey.seedCount)))
            let log = try log(of: stored, around: sealingKey.publicKey)
            guard signingKey.publicKey == log.currentKey, sealingKey.publicKey == log.sealingKey, head == log.head
            else {
                throw ChannelError.malformed("stored identity: its keys are not those of its log")
            }
            var earlier: SealingPrivateKey?
            if count == 7 {
                earlier = try SealingPrivateKey(
                    seed: SecretBytes(copying: reader.readBytes(count: SealingPrivateKey.seedCount)))
            }
            return Identity(
                log: log, signingKey: signingKey, nextKey: nextKey, nextSalt: nextSalt, sealingKey: sealingKey,
                earlierSealingKey: earlier)
        }
    }

    private static func log(of stored: [StoredEvent], around key: SealingPublicKey) throws(ChannelError) -> KeyLog {
        var events: [KeyEvent] = []
        var filled: Int?
        for (index, event) in stored.enumerated() {
            switch event {
            case .whole(let bytes): events.append(try KeyEvent(verifiedBefore: bytes.bytes))
            case .around(let head, let tail):
                let bytes = head + key.array + tail
                guard filled == nil, place(of: key, in: bytes)?.lowerBound == head.count else {
                    throw .malformed("stored identity: the place of its X-Wing key")
                }
                filled = index
                events.append(try KeyEvent(verifiedBefore: bytes.bytes))
            }
        }
        guard let filled, filled == events.lastIndex(where: { $0.sealingKey != nil }) else {
            throw .malformed("stored identity: the place of its X-Wing key")
        }
        return try KeyLog(events)
    }
}

extension SecretWriter {
    fileprivate mutating func writeSeed(of key: borrowing SigningKey) {
        writeBytes(key.seed)
    }
}
