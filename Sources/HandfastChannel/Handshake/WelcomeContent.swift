internal import HandfastCrypto
internal import HandfastEncoding

/// The content of a welcome.
///
/// - Source: Spec/03 §3.4
struct WelcomeContent {
    let inception: [UInt8]
    let addresses: [Address]
    let pairwiseSignature: [UInt8]
    let signerSignature: [UInt8]
    let entries: [[UInt8]]
    let signerEvents: [[UInt8]]

    init(proof: HandshakeProof, addresses: [Address], entries: [[UInt8]]) {
        inception = proof.inviterInception
        self.addresses = addresses
        pairwiseSignature = proof.pairwiseSignature
        signerSignature = proof.signerSignature
        self.entries = entries
        signerEvents = proof.signerEvents
    }

    init(_ reader: inout CBORReader) throws {
        var map = try reader.readIntegerMap(maximum: 6)
        try map.requireKey(1, &reader)
        inception = try reader.readByteArray(maximum: KeyEvent.maximumByteCount)
        try map.requireKey(2, &reader)
        addresses = try Address.readArray(&reader)
        try map.requireKey(3, &reader)
        pairwiseSignature = try reader.readByteArray(maximum: HandshakeProof.maximumSignatureByteCount)
        try map.requireKey(4, &reader)
        signerSignature = try reader.readByteArray(maximum: HandshakeProof.maximumSignatureByteCount)
        try map.requireKey(5, &reader)
        entries = try EncodedItems.read(&reader, maximum: Greeting.maximumEntryCount)
        try map.requireKey(6, &reader)
        signerEvents = try HandshakeProof.readEvents(&reader)
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
            writer.writeBytes(pairwiseSignature)
            writer.writeKey(4)
            writer.writeBytes(signerSignature)
            writer.writeKey(5)
            EncodedItems.write(entries, to: &writer)
            writer.writeKey(6)
            writer.writeArrayHeader(signerEvents.count)
            for event in signerEvents { writer.writeBytes(event) }
        }
        return writer.bytes
    }
}
