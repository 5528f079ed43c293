/// Everything random that the core needs, as one parameter.
///
/// Encapsulation is part of it because the KEM's provider draws its own randomness: whoever replays a run records
/// the results and hands them back from here.
public protocol Entropy: RandomNumberGenerator {
    /// Encapsulates a fresh shared secret to an ML-KEM-768 key.
    /// - Throws: ``CryptoError/invalidKey(_:)``
    mutating func encapsulate(to key: KEMPublicKey) throws(CryptoError) -> KEMEncapsulation

    /// Sets up an HPKE context that seals to an X-Wing key.
    /// - Throws: ``CryptoError/invalidKey(_:)``
    mutating func sender(to key: SealingPublicKey, info: RawSpan) throws(CryptoError) -> HPKESender
}

/// The randomness of the running system.
public struct SystemEntropy: Entropy, Sendable {
    private var random = SecureRandom()

    /// Entropy without state.
    public init() {}

    /// Eight random bytes.
    public mutating func next() -> UInt64 {
        random.next()
    }

    /// Encapsulates a fresh shared secret to an ML-KEM-768 key.
    /// - Throws: ``CryptoError/invalidKey(_:)``
    public mutating func encapsulate(to key: KEMPublicKey) throws(CryptoError) -> KEMEncapsulation {
        try key.encapsulate()
    }

    /// Sets up an HPKE context that seals to an X-Wing key.
    /// - Throws: ``CryptoError/invalidKey(_:)``
    public mutating func sender(to key: SealingPublicKey, info: RawSpan) throws(CryptoError) -> HPKESender {
        try HPKESender(to: key, info: info)
    }
}
