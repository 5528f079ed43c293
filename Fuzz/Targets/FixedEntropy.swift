@testable import HandfastCrypto

/// Numbers that are the same in each run, so that the keys of the fixtures are; encapsulations stay the system's.
struct FixedEntropy: Entropy {
    private var state: UInt64
    private var system = SystemEntropy()

    init(_ seed: UInt64 = 1) {
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
}
