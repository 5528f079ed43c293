import HandfastCrypto
import HandfastTestSupport
import Testing

@Suite struct EntropyTests {
    private struct Counting: RandomNumberGenerator {
        var count: UInt64 = 0

        mutating func next() -> UInt64 {
            count += 1
            return 0x0807_0605_0403_0201 &* count
        }
    }

    @Test func bytesAreTheNumbersLittleEndian() {
        var random = Counting()
        #expect(random.bytes(11) == [1, 2, 3, 4, 5, 6, 7, 8, 2, 4, 6])
        #expect(random.count == 2)
        #expect(random.bytes(0) == [])
        #expect(random.count == 2)
    }

    @Test func everyWayToDrawTakesTheSameNumbers() {
        var one = SeededEntropy(seed: 5)
        var other = SeededEntropy(seed: 5)
        var third = SeededEntropy(seed: 5)
        let bytes = one.bytes(32)
        #expect(SecretBytes(random: 32, using: &other).array == bytes)
        #expect(FixedBytes<32>(random: &third).array == bytes)
    }

    @Test func seedsGiveTheSameKeysAgain() {
        var one = SeededEntropy(seed: 6)
        var other = SeededEntropy(seed: 6)
        #expect(SigningKey.generate(using: &one).publicKey == SigningKey.generate(using: &other).publicKey)
        #expect(
            AgreementPrivateKey.generate(using: &one).publicKey == AgreementPrivateKey.generate(using: &other).publicKey
        )
        #expect(KEMPrivateKey.generate(using: &one).publicKey == KEMPrivateKey.generate(using: &other).publicKey)
        #expect(
            SealingPrivateKey.generate(using: &one).publicKey == SealingPrivateKey.generate(using: &other).publicKey)
    }

    @Test func systemNeverRepeatsItself() {
        var random = SecureRandom()
        var copy = random
        var system = SystemEntropy()
        let draws = (0..<100).flatMap { _ in [random.bytes(16), copy.bytes(16), system.bytes(16)] }
        #expect(Set(draws).count == draws.count)
        #expect(Set((0..<100).flatMap { _ in [random.next(), copy.next(), system.next()] }).count == 300)
    }

    @Test func errorsSayWhatToDo() {
        let errors: [CryptoError] = [
            .wrongLength(of: "key", expected: 32, actual: 31), .outOfRange(of: "memory", permitted: 1...2, actual: 3),
            .authenticationFailed, .invalidSignature, .invalidKey("key"), .smallOrderResult, .contextExhausted,
            .outOfLockedMemory, .passphraseHashingFailed,
        ]
        #expect(Set(errors.map(\.description)).count == errors.count)
        #expect(errors.allSatisfy { $0.description.hasSuffix(".") })
    }
}
