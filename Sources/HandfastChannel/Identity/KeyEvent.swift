public import HandfastCrypto
public import HandfastEncoding

/// A signed entry of an identity's key log.
///
/// Its own signature is checked when it is decoded; whether it follows from the events before is ``KeyLog``'s to say.
/// - Source: Spec/02 §2.2
public struct KeyEvent: Hashable, Sendable {
    /// What the event does.
    public enum Kind: UInt8, Sendable, Hashable {
        /// Makes the identity.
        case inception = 0
        /// Replaces its keys.
        case rotation = 1
        /// Ends it.
        case revocation = 2
    }

    /// The COSE type of a signed event.
    public static let type = "handfast-key-event+cose"
    /// The largest signed event, in bytes.
    public static let maximumByteCount = 2_048
    /// The longest domain, in bytes.
    public static let maximumDomainByteCount = 253

    /// What the event does.
    public let kind: Kind
    /// The COSE_Sign1 that carries it.
    public let signed: COSESign1
    /// The identity.
    public let identity: IdentityID
    /// 0 for the inception, then one more each.
    public let sequence: Int
    /// Digest of the event before; nil for the inception.
    public let previous: Digest?
    /// The key in force from here on, or, in a revocation, the key that revoked.
    public let signingKey: VerificationKey
    /// Commitment to the next signing key; nil in a revocation.
    public let next: Digest?
    /// The X-Wing key in force from here on; nil in a revocation.
    public let sealingKey: SealingPublicKey?
    /// A public identity's domain, in an inception only.
    public let domain: String?
    /// When its maker says that it was made.
    public let created: Timestamp
    /// The identity's id for an inception, `H("key event", payload)` for later events.
    public let digest: Digest

    /// Decodes one COSE_Sign1 and verifies it under the key that it names.
    ///
    /// - Throws: ``ChannelError``
    public init(decoding bytes: RawSpan) throws(ChannelError) {
        try self.init(Self.signed(decoding: bytes))
    }

    /// Decodes an event that was verified before it was sealed into the vault.
    ///
    /// - Throws: ``ChannelError``
    package init(verifiedBefore bytes: RawSpan) throws(ChannelError) {
        try self.init(Self.signed(decoding: bytes), isVerified: true)
    }

    private static func signed(decoding bytes: RawSpan) throws(ChannelError) -> COSESign1 {
        guard bytes.byteCount <= maximumByteCount else {
            throw .tooLarge(of: "key event", maximum: maximumByteCount)
        }
        return try ChannelError.naming("key event") {
            try COSESign1(decoding: bytes, maximumPayload: maximumByteCount)
        }
    }

    /// Reads the payload of a COSE_Sign1 and verifies it under the key that it names.
    init(_ signed: COSESign1, isVerified: Bool = false) throws(ChannelError) {
        let payload = signed.payload
        let fields = try ChannelError.decoding("key event", payload.bytes, maximum: Self.maximumByteCount) { reader in
            try Fields(&reader)
        }
        if !isVerified {
            try ChannelError.naming("key event") { try signed.verify(type: Self.type, with: fields.signingKey) }
        }
        self.signed = signed
        kind = fields.kind
        signingKey = fields.signingKey
        next = fields.next
        sealingKey = fields.sealingKey
        domain = fields.domain
        created = fields.created
        sequence = fields.sequence
        previous = fields.previous
        digest = Digest.of(kind == .inception ? .identity : .keyEvent, payload)
        identity = fields.identity ?? IdentityID(digest)
    }

    /// The COSE_Sign1, encoded.
    public func encoded() -> [UInt8] {
        signed.encoded()
    }

    /// The commitment that an event makes to the key which signs the event after it.
    static func commitment(to key: VerificationKey) -> Digest {
        Digest.of(.nextKey, key.coseKey)
    }
}

extension KeyEvent {
    /// The payload's map.
    struct Fields {
        var kind: Kind
        var signingKey: VerificationKey
        var next: Digest?
        var sealingKey: SealingPublicKey?
        var domain: String?
        var created: Timestamp
        var identity: IdentityID?
        var sequence = 0
        var previous: Digest?

