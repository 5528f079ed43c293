import HandfastCrypto
import HandfastTestSupport
import Testing

@Suite struct RatchetingTests {
    struct RFC8439: Decodable {
        struct Block: Decodable {
            let section: String
            let key, nonce, keystream: HexBytes
            let counter: Int
        }
        struct Encryption: Decodable {
            let key, plaintext, ciphertext: HexBytes
        }
        let blocks: [Block]
        let encryption: [Encryption]

        static func load() throws -> RFC8439 { try RepositoryFile.decode(from: "Interop/third-party/rfc/rfc8439.json") }
    }

    private func masked(_ ciphertext: [UInt8], under key: borrowing HeaderKey, at index: UInt32) -> [UInt8] {
        var result = ciphertext
        var span = result.mutableBytes
        key.maskCiphertext(&span, at: index)
        return result
    }

    private func masked(
        block: [UInt8] = [UInt8](repeating: 0, count: 64), under key: borrowing HeaderKey, at index: UInt32
    ) -> [UInt8] {
        var result = block
        var span = result.mutableBytes
        key.mask(&span, at: index)
        return result
    }

    @Test func keysOfAChainAreTheStreamOfRFC8439() throws {
        for block in try RFC8439.load().blocks where block.nonce.bytes.allSatisfy({ $0 == 0 }) && block.counter < 4 {
            var chain = try ChainKeys(copying: block.key.bytes.bytes)
            var message = AEADKey()
            chain.advance(into: &message)
            let keys = [UInt8](message.bytes) + [UInt8](chain.bytes)
            #expect(Array(keys[(64 * block.counter)...].prefix(64)) == block.keystream.bytes, "\(block.section)")
        }
    }

    @Test func everyEighthKeyGivesTheNextEight() throws {
        var chain = try ChainKeys(copying: [UInt8](0..<32).bytes)
        var message = AEADKey()
        var used: Set<[UInt8]> = []
        for index in 0..<64 {
            let left = [UInt8](chain.bytes)
            chain.advance(into: &message)
            #expect(left.count == 32 * (7 - (index + 6) % 7))
            #expect(chain.bytes.byteCount == 32 * (7 - index % 7))
            if left.count > 32 { #expect([UInt8](message.bytes) + [UInt8](chain.bytes) == left) }
            #expect(used.insert([UInt8](message.bytes)).inserted)
        }
    }

    @Test(arguments: [0, 1, 6, 7, 8])
    func aStoredChainGoesOnWhereItWas(advanced: Int) throws {
        var chain = try ChainKeys(copying: [UInt8](0..<32).bytes)
        var message = AEADKey()
        for _ in 0..<advanced { chain.advance(into: &message) }
        var loaded = try ChainKeys(copying: chain.bytes)
        var other = AEADKey()
        for _ in 0..<9 {
            chain.advance(into: &message)
            loaded.advance(into: &other)
            #expect([UInt8](message.bytes) == [UInt8](other.bytes))
            #expect([UInt8](chain.bytes) == [UInt8](loaded.bytes))
        }
    }

    @Test func headerStreamIsChaCha20OfRFC8439() throws {
        let vectors = try RFC8439.load()
        for block in vectors.blocks where block.nonce.bytes.allSatisfy({ $0 == 0 }) {
            let key = try HeaderKey(copying: block.key.bytes.bytes)
            #expect(masked(under: key, at: UInt32(block.counter)) == block.keystream.bytes, "\(block.section)")
        }
        // The nonce of §2.4.2 is that of index 0x49ffffff, but its counter starts at one and ours at zero.
        for encryption in vectors.encryption {
            let key = try HeaderKey(copying: encryption.key.bytes.bytes)
            let padded = [UInt8](repeating: 0, count: 64) + encryption.plaintext.bytes
            #expect(masked(padded, under: key, at: 0x49ff_ffff)[64...] == encryption.ciphertext.bytes[...])
        }
    }

    @Test func headerStreamMasksAsItsKeyDoes() throws {
        var stream = HeaderStream(try HeaderKey(copying: [UInt8](0..<32).bytes))
        // Forwards, across groups of eight, back into one that is gone, far ahead, and at the end of a chain.
        for index in [0, 1, 7, 8, 9, 15, 3, 2, 10, 265, 266, 65_535, 65_534] as [UInt32] {
            var block = [UInt8](repeating: 0x5a, count: 64)
            var span = block.mutableBytes
            stream.mask(&span, at: index)
            let expected = masked(block: [UInt8](repeating: 0x5a, count: 64), under: stream.key, at: index)
            #expect(block == expected, "\(index)")
        }
    }

    @Test func noBlockOfAChainIsUsedTwice() throws {
        let key = try HeaderKey(copying: [UInt8](0..<32).bytes)
        var blocks: Set<[UInt8]> = []
        for index in UInt32(0)..<256 {
            #expect(blocks.insert(masked(under: key, at: index)).inserted)
            let ciphertextMask = masked([UInt8](repeating: 0, count: 1_088), under: key, at: index)
            for start in stride(from: 0, to: 1_088, by: 64) {
                #expect(blocks.insert(Array(ciphertextMask[start..<start + 64])).inserted)
            }
        }
    }

    @Test(arguments: UInt64(0)..<8)
    func maskingTwiceGivesTheHeaderBack(seed: UInt64) throws {
        var random = SeededEntropy(seed: seed)
        let key = try HeaderKey(copying: random.bytes(32).bytes)
        let index = UInt32.random(in: 0...UInt32.max, using: &random)
        let header = [UInt8](repeating: 0, count: 16) + random.bytes(48)
        let once = masked(block: header, under: key, at: index)
        #expect(masked(block: once, under: key, at: index) == header)
        #expect(once[..<16] == masked(under: key, at: index)[..<16])
        let ciphertext = random.bytes(1_088)
        #expect(masked(masked(ciphertext, under: key, at: index), under: key, at: index) == ciphertext)
        #expect(masked([], under: key, at: index) == [])
    }

    @Test func tagsOfAChainDiffer() throws {
        let key = try HeaderKey(copying: [UInt8](0..<32).bytes)
        #expect(Set((0..<4_096).map { masked(under: key, at: $0)[..<16] }).count == 4_096)
    }

    @Test func copyOfAChainGoesItsOwnWay() throws {
        var chain = try ChainKeys(copying: [UInt8](0..<32).bytes)
        var trial = chain.copy()
        var first = AEADKey()
        var second = AEADKey()
        trial.advance(into: &first)
        #expect([UInt8](chain.bytes) == [UInt8](0..<32))
        chain.advance(into: &second)
        #expect([UInt8](first.bytes) == [UInt8](second.bytes))
        trial.advance(into: &first)
        #expect([UInt8](first.bytes) != [UInt8](second.bytes))
        chain.assign(trial)
        #expect([UInt8](chain.bytes) == [UInt8](trial.bytes))
    }

    @Test func refusesOtherSizes() {
        let short = [UInt8](repeating: 0, count: 31)
        #expect(throws: CryptoError.wrongLength(of: "chain key", expected: 32, actual: 31)) {
            _ = try ChainKeys(copying: short.bytes)
        }
        #expect(throws: CryptoError.wrongLength(of: "header key", expected: 32, actual: 31)) {
            _ = try HeaderKey(copying: short.bytes)
        }
    }
}
