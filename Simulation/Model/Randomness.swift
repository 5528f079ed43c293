@testable import HandfastCrypto

/// Numbers from a seed (SplitMix64). Encapsulations stay the system's; nothing in a run depends on their values.
struct Randomness: Entropy, Sendable {
    private var state: UInt64
    private var system = SystemEntropy()

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func encapsulate(to key: KEMPublicKey) throws(CryptoError) -> KEMEncapsulation {
        try system.encapsulate(to: key)
    }

    mutating func sender(to key: SealingPublicKey, info: RawSpan) throws(CryptoError) -> HPKESender {
        try system.sender(to: key, info: info)
    }

    /// A number below `bound`, which is small.
    mutating func below(_ bound: Int) -> Int {
        Int(next() % UInt64(bound))
    }

    /// True once in `times`; never for 0.
    mutating func once(in times: Int) -> Bool {
        times > 0 && below(times) == 0
    }
}