        init(
            kind: Kind, signingKey: VerificationKey, next: Digest?, sealingKey: SealingPublicKey?, domain: String?,
            created: Timestamp, follows log: KeyLog? = nil
        ) {
            self.kind = kind
            self.signingKey = signingKey
            self.next = next
            self.sealingKey = sealingKey
            self.domain = domain
            self.created = created
            if let log {
                identity = log.id
                sequence = log.events.count
                previous = log.head
            }
        }

        init(_ reader: inout CBORReader) throws {
            var map = try reader.readIntegerMap(maximum: 10)
            try map.requireKey(0, &reader)
            let rawKind = try reader.readUnsigned(maximum: 2)
            guard let kind = Kind(rawValue: UInt8(rawKind)) else {
                throw ChannelError.malformed("key event: unknown kind \(rawKind)")
            }
            self.kind = kind
            try map.requireKey(1, &reader)
            let suite = try reader.readUnsigned()
            guard suite == Suite.number else { throw ChannelError.unsupportedVersion(suite, of: "key event") }
            try map.requireKey(2, &reader)
            signingKey = try VerificationKey(reading: &reader)
            if kind != .revocation {
                try map.requireKey(3, &reader)
                next = try Digest(reader.readBytes(count: 32))
                try map.requireKey(4, &reader)
                sealingKey = try SealingPublicKey(reading: &reader)
            }
            if kind == .inception, try map.hasKey(5, &reader) {
                domain = try Self.checked(domain: reader.readText(maximum: KeyEvent.maximumDomainByteCount))
            }
            try map.requireKey(6, &reader)
            created = Timestamp(seconds: try reader.readUnsigned())
            if kind != .inception {
                try map.requireKey(7, &reader)
                identity = IdentityID(try Digest(reader.readBytes(count: 32)))
                try map.requireKey(8, &reader)
                sequence = Int(try reader.readUnsigned(maximum: UInt64(KeyLog.maximumEventCount - 1)))
                guard sequence > 0 else { throw ChannelError.malformed("key event: number 0 is the inception's") }
                try map.requireKey(9, &reader)
                previous = try Digest(reader.readBytes(count: 32))
            }
            try map.finish(&reader)
        }

        func encoded() -> [UInt8] {
            var writer = CBORWriter()
            writer.writeMap { writer in
                writer.writeKey(0)
                writer.writeUnsigned(UInt64(kind.rawValue))
                writer.writeKey(1)
                writer.writeUnsigned(Suite.number)
                writer.writeKey(2)
                signingKey.write(to: &writer)
                if let next {
                    writer.writeKey(3)
                    writer.writeBytes(next.array)
                }
                if let sealingKey {
                    writer.writeKey(4)
                    sealingKey.write(to: &writer)
                }
                if let domain {
                    writer.writeKey(5)
                    writer.writeText(domain)
                }
                writer.writeKey(6)
                writer.writeUnsigned(created.seconds)
                if let identity {
                    writer.writeKey(7)
                    writer.writeBytes(identity.digest.array)
                    writer.writeKey(8)
                    writer.writeUnsigned(UInt64(sequence))
                }
                if let previous {
                    writer.writeKey(9)
                    writer.writeBytes(previous.array)
                }
            }
            return writer.bytes
        }

        /// Lower-case letters, digits, hyphens and dots: the A-label form of a name with at least two labels.
        static func checked(domain: String) throws(ChannelError) -> String {
            let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
            let isName =
                labels.count >= 2
                && labels.allSatisfy { label in
                    (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                        && label.utf8.allSatisfy {
                            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
                        }
                }
            guard isName, domain.utf8.count <= KeyEvent.maximumDomainByteCount else {
                throw .malformed("domain \"\(domain)\": a lower-case host name of at least two labels is expected")
            }
            return domain
        }
    }
}
