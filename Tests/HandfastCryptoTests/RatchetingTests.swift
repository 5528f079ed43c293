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

    @Test func chainStepIsOneBlockOfRFC8439() throws {
        let block = try #require(
            RFC8439.load().blocks.first { $0.counter == 0 && $0.nonce.bytes.allSatisfy { $0 == 0 } })
        var chain = try ChainKey(copying: block.key.bytes.bytes)
        var message = AEADKey()
        chain.advance(into: &message)
        #expect([UInt8](chain.bytes) == Array(block.keystream.bytes[..<32]))
        #expect([UInt8](message.bytes) == Array(block.keystream.bytes[32...]))
    }

    @Test func headerStreamIsChaCha20OfRFC8439() throws {
        let vectors = try RFC8439.load()
        for block in vectors.blocks where block.nonce.bytes.allSatisfy({ $0 == 0 }) {
            let key = try HeaderKey(copying: block.key.bytes.bytes)
            if block.counter == 0 {
                #expect(masked(under: key, at: 0) == block.keystream.bytes, "\(block.section)")
            } else {
                let stream = masked([UInt8](repeating: 0, count: 64 * block.counter), under: key, at: 0)
                #expect(Array(stream.suffix(64)) == block.keystream.bytes, "\(block.section)")
            }
        }
        // The nonce of §2.4.2 is that of index 0x4a000000, and its counter starts at one as ours does.
        for encryption in vectors.encryption {
            let key = try HeaderKey(copying: encryption.key.bytes.bytes)
            #expect(masked(encryption.plaintext.bytes, under: key, at: 0x4a00_0000) == encryption.ciphertext.bytes)
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
        var chain = try ChainKey(copying: [UInt8](0..<32).bytes)
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
            _ = try ChainKey(copying: short.bytes)
        }
        #expect(throws: CryptoError.wrongLength(of: "header key", expected: 32, actual: 31)) {
            _ = try HeaderKey(copying: short.bytes)
        }
    }
}
