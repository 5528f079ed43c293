import HandfastCrypto
import HandfastTestSupport
import Testing

// The expected values come from Python's hmac.new(key, message, "blake2b"), put together as the Noise framework says.
@Suite struct NoiseHashTests {
    private let chainingKey = [UInt8](0..<64)

    @Test func hashJoinsItsParts() {
        let whole = NoiseHash.hash([UInt8]("abc".utf8).bytes)
        #expect(NoiseHash.hash([UInt8]("a".utf8).bytes, [UInt8]("bc".utf8).bytes) == whole)
        #expect(whole.description.hasPrefix("ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"))
    }

    @Test func authenticatesAsHMAC() throws {
        let message = [UInt8]("The quick brown fox".utf8)
        let key = [UInt8]("key".utf8)
        let expected: HexBytes =
            """
            5c169e8a18362381efbc0f688fa1d48e99f2bd5885a19c29943e28b43d566f33\
            0555d6c37a277cd4cbb1deca561f377c02f0d5388c6e1efd6e97de2bd8b2d678
            """
        #expect(try NoiseHash.hmac(key: key.bytes, message.bytes).array == expected.bytes)
        let (head, tail) = (Array(message.prefix(4)), Array(message.dropFirst(4)))
        #expect(try NoiseHash.hmac(key: key.bytes, head.bytes, tail.bytes).array == expected.bytes)

        let ofLongestKey: HexBytes =
            """
            198cd2006f66ff83fbbd913f78aca2251caf4f19fe9475aade8cf2091b99a684\
            66775177424f58286886cbae8229644cec747237d4b721735485e17372fdf59c
            """
        let longest = [UInt8](repeating: 0, count: 128)
        #expect(try NoiseHash.hmac(key: longest.bytes, RawSpan()).array == ofLongestKey.bytes)
    }

    @Test func refusesKeysLongerThanABlock() {
        #expect(throws: CryptoError.outOfRange(of: "HMAC key in bytes", permitted: 0...128, actual: 129)) {
            _ = try NoiseHash.hmac(key: [UInt8](repeating: 0, count: 129).bytes, RawSpan())
        }
    }

    @Test func derivesAsNoise() {
        let chainingKey = SecretBytes(copying: chainingKey.bytes)
        let first: HexBytes =
            """
            839b4fa9779b8c32020776a8c4aaa228b2e706ba929fbac13da91141146ec723\
            bb13890c9b3b1e6ffa86aafb8c3fbb79f1b67fb4cd65e5e303a16d0984bdf147
            """
        let second: HexBytes =
            """
            ff2ce8289371433328e8e4f3d4a7c6106b4a90fba995df4d6c7e73b2b8be8df7\
            0c439c2800fc3b09aeae1b33bec3fb31e68f0e1567a1e4b11716b9952d381caf
            """

        let two = NoiseHash.hkdf2(chainingKey: chainingKey, inputKeyMaterial: [UInt8](repeating: 11, count: 32).bytes)
        #expect(two.first.array == first.bytes)
        #expect(two.second.array == second.bytes)
    }

    @Test func derivesFromNoInputAtTheSplit() {
        let split = NoiseHash.hkdf2(
            chainingKey: SecretBytes(copying: chainingKey.bytes), inputKeyMaterial: RawSpan())
        let first: HexBytes =
            """
            03be0946afb62e33dcc2e8cb76dfad47663d284d81c0bde963f32a283dede221\
            be2b9e3a86fa82934234d2a6ed331fb664a3e670252b9454da9ed2567b435e11
            """
        let second: HexBytes =
            """
            8481b385940ea1ddc1e37243d34e6a00d9e35fe86844b75be2f9d084efcbf4a9\
            d18c764645baf5262707efcb490c9ddfcc81c78ff75e1e727428f05b9fee857f
            """
        #expect(split.first.array == first.bytes)
        #expect(split.second.array == second.bytes)
    }
}
