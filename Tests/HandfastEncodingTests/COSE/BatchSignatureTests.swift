import HandfastCrypto
import HandfastTestSupport
import Testing

@testable import HandfastEncoding

@Suite struct BatchSignatureTests {
    private static let type = "handfast-test+cose"

    private static func key(_ first: UInt8 = 0) throws -> SigningKey {
        let seed = (0..<32).map { first + UInt8($0) }
        return try SigningKey(seed: SecretBytes(copying: seed.bytes))
    }

    private static func contents(_ count: Int) -> [(payload: [UInt8], leaf: Digest)] {
        (0..<count).map { index in
            let payload = Array("content \(index)".utf8)
            return (payload, Digest.of(Label("test"), payload))
        }
    }

    private static func batch(_ count: Int, seed: UInt64 = 1) throws -> [COSESign1] {
        var random = SeededEntropy(seed: seed)
        return COSESign1.sign(batch: contents(count), type: type, with: try key(), using: &random)
    }

    private static func decoded(_ bytes: [UInt8]) throws -> COSESign1 {
        try COSESign1(decoding: bytes.bytes, maximumPayload: 100, allowsBatch: true)
    }

    @Test(arguments: [1, 2, 3, 5, 8, 100])
    func eachContentVerifiesWithoutTheOthers(count: Int) throws {
        let (batch, publicKey) = (try Self.batch(count), try Self.key().publicKey)
        for (signed, content) in zip(batch, Self.contents(count)) {
            var verifier = BatchVerifier()
            let read = try Self.decoded(signed.encoded())
            #expect(read == signed)
            try verifier.verify(read, type: Self.type, leaf: content.leaf, with: publicKey)
        }
        #expect(Set(batch.map(\.signature)).count == 1)
    }

    @Test func saltsHideTheNeighbours() throws {
        let (one, other) = (try Self.batch(2, seed: 1), try Self.batch(2, seed: 2))
        #expect(one[0].payload == other[0].payload)
        let paths = [one[0], one[1], other[0], other[1]].compactMap { $0.proof?.path }
        #expect(Set(paths.flatMap { $0 }).count == 8)
    }

