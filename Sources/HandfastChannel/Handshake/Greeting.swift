public import HandfastCrypto
internal import HandfastEncoding

/// What an invitee makes from an invitation: the hello to send and what to keep until the welcome comes.
///
/// - Source: Spec/03 §3.3
public struct Greeting: ~Copyable {
    static let maximumEntryCount = 16

    /// The bytes to send; a retry sends the same.
    public let hello: [UInt8]
    /// The relationship that it opens.
    public let relationship: RelationshipID
    /// What opens the welcome.
    public let pending: PendingWelcome

    /// Seals a hello.
    ///
    /// - Parameters:
    ///   - invitation: The invitation that is accepted.
    ///   - bundle: The bundle that lies beside its knock queue.
    ///   - identity: A fresh pairwise identity.
    ///   - addresses: 1–4 places where the inviter reaches us.
    ///   - entries: Gives our first records, at most 16 encoded entries, for the relationship id it is told.
    ///   - now: The time.
    ///   - entropy: Keys and the HPKE context.
    /// - Throws: ``ChannelError`` when the bundle is not the one promised or not valid now, or the entries are too
    ///   large; whatever
    ///   `entries` throws, as ``ChannelError/malformed(_:)``.
    public static func make(
        invitation: Invitation, bundle: Bundle, identity: borrowing Identity, addresses: [Address],
        entries: (RelationshipID) throws -> [[UInt8]], now: Timestamp, using entropy: inout some Entropy
    ) throws(ChannelError) -> Greeting {
        try bundle.check(against: invitation, now: now)
        guard (1...Address.maximumCount).contains(addresses.count) else {
            throw .malformed("hello: 1 to \(Address.maximumCount) addresses are needed")
        }
        let info = HandshakeTranscript.info(bundleHash: bundle.hash)
        let sender = try SealedForm.hello.sender(to: bundle.sealingKey, info: info, using: &entropy)
        let encapsulation = sender.encapsulation
        let relationship = HandshakeTranscript.relationship(
            bundleHash: bundle.hash, encapsulation: encapsulation, invitee: identity.id)
        let first = try ChannelError.naming("first records") { try entries(relationship) }
        guard first.count <= maximumEntryCount else {
            throw .tooLarge(of: "number of first records", maximum: maximumEntryCount)
        }
        let ratchetKey = AgreementPrivateKey.generate(using: &entropy)
        let kemKey = KEMPrivateKey.generate(using: &entropy)
        let content = Content(
            inception: identity.log.events[0].encoded(), addresses: addresses, ratchetKey: ratchetKey.publicKey,
            kemKey: kemKey.publicKey, ticket: invitation.ticket, entries: first, created: now)
        let sealed = try SealedForm.hello.seal(
            COSESign1.sign(
                content.encoded(), type: SealedForm.hello.type, externalData: bundle.hash.array + encapsulation,
                with: identity.signingKey),
            naming: bundle.hash.array, with: sender)
        let transcript = HandshakeTranscript(
            bundleHash: bundle.hash, encapsulation: encapsulation, helloHash: Digest.of(.hello, sealed.bytes))
        return Greeting(
            hello: sealed.bytes, relationship: relationship,
            pending: PendingWelcome(
                root: transcript.root(exported: sealed.exported, ticket: invitation.ticket), ratchetKey: ratchetKey,
                kemKey: kemKey, bundle: bundle, transcript: transcript, inception: identity.log.events[0]))
    }

    /// The signed map inside a hello.
    struct Content {
        let inception: [UInt8]
        let addresses: [Address]
        let ratchetKey: AgreementPublicKey
        let kemKey: KEMPublicKey
        let ticket: Ticket
        var entries: [[UInt8]]
        let created: Timestamp

        init(
            inception: [UInt8], addresses: [Address], ratchetKey: AgreementPublicKey, kemKey: KEMPublicKey,
            ticket: Ticket, entries: [[UInt8]], created: Timestamp
        ) {
            self.inception = inception
            self.addresses = addresses
            self.ratchetKey = ratchetKey
            self.kemKey = kemKey
            self.ticket = ticket
            self.entries = entries
            self.created = created
        }

        init(_ reader: inout CBORReader) throws {
            var map = try reader.readIntegerMap(maximum: 7)
            try map.requireKey(1, &reader)
            inception = try reader.readByteArray(maximum: KeyEvent.maximumByteCount)
            try map.requireKey(2, &reader)
            addresses = try Address.readArray(&reader)
            try map.requireKey(3, &reader)
            ratchetKey = try AgreementPublicKey(reading: &reader)
            try map.requireKey(4, &reader)
            kemKey = try KEMPublicKey(reading: &reader)
            try map.requireKey(5, &reader)
            ticket = Ticket(try FixedBytes(reader.readBytes(count: 16)))
            try map.requireKey(6, &reader)
            entries = try EncodedItems.read(&reader, maximum: Greeting.maximumEntryCount)
            try map.requireKey(7, &reader)
            created = Timestamp(seconds: try reader.readUnsigned())
            try map.finish(&reader)
        }

        func encoded() -> [UInt8] {
            var writer = CBORWriter()
            writer.writeMap { writer in
                writer.writeKey(1)
                writer.writeBytes(inception)
                writer.writeKey(2)
                Address.write(addresses, to: &writer)
                writer.writeKey(3)
                ratchetKey.write(to: &writer)
                writer.writeKey(4)
                kemKey.write(to: &writer)
                writer.writeKey(5)
                writer.writeBytes(ticket.array)
                writer.writeKey(6)
                EncodedItems.write(entries, to: &writer)
                writer.writeKey(7)
                writer.writeUnsigned(created.seconds)
            }
            return writer.bytes
        }
    }
}
