internal import HandfastCrypto
internal import HandfastEncoding

/// The content of a rejoined.
///
/// - Source: Spec/04 §4.8
struct RejoinedContent {
    static let type = "handfast-rejoined+cose"

    /// One encoded item that the ledger understands.
    let heads: [UInt8]
    /// A detached COSE_Sign1.
    let signature: [UInt8]
    let events: [[UInt8]]
    /// Where the answerer receives from now on; empty where nothing has changed.
    let addresses: [Address]

    init(heads: [UInt8], signature: [UInt8], events: [[UInt8]], addresses: [Address]) {
        self.heads = heads
        self.signature = signature
        self.events = events
        self.addresses = addresses
    }

    init(_ reader: inout CBORReader) throws {
        var map = try reader.readIntegerMap(maximum: 4)
        try map.requireKey(1, &reader)
        heads = [UInt8](try reader.readEncodedItem())
        try map.requireKey(2, &reader)
        signature = try reader.readByteArray(maximum: HandshakeProof.maximumSignatureByteCount)
        try map.requireKey(3, &reader)
        events = try KeyLog.readShown(&reader)
        addresses = try map.hasKey(4, &reader) ? Address.readReplies(&reader) : []
        try map.finish(&reader)
    }

    func encoded() -> [UInt8] {
        var writer = CBORWriter()
        writer.writeMap { writer in
            writer.writeKey(1)
            writer.writeEncoded(heads)
            writer.writeKey(2)
            writer.writeBytes(signature)
            writer.writeKey(3)
            KeyLog.writeShown(events, to: &writer)
            if !addresses.isEmpty {
                writer.writeKey(4)
                Address.write(addresses, to: &writer)
            }
        }
        return writer.bytes
    }

    /// What the answerer signs.
    static func digest(
        rejoin: Digest, heads: [UInt8], ratchetKey: AgreementPublicKey, ciphertext: [UInt8], addresses: [Address]
    ) -> Digest {
        guard !addresses.isEmpty else {
            return Digest.of(.rejoined, rejoin.array, heads, ratchetKey.array, ciphertext)
        }
        var writer = CBORWriter()
        Address.write(addresses, to: &writer)
        return Digest.of(.rejoined, rejoin.array, heads, ratchetKey.array, ciphertext, writer.bytes)
    }
}