    @Test func refusesWhatTheBatchDoesNotCover() throws {
        let batch = try Self.batch(3)
        let (publicKey, other) = (try Self.key().publicKey, try Self.key(1).publicKey)
        let contents = Self.contents(3)
        func refuses(_ signed: COSESign1, _ leaf: Digest, _ key: VerificationKey, _ error: COSEError) {
            var verifier = BatchVerifier()
            #expect(throws: error) { try verifier.verify(signed, type: Self.type, leaf: leaf, with: key) }
        }
        refuses(batch[0], contents[1].leaf, publicKey, .invalidSignature)
        refuses(batch[0], contents[0].leaf, other, .invalidSignature)
        var verifier = BatchVerifier()
        #expect(throws: COSEError.wrongType(expected: "other", actual: Self.type)) {
            try verifier.verify(batch[0], type: "other", leaf: contents[0].leaf, with: publicKey)
        }
        #expect(throws: COSEError.unprotectedHeader) { try batch[0].verify(type: Self.type, with: publicKey) }
    }

    @Test func asksForEachSignatureOnceAndForgetsNoFailure() throws {
        let (batch, contents) = (try Self.batch(3), Self.contents(3))
        let (publicKey, other) = (try Self.key().publicKey, try Self.key(1).publicKey)
        var verifier = BatchVerifier()
        try verifier.verify(batch[0], type: Self.type, leaf: contents[0].leaf, with: publicKey)
        #expect(throws: COSEError.invalidSignature) {
            try verifier.verify(batch[1], type: Self.type, leaf: contents[0].leaf, with: publicKey)
        }
        #expect(throws: COSEError.invalidSignature) {
            try verifier.verify(batch[1], type: Self.type, leaf: contents[1].leaf, with: other)
        }
        try verifier.verify(batch[1], type: Self.type, leaf: contents[1].leaf, with: other, orInBatch: publicKey)
        try verifier.verify(batch[2], type: Self.type, leaf: contents[2].leaf, with: publicKey)
    }

    @Test(arguments: [2, 3, 5, 8, 33])
    func refusesEachChangedHashOfAWayThatIsKnown(count: Int) throws {
        let (batch, contents) = (try Self.batch(count), Self.contents(count))
        let publicKey = try Self.key().publicKey
        var verifier = BatchVerifier()
        let order = Array(batch.indices) + batch.indices.reversed() + [0, count / 2, count - 1]
        for index in order {
            try verifier.verify(batch[index], type: Self.type, leaf: contents[index].leaf, with: publicKey)
            let path = try #require(batch[index].proof?.path)
            let encoded = batch[index].encoded()
            for hash in path {
                let place = try #require(encoded.indices.first { encoded[$0...].starts(with: hash.array) })
                var changed = encoded
                changed[place + 31] ^= 1
                let signed = try Self.decoded(changed)
                #expect(throws: COSEError.invalidSignature) {
                    try verifier.verify(signed, type: Self.type, leaf: contents[index].leaf, with: publicKey)
                }
            }
        }
    }

    @Test func aKnownWayStandsForItsOwnSignatureAlone() throws {
        let (batch, other) = (try Self.batch(4), try Self.batch(4, seed: 2))
        let (contents, publicKey) = (Self.contents(4), try Self.key().publicKey)
        var verifier = BatchVerifier()
        for index in batch.indices {
            try verifier.verify(batch[index], type: Self.type, leaf: contents[index].leaf, with: publicKey)
            try verifier.verify(other[index], type: Self.type, leaf: contents[index].leaf, with: publicKey)
            // The signature of one batch with the proof of another.
            var mixed = batch[index].encoded()
            mixed.replaceSubrange(mixed.count - 64..<mixed.count, with: other[index].signature.array)
            let signed = try Self.decoded(mixed)
            #expect(throws: COSEError.invalidSignature) {
                try verifier.verify(signed, type: Self.type, leaf: contents[index].leaf, with: publicKey)
            }
        }
    }

    @Test func aKeyForBatchesAloneSignsNothingElse() throws {
        let payload = Array("alone".utf8)
        let signed = COSESign1.sign(payload, type: Self.type, with: try Self.key())
        var verifier = BatchVerifier()
        #expect(throws: COSEError.invalidSignature) {
            try verifier.verify(
                signed, type: Self.type, leaf: Digest.of(Label("test"), payload), with: Self.key(1).publicKey,
                orInBatch: Self.key().publicKey)
        }
    }

    // MARK: Form

    /// A signed content with this unprotected header.
    private static func bytes(unprotected: (inout CBORWriter) -> Void) throws -> [UInt8] {
        let protected = COSESign1.protectedHeader(type: type)
        var writer = CBORWriter()
        writer.writeTag(18)
        writer.writeArrayHeader(4)
        writer.writeBytes(protected)
        unprotected(&writer)
        writer.writeBytes([1])
        writer.writeBytes([UInt8](repeating: 0, count: 64))
        return writer.bytes
    }

    private static func proof(
        size: UInt64, index: UInt64, path: Int, count: Int = 1, label: Int = 396, kind: Int = -1, tail: [UInt8] = []
    ) throws -> [UInt8] {
        var proof = CBORWriter()
        proof.writeArrayHeader(3)
        proof.writeUnsigned(size)
        proof.writeUnsigned(index)
        proof.writeArrayHeader(path)
        for _ in 0..<path { proof.writeBytes([UInt8](repeating: 7, count: 32)) }
        return try bytes { writer in
            writer.writeMap { writer in
                writer.writeKey(label)
                writer.writeMap { writer in
                    writer.writeKey(kind)
                    writer.writeArrayHeader(count)
                    for _ in 0..<count { writer.writeBytes(proof.bytes + tail) }
                }
            }
        }
    }

    @Test func readsAProofWhereItMayBe() throws {
        let bytes = try Self.proof(size: 4, index: 2, path: 2)
        let signed = try Self.decoded(bytes)
        #expect(signed.proof?.treeSize == 4 && signed.proof?.leafIndex == 2 && signed.encoded() == bytes)
        #expect(throws: COSEError.unprotectedHeader) {
            try COSESign1(decoding: bytes.bytes, maximumPayload: 100)
        }
    }

    @Test func refusesProofsThatFitNoPlace() throws {
        let cases: [(UInt64, UInt64, Int)] = [
            (0, 0, 0), (2, 2, 1), (2, 0, 0), (2, 0, 2), (4, 0, 1), (4, 0, 3), (65_538, 0, 16), (.max, 0, 16),
            // Salts' places and a tree with a leaf that has no salt.
            (2, 1, 1), (1, 0, 0), (3, 0, 2),
        ]
        for (size, index, path) in cases {
            let bytes = try Self.proof(size: size, index: index, path: path)
            #expect(throws: COSEError.invalidProof, "\(size) \(index) \(path)") { try Self.decoded(bytes) }
        }
    }

    @Test func refusesOtherForms() throws {
        func refuses(_ bytes: [UInt8], _ matches: (COSEError) -> Bool) {
            do {
                _ = try Self.decoded(bytes)
                Issue.record("accepted")
            } catch let error as COSEError {
                #expect(matches(error), "\(error)")
            } catch {
                Issue.record(error)
            }
        }
        refuses(try Self.proof(size: 2, index: 0, path: 1, count: 2)) {
            if case .cbor(.wrongLength) = $0 { true } else { false }
        }
        refuses(try Self.proof(size: 2, index: 0, path: 1, label: 395)) { $0 == .unprotectedHeader }
        refuses(try Self.proof(size: 2, index: 0, path: 1, kind: -2)) {
            if case .cbor(.missingKey) = $0 { true } else { false }
        }
        refuses(try Self.proof(size: 2, index: 0, path: 17)) {
            if case .cbor(.sizeExceeded) = $0 { true } else { false }
        }
        refuses(try Self.proof(size: 2, index: 0, path: 1, tail: [0])) {
            if case .cbor(.trailingBytes) = $0 { true } else { false }
        }
        refuses(
            try Self.bytes { writer in
                writer.writeMap { writer in
                    writer.writeKey(4)
                    writer.writeNull()
                    writer.writeKey(396)
                    writer.writeNull()
                }
            }
        ) { $0 == .unprotectedHeader }
    }
}
