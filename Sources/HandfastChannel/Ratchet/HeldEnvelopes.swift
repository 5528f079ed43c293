internal import HandfastCrypto

/// Envelopes that cannot be opened until the ML-KEM ciphertext of their chain comes, or that wait for those before them.
///
/// - Source: Spec/04 §4.3
struct HeldEnvelopes: Sendable {
    static let maximumCount = 256
    static let maximumByteCount = 1 << 20

    private(set) var envelopes: [[UInt8]] = []
    private var byteCount = 0

    /// Keeps an envelope, once.
    mutating func append(_ envelope: RawSpan) throws(ChannelError) {
        let envelope = [UInt8](envelope)
        if envelopes.contains(envelope) { return }
        guard envelopes.count < Self.maximumCount, byteCount + envelope.count <= Self.maximumByteCount else {
            throw .tooManyHeld
        }
        envelopes.append(envelope)
        byteCount += envelope.count
    }

    mutating func remove(at position: Int) -> [UInt8] {
        let envelope = envelopes.remove(at: position)
        byteCount -= envelope.count
        return envelope
    }

    mutating func take() -> [[UInt8]] {
        defer { self = HeldEnvelopes() }
        return envelopes
    }
}
