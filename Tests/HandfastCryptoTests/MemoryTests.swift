import HandfastCrypto
import HandfastTestSupport
import Testing

@Suite struct MemoryTests {
    @Test func wipingLeavesZerosOfTheSameSize() throws {
        var secret = SecretBytes(copying: [UInt8](repeating: 0xa5, count: 100).bytes)
        secret.wipe()
        #expect(secret.array == [UInt8](repeating: 0, count: 100))

        var key = try AEADKey(copying: [UInt8](repeating: 0xa5, count: 32).bytes)
        key.wipe()
        #expect([UInt8](key.bytes) == [UInt8](repeating: 0, count: 32))
    }

    // Reads memory after it was given back, so it runs alone in a process of its own. The allocator writes its own
    // bookkeeping over the beginning, never a whole run of the secret.
    @Test func dyingSecretLeavesNothingBehind() async {
        await #expect(processExitsWith: .success) {
            func address(of secret: borrowing SecretBytes) -> UInt {
                unsafe secret.bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
            }
            let count = 4_096
            var start: UInt = 0
            do {
                let secret = SecretBytes(copying: [UInt8](repeating: 0xa5, count: count).bytes)
                start = address(of: secret)
                let buffer = unsafe UnsafeRawBufferPointer(
                    start: UnsafeRawPointer(bitPattern: start), count: count)
                let held = unsafe buffer.count { $0 == 0xa5 }
                precondition(held == count)
            }
            let buffer = unsafe UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: start), count: count)
            let left = unsafe buffer.count { $0 == 0xa5 }
            precondition(left < 16)
        }
    }

    @Test func guardedMemoryCannotBeWritten() async {
        await #expect(processExitsWith: .failure) {
            let guarded = try GuardedBytes(copying: [1, 2, 3].bytes)
            unsafe guarded.bytes.withUnsafeBytes { buffer in
                unsafe UnsafeMutableRawBufferPointer(mutating: buffer)[0] = 9
            }
        }
    }

    @Test func guardedMemoryCannotBeReadBeyondItsEnd() async {
        await #expect(processExitsWith: .failure) {
            let guarded = try GuardedBytes(copying: [UInt8](repeating: 1, count: 32).bytes)
            var bytes: [UInt8] = []
            unsafe guarded.bytes.withUnsafeBytes { buffer in
                unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(start: buffer.baseAddress, count: 33))
            }
            print(bytes.count)
        }
    }

    @Test func guardedMemoryHoldsWhatWasCopied() throws {
        for count in [1, 32, 64, 4_096, 5_000] {
            var random = SeededEntropy(seed: UInt64(count))
            let bytes = random.bytes(count)
            let guarded = try GuardedBytes(copying: bytes.bytes)
            #expect(guarded.count == count)
            #expect([UInt8](guarded.bytes) == bytes)
        }
    }

    @Test func copiesOfASecretAreIndependent() {
        var secret = SecretBytes(copying: [1, 2, 3].bytes)
        let copy = secret.copy()
        secret.wipe()
        #expect(copy.array == [1, 2, 3])
    }

    @Test func secretsCompareBySizeAndContents() {
        let secret = SecretBytes(copying: [1, 2, 3].bytes)
        let verdicts = [[1, 2, 3], [1, 2, 4], [1, 2], []].map { secret.isEqual(to: $0.bytes) }
        #expect(verdicts == [true, false, false, false])
        let empty = SecretBytes(count: 0).isEqual(to: RawSpan())
        #expect(empty)
    }

    @Test func secretsAreOverwrittenInPlace() {
        var secret = SecretBytes(count: 4)
        var bytes = secret.mutableBytes
        bytes.storeBytes(of: 0x0403_0201, as: UInt32.self)
        #expect(secret.array == [1, 2, 3, 4])
    }

    @Test func fixedBytesHaveTheirSizeAndNoOther() throws {
        #expect(throws: CryptoError.wrongLength(of: "value", expected: 4, actual: 3)) {
            try FixedBytes<4>(copying: [1, 2, 3])
        }
        let value = try FixedBytes<4>(copying: [0, 1, 0xab, 0xff])
        #expect(value.array == [0, 1, 0xab, 0xff])
        #expect([UInt8](value.bytes) == value.array)
        #expect(value.description == "0001abff")
        #expect(FixedBytes<4>.zero.array == [0, 0, 0, 0])
    }

    @Test(arguments: UInt64(0)..<32)
    func fixedBytesAreOrderedAsArrays(seed: UInt64) throws {
        var random = SeededEntropy(seed: seed)
        for _ in 0..<100 {
            let left = random.bytes(3).map { $0 & 3 }
            let right = random.bytes(3).map { $0 & 3 }
            let (one, other) = (try FixedBytes<3>(copying: left), try FixedBytes<3>(copying: right))
            #expect((one < other) == left.lexicographicallyPrecedes(right))
            #expect((one == other) == (left == right))
            if left == right { #expect(one.hashValue == other.hashValue) }
        }
    }

    @Test func arraysAreOverwrittenInPlace() {
        var array: [UInt8] = [0, 0, 0, 0]
        let copy = array
        var bytes = array.mutableBytes
        bytes.storeBytes(of: 7, toByteOffset: 2, as: UInt8.self)
        #expect(array == [0, 0, 7, 0])
        #expect(copy == [0, 0, 0, 0])
    }
}
