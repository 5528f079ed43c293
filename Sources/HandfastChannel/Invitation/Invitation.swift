internal import HandfastCrypto
internal import HandfastEncoding

/// Where to knock, who signs the bundle there, and a ticket: what one party hands to another, as a URI or a QR code.
///
/// - Source: Spec/03 §3.1
public struct Invitation: Hashable, Sendable {
    /// What the URI begins with.
    public static let scheme = "handfast:"
    /// The longest URI, in characters.
    public static let maximumCharacterCount = 200

    /// The relay that keeps the knock queue.
    public let relay: RelayAddress
    /// The queue that takes the hello, beside which the bundle lies.
    public let knockQueue: QueueID
    /// The identity that signs the bundle: a public one, or one made for this invitation.
    public let signer: IdentityID
    /// The number of events in the signer's key log, 1–64: a bundle that shows fewer is old.
    public let eventCount: Int
    /// The right to answer.
    public let ticket: Ticket
    /// The written form.
    public let uri: String

    /// Joins the parts.
    ///
    /// - Throws: ``ChannelError/tooLarge(of:maximum:)`` when the URI would be longer than 200 characters: the relay's
    ///   host name is too long.
    public init(
        relay: RelayAddress, knockQueue: QueueID, signer: IdentityID, eventCount: Int, ticket: Ticket
    ) throws(ChannelError) {
        guard (1...KeyLog.maximumEventCount).contains(eventCount) else {
            throw .malformed("invitation: a key log has 1 to \(KeyLog.maximumEventCount) events")
        }
        self.relay = relay
        self.knockQueue = knockQueue
        self.signer = signer
        self.eventCount = eventCount
        self.ticket = ticket
        var writer = CBORWriter()
        writer.writeArrayHeader(8)
        writer.writeUnsigned(Suite.number)
        relay.write(to: &writer)
        writer.writeBytes(knockQueue.array)
        writer.writeBytes(signer.digest.array)
        writer.writeUnsigned(UInt64(eventCount))
        writer.writeBytes(ticket.array)
        uri = Self.scheme + Base64URL.encode(writer.bytes)
        guard uri.utf8.count <= Self.maximumCharacterCount else {
            throw .tooLarge(of: "invitation (give the relay a shorter host name)", maximum: Self.maximumCharacterCount)
        }
    }

    /// Reads the written form; white space around it is ignored.
    ///
    /// - Throws: ``ChannelError``
    public init(uri: String) throws(ChannelError) {
        let trimmed = uri.drop(while: \.isWhitespace)
        let text = trimmed[
            ..<(trimmed.lastIndex(where: { !$0.isWhitespace }).map(trimmed.index(after:)) ?? trimmed.endIndex)]
        guard text.utf8.count <= Self.maximumCharacterCount else {
            throw .tooLarge(of: "invitation", maximum: Self.maximumCharacterCount)
        }
        guard text.hasPrefix(Self.scheme) else {
            throw .malformed("invitation: it starts with \"\(Self.scheme)\"")
        }
        let bytes = try ChannelError.naming("invitation") {
            try Base64URL.decode(text.dropFirst(Self.scheme.count))
        }
        let parts = try ChannelError.decoding("invitation", bytes.bytes, maximum: Self.maximumCharacterCount) {
            reader in
            try reader.readArrayHeader(count: 8)
            let suite = try reader.readUnsigned()
            guard suite == Suite.number else { throw ChannelError.unsupportedVersion(suite, of: "invitation") }
            return (
                relay: try RelayAddress(reading: &reader), queue: QueueID(try FixedBytes(reader.readBytes(count: 16))),
                signer: IdentityID(try Digest(reader.readBytes(count: 32))),
                eventCount: Int(try reader.readUnsigned(maximum: UInt64(KeyLog.maximumEventCount))),
                ticket: Ticket(try FixedBytes(reader.readBytes(count: 16)))
            )
        }
        try self.init(
            relay: parts.relay, knockQueue: parts.queue, signer: parts.signer, eventCount: parts.eventCount,
            ticket: parts.ticket)
    }
}
