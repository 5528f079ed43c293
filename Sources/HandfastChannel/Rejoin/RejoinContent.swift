internal import HandfastCrypto
internal import HandfastEncoding

/// The signed map inside a rejoin.
///
/// - Source: Spec/04 §4.8
struct RejoinContent {
    let epoch: UInt64
    let resume: UInt64?
    /// One encoded item that the ledger understands.
    let heads: [UInt8]
    let events: [[UInt8]]
    let ratchetKey: AgreementPublicKey
    let kemKey: KEMPublicKey
    let created: Timestamp
    let insteadOf: Digest?
    /// Where the asker receives from now on; empty where nothing has changed.
    let addresses: [Address]

    init(
        epoch: UInt64, resume: UInt64?, heads: [UInt8], events: [[UInt8]], ratchetKey: AgreementPublicKey,
        kemKey: KEMPublicKey, created: Timestamp, insteadOf: Digest?, addresses: [Address]
    ) {
        self.epoch = epoch
        self.resume = resume
        self.heads = heads
        self.events = events
        self.ratchetKey = ratchetKey
        self.kemKey = kemKey
        self.created = created
        self.insteadOf = insteadOf
        self.addresses = addresses
    }

    init(_ reader: inout CBORReader) throws {
        var map = try reader.readIntegerMap(maximum: 9)
        try map.requireKey(1, &reader)
        epoch = try reader.readUnsigned(maximum: Rejoin.maximumEpoch)
        guard epoch > 0 else { throw ChannelError.malformed("rejoin: epoch 0 is the handshake's") }
        resume = try map.hasKey(2, &reader) ? reader.readUnsigned(maximum: Rejoin.maximumEpoch) : nil
        if let resume, resume >= epoch { throw ChannelError.malformed("rejoin: it resumes an epoch to come") }
        try map.requireKey(3, &reader)
        heads = [UInt8](try reader.readEncodedItem())
        try map.requireKey(4, &reader)
        events = try KeyLog.readShown(&reader)
        try map.requireKey(5, &reader)
        ratchetKey = try AgreementPublicKey(reading: &reader)
        try map.requireKey(6, &reader)
        kemKey = try KEMPublicKey(reading: &reader)
        try map.requireKey(7, &reader)
        created = Timestamp(seconds: try reader.readUnsigned())
        insteadOf = try map.hasKey(8, &reader) ? Digest(reader.readBytes(count: 32)) : nil
        addresses = try map.hasKey(9, &reader) ? Address.readReplies(&reader) : []
        try map.finish(&reader)
    }

    func encoded() -> [UInt8] {
        var writer = CBORWriter()
        writer.writeMap { writer in
            writer.writeKey(1)
            writer.writeUnsigned(epoch)
            if let resume {
                writer.writeKey(2)
                writer.writeUnsigned(resume)
            }
            writer.writeKey(3)
            writer.writeEncoded(heads)
            writer.writeKey(4)
            KeyLog.writeShown(events, to: &writer)
            writer.writeKey(5)
            ratchetKey.write(to: &writer)
            writer.writeKey(6)
            kemKey.write(to: &writer)
            writer.writeKey(7)
            writer.writeUnsigned(created.seconds)
            if let insteadOf {
                writer.writeKey(8)
                writer.writeBytes(insteadOf.array)
            }
            if !addresses.isEmpty {
                writer.writeKey(9)
                Address.write(addresses, to: &writer)
            }
        }
        return writer.bytes
    }
}

extension KeyLog {
    /// The latest events that a rejoin and its answer show; all 63 would not fit into an envelope.
    static let maximumShownCount = 24

    /// The events that this side shows, so that a peer that missed rotations can verify its signature.
    var shown: [[UInt8]] { events.dropFirst().suffix(Self.maximumShownCount).map { $0.encoded() } }

    /// The log with the events that its holder shows; those it holds already change nothing.
    ///
    /// - Throws: ``ChannelError/keyLog(_:sequence:)``, ``ChannelError/keyLogFork(_:)``
    func joined(with shown: [[UInt8]]) throws(ChannelError) -> KeyLog {
        var log = self
        for event in shown { try log.append(KeyEvent(decoding: event.bytes)) }
        guard !log.isRevoked else { throw .keyLog(.revoked, sequence: log.events.count - 1) }
        return log
    }

    static func readShown(_ reader: inout CBORReader) throws(CBORError) -> [[UInt8]] {
        var events: [[UInt8]] = []
        for _ in 0..<(try reader.readArrayHeader(maximum: maximumShownCount)) {
            events.append(try reader.readByteArray(maximum: KeyEvent.maximumByteCount))
        }
        return events
    }

    static func writeShown(_ events: [[UInt8]], to writer: inout CBORWriter) {
        writer.writeArrayHeader(events.count)
        for event in events { writer.writeBytes(event) }
    }
}
