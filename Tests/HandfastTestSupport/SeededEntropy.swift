public import HandfastCrypto

/// Randomness from a seed, so that a failing run can be repeated: SplitMix64. Encapsulations stay the system's.
public struct SeededEntropy: Entropy, Sendable {
    /// What to print when a test fails.
    public let seed: UInt64

    private var state: UInt64
    private var system = SystemEntropy()

    /// The generator of a seed.
    public init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// The next number of the seed's sequence.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A real encapsulation, different in each run.
    public mutating func encapsulate(to key: KEMPublicKey) throws(CryptoError) -> KEMEncapsulation {
        try system.encapsulate(to: key)
    }

    /// A real HPKE context, different in each run.
    public mutating func sender(to key: SealingPublicKey, info: RawSpan) throws(CryptoError) -> HPKESender {
        try system.sender(to: key, info: info)
    }
}
