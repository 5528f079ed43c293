import HandfastCrypto
import HandfastTestSupport
import Testing

@Suite struct SecretStreamTests {
    private static let key = [UInt8](repeating: 1, count: 32)
    private static let header = FixedBytes<24>.zero

    private static func seal(_ parts: [[UInt8]], tags: [SecretStreamTag]) throws -> [[UInt8]] {
        var sealer = SecretStreamSealer(try SecretStreamKey(copying: key.bytes), header: header)
        return try zip(parts, tags).map { part, tag in
            var output = [UInt8](repeating: 0xee, count: part.count + SecretStreamSealer.overhead)
            var span = output.mutableBytes
            try sealer.seal(part.bytes, tag, into: &span)
            return output
        }
    }

    private static func opener(_ key: [UInt8] = key, header: FixedBytes<24> = header) throws -> SecretStreamOpener {
        SecretStreamOpener(try SecretStreamKey(copying: key.bytes), header: header)
    }

    private static func open(
        _ sealed: [UInt8], by opener: inout SecretStreamOpener
    ) throws -> (content: [UInt8], tag: SecretStreamTag?) {
        var output = [UInt8](repeating: 0xee, count: max(0, sealed.count - SecretStreamSealer.overhead))
        var span = output.mutableBytes
        let tag = try opener.open(sealed.bytes, into: &span)
        return (output, tag)
    }

    @Test func chunksOpenInTheirOrderWithTheirTags() throws {
        let parts: [[UInt8]] = [[1, 2, 3], [], Array("the end".utf8), [9]]
        let tags: [SecretStreamTag] = [.message, .push, .rekey, .final]
        let sealed = try Self.seal(parts, tags: tags)
        var opener = try Self.opener()
        for (index, chunk) in sealed.enumerated() {
            let (content, tag) = try Self.open(chunk, by: &opener)
            #expect(content == parts[index])
            #expect(tag == tags[index])
        }
    }

    @Test func aChunkInAnotherPlaceIsRefusedAndTheRightOneStillOpens() throws {
        let sealed = try Self.seal([[1], [2], [3]], tags: [.message, .message, .final])
        var opener = try Self.opener()
        #expect(throws: CryptoError.authenticationFailed) { try Self.open(sealed[1], by: &opener) }
        #expect(try Self.open(sealed[0], by: &opener).content == [1])
        #expect(throws: CryptoError.authenticationFailed) { try Self.open(sealed[0], by: &opener) }
        #expect(throws: CryptoError.authenticationFailed) { try Self.open(sealed[2], by: &opener) }
        #expect(try Self.open(sealed[1], by: &opener).content == [2])
        #expect(try Self.open(sealed[2], by: &opener).tag == .final)
    }

    @Test func everyChangedBitIsRefused() throws {
        let sealed = try Self.seal([[1, 2, 3]], tags: [.final])[0]
        for changed in sealed.singleBitFlips {
            var opener = try Self.opener()
            #expect(throws: CryptoError.authenticationFailed) { try Self.open(changed, by: &opener) }
        }
        for count in 0..<sealed.count {
            var opener = try Self.opener()
            #expect(throws: CryptoError.authenticationFailed) { try Self.open(Array(sealed[..<count]), by: &opener) }
        }
    }

    @Test func anotherKeyOrHeaderIsRefused() throws {
        let sealed = try Self.seal([[1]], tags: [.final])[0]
        var other = Self.key
        other[31] ^= 1
        var opener = try Self.opener(other)
        #expect(throws: CryptoError.authenticationFailed) { try Self.open(sealed, by: &opener) }
        for byte in [0, 23] {
            var bytes = Self.header.array
            bytes[byte] = 1
            var opener = try Self.opener(header: FixedBytes(copying: bytes))
            #expect(throws: CryptoError.authenticationFailed) { try Self.open(sealed, by: &opener) }
        }
    }

    @Test func nothingFollowsTheLastChunk() throws {
        var sealer = SecretStreamSealer(try SecretStreamKey(copying: Self.key.bytes), header: Self.header)
        var output = [UInt8](repeating: 0, count: SecretStreamSealer.overhead)
        do {
            var span = output.mutableBytes
            try sealer.seal([UInt8]().bytes, .final, into: &span)
        }
        #expect(throws: CryptoError.streamEnded) {
            var copy = output
            var span = copy.mutableBytes
            try sealer.seal([UInt8]().bytes, .message, into: &span)
        }
        var opener = try Self.opener()
        _ = try Self.open(output, by: &opener)
        #expect(throws: CryptoError.streamEnded) { try Self.open(output, by: &opener) }
    }

    @Test func wrongSizesAreRefused() throws {
        #expect(throws: CryptoError.wrongLength(of: "stream key", expected: 32, actual: 31)) {
            _ = try SecretStreamKey(copying: [UInt8](repeating: 0, count: 31).bytes)
        }
        var sealer = SecretStreamSealer(try SecretStreamKey(copying: Self.key.bytes), header: Self.header)
        #expect(throws: CryptoError.wrongLength(of: "output of sealing", expected: 18, actual: 17)) {
            var output = [UInt8](repeating: 0, count: 17)
            var span = output.mutableBytes
            try sealer.seal([UInt8]([1]).bytes, .message, into: &span)
        }
    }
}
