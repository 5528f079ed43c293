public import HandfastCrypto
internal import HandfastEncoding

/// The signed keys, families and validity that an inviter publishes for the invitee to seal its hello to.
///
/// - Source: Spec/03 §3.2
public struct Bundle: Hashable, Sendable {
    /// The COSE type of a bundle.
    public static let type = "handfast-bundle+cose"
    /// The largest bundle, in bytes.
    public static let maximumByteCount = 131_072
    /// The longest validity, in seconds.
    public static let maximumValiditySeconds: UInt64 = 172_800
    /// How far two clocks may differ before a bundle is refused, in seconds.
    public static let clockToleranceSeconds: UInt64 = 3_600
    /// The most families that a bundle names.
    public static let maximumFamilyCount = 64

    /// The COSE_Sign1, encoded.
    public let bytes: [UInt8]
    /// `H("bundle", COSE_Sign1)`.
    public let hash: Digest
    /// The signer's key log.
    public let signerLog: KeyLog
    /// The X-Wing key that a hello is sealed to.
    public let sealingKey: SealingPublicKey
    /// The first second of validity.
    public let notBefore: Timestamp
    /// The last second of validity.
    public let expires: Timestamp
    /// The families that the inviter's node understands.
    public let families: [String]

    /// Signs a bundle.
    ///
    /// - Throws: ``ChannelError/malformed(_:)`` for a validity longer than 48 h,
    ///   ``ChannelError/tooLarge(of:maximum:)``.
    public static func make(
        signer: borrowing Identity, key: SealingPublicKey, notBefore: Timestamp, expires: Timestamp, families: [String]
    ) throws(ChannelError) -> Bundle {
        var writer = CBORWriter()
        let log = signer.log
        writer.writeMap { writer in
            writer.writeKey(1)
            writer.writeUnsigned(Suite.number)
            writer.writeKey(2)
            writer.writeBytes(log.id.digest.array)
            writer.writeKey(3)
            log.write(to: &writer)
            writer.writeKey(4)
            key.write(to: &writer)
            writer.writeKey(5)
            writer.writeUnsigned(notBefore.seconds)
            writer.writeKey(6)
            writer.writeUnsigned(expires.seconds)
            writer.writeKey(7)
            writer.writeArrayHeader(families.count)
            for family in families { writer.writeText(family) }
        }
        let signed = COSESign1.sign(writer.bytes, type: type, with: signer.signingKey)
        return try Bundle(decoding: signed.encoded().bytes)
    }

    /// Decodes a bundle and verifies it under the current key of its own log.
    ///
    /// - Throws: ``ChannelError``
    public init(decoding bytes: RawSpan) throws(ChannelError) {
        guard bytes.byteCount <= Self.maximumByteCount else {
            throw .tooLarge(of: "bundle", maximum: Self.maximumByteCount)
        }
        let signed = try ChannelError.naming("bundle") {
            try COSESign1(decoding: bytes, maximumPayload: Self.maximumByteCount)
        }
        let payload = signed.payload
        let fields = try ChannelError.decoding("bundle", payload.bytes, maximum: Self.maximumByteCount) { reader in
            try Fields(&reader)
        }
        guard fields.log.id == fields.signer else { throw .wrongSigner(expected: fields.signer, actual: fields.log.id) }
        guard !fields.log.isRevoked else { throw .keyLog(.revoked, sequence: fields.log.events.count - 1) }
        guard fields.notBefore <= fields.expires,
            fields.expires <= fields.notBefore.adding(seconds: Self.maximumValiditySeconds)
        else { throw .malformed("bundle: it may be valid for at most 48 hours") }
        try ChannelError.naming("bundle") { try signed.verify(type: Self.type, with: fields.log.currentKey) }
        self.bytes = [UInt8](bytes)
        hash = Digest.of(.bundle, self.bytes)
        signerLog = fields.log
        sealingKey = fields.key
        notBefore = fields.notBefore
        expires = fields.expires
        families = fields.families
    }

    /// Checks that this is the bundle that an invitation promises, and that it is valid now, give or take an hour.
    ///
    /// - Throws: ``ChannelError/wrongSigner(expected:actual:)``, ``ChannelError/keyLogTooShort(expected:actual:)``,
    ///   ``ChannelError/bundleNotYetValid(from:now:)``, ``ChannelError/bundleExpired(at:now:)``
    public func check(against invitation: Invitation, now: Timestamp) throws(ChannelError) {
        guard signerLog.id == invitation.signer else {
            throw .wrongSigner(expected: invitation.signer, actual: signerLog.id)
        }
        guard signerLog.events.count >= invitation.eventCount else {
            throw .keyLogTooShort(expected: invitation.eventCount, actual: signerLog.events.count)
        }
        guard now.adding(seconds: Self.clockToleranceSeconds) >= notBefore else {
            throw .bundleNotYetValid(from: notBefore, now: now)
        }
        guard now <= expires.adding(seconds: Self.clockToleranceSeconds) else {
            throw .bundleExpired(at: expires, now: now)
        }
    }

    private struct Fields {
        let signer: IdentityID
        let log: KeyLog
        let key: SealingPublicKey
        let notBefore: Timestamp
        let expires: Timestamp
        var families: [String] = []

        init(_ reader: inout CBORReader) throws {
            var map = try reader.readIntegerMap(maximum: 7)
            try map.requireKey(1, &reader)
            let suite = try reader.readUnsigned()
            guard suite == Suite.number else { throw ChannelError.unsupportedVersion(suite, of: "bundle") }
            try map.requireKey(2, &reader)
            signer = IdentityID(try Digest(reader.readBytes(count: 32)))
            try map.requireKey(3, &reader)
            log = try KeyLog(reading: &reader)
            try map.requireKey(4, &reader)
            key = try SealingPublicKey(reading: &reader)
            try map.requireKey(5, &reader)
            notBefore = Timestamp(seconds: try reader.readUnsigned())
            try map.requireKey(6, &reader)
            expires = Timestamp(seconds: try reader.readUnsigned())
            try map.requireKey(7, &reader)
            for _ in 0..<(try reader.readArrayHeader(maximum: Bundle.maximumFamilyCount)) {
                families.append(try reader.readText(maximum: 64))
            }
            try map.finish(&reader)
        }
    }
}
