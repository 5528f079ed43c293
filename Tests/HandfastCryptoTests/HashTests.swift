import Foundation
import HandfastCrypto
import HandfastTestSupport
import Testing

@Suite struct HashTests {
    struct HKDFTest: Decodable {
        let tcId: Int
        let ikm, salt, info, okm: HexBytes
        let size: Int
        let result: WycheproofResult
    }

    @Test func sha384IsThatOfTheStandard() {
        let message = Array("abc".utf8)
        let expected: HexBytes =
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
        #expect(SHA2.sha384(message.bytes).array == expected.bytes)
    }

    private func blake2b(_ pieces: [[UInt8]], count: Int = 64, key: [UInt8]? = nil) throws -> [UInt8] {
        var state: BLAKE2b
        if let key { state = try BLAKE2b(count: count, key: key.bytes) } else { state = BLAKE2b(count: count) }
        for piece in pieces { state.update(piece.bytes) }
        var output = [UInt8](repeating: 0, count: count)
        var span = output.mutableBytes
        state.finalize(into: &span)
        return output
    }

    @Test func agreesWithTheKnownAnswersOfBLAKE2() throws {
        let file = try #require(
            String(data: RepositoryFile.contents("Interop/third-party/blake2/blake2b-kat.txt"), encoding: .utf8))
        var fields: [Substring: [UInt8]] = [:]
        var count = 0
        for line in file.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let value = HexBytes(parts[1].drop { $0.isWhitespace }) else {
                Issue.record("Not a line of the file: \(line)")
                continue
            }
            fields[parts[0]] = value.bytes
            guard parts[0] == "hash", let input = fields["in"], let key = fields["key"] else { continue }
            #expect(try blake2b([input], key: key) == value.bytes, "\(input.count)")
            #expect(try blake2b(input.map { [$0] }, key: key) == value.bytes, "\(input.count), byte by byte")
            count += 1
        }
        #expect(count == 256)
    }

    // RFC 7693 appendix A.
    @Test func agreesWithRFC7693() throws {
        let expected: HexBytes =
            """
            ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1\
            7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923
            """
        #expect(try blake2b([[UInt8]("abc".utf8)]) == expected.bytes)
    }

    // The expected value comes from Python, with input = bytes(i % 251 for i in range(1000)):
    // all = hashlib.blake2b(digest_size=32)
    // for n in range(1001): all.update(hashlib.blake2b(input[:n], digest_size=32).digest())
    @Test func hashesInputsOfManyBlocksInAnyPieces() throws {
        let input = (0..<1_000).map { UInt8($0 % 251) }
        var all: [UInt8] = []
        for count in 0...input.count { all += try blake2b([Array(input.prefix(count))], count: 32) }
        let expected: HexBytes = "71d6b9361435db487ed66f2d061fd0ff56bb7d590a20c5842793d66aa9e553dc"
        #expect(try blake2b([all], count: 32) == expected.bytes)

        let whole = try blake2b([input])
        for size in [1, 63, 64, 127, 128, 129, 256, 300, 999] {
            let pieces = stride(from: 0, to: input.count, by: size).map { start in
                Array(input[start..<min(start + size, input.count)])
            }
            #expect(try blake2b(pieces) == whole, "\(size)")
            #expect(try blake2b([[]] + pieces + [[]]) == whole, "\(size), beside empty ones")
        }
    }

    @Test func refusesKeysOfOtherSizes() {
        for count in [0, 15, 65] {
            #expect(
                throws: CryptoError.outOfRange(of: "BLAKE2b key in bytes", permitted: 16...64, actual: count)
            ) {
                _ = try BLAKE2b(key: [UInt8](repeating: 0, count: count).bytes)
            }
        }
    }

    // The expected values come from Python:
    // hashlib.blake2b(b"".join(len(p).to_bytes(8, "little") + p for p in parts),
    //                 digest_size=count, key=key, person=(b"HF1." + label).ljust(16, b"\0"))
    @Test func labelledHashIsBLAKE2bWithPersonalisation() {
        let key = SecretBytes(copying: [UInt8](0..<32).bytes)

        #expect(
            LabelledHash(Label("test")).digest().description
                == "a95d8a21f091062f1a712f725abeba5edd6da2727d6ab4ff4308686aa9d5c9a6")
        #expect(
            Digest.of(Label("test"), [UInt8]("abc".utf8), [], [UInt8](repeating: 1, count: 200)).description
                == "8b85e793bee3eaf893b9b1d2958e520c230ec249872b1982ea54454792d4e270")

        var number = LabelledHash(Label("test"))
        number.absorb(42)
        #expect(number.digest().description == "fff7081130c354ae26db6a6fb6a71786faf2dc8e713331bff2a67347ddb04648")

        var keyed = LabelledHash(Label("twelve-chars"), key: key)
        keyed.absorb([UInt8]("abc".utf8))
        #expect(keyed.digest().description == "51d29daec55826cbc0cc04456f162bdfc72877eb6764bf802f96a60c3c9e74f9")

        var long = LabelledHash(Label("test"), key: key, count: 64)
        long.absorb([UInt8]("abc".utf8))
        let expected: HexBytes =
            """
            afc25a932f5d1c5a98adf8bb74c378d82ccbf7f141c01c1ef92c7592b90dc461\
            ad63aa8ca8bfca1259f5a222d1db9b7beff47ef75a505426dde9cdf123519903
            """
        #expect(long.secret().array == expected.bytes)

        var short = LabelledHash(Label("test"), count: 16)
        short.absorb([UInt8]("abc".utf8))
        #expect(short.secret().array == ("2f8411781947ee88322efde1cfc3a65b" as HexBytes).bytes)
    }

    @Test func partsCannotBeShifted() {
        let label = Label("test")
        let digests = [
            Digest.of(label), Digest.of(label, []), Digest.of(label, [], []), Digest.of(label, [1, 2]),
            Digest.of(label, [1], [2]), Digest.of(label, [], [1, 2]), Digest.of(label, [1, 2], []),
            Digest.of(Label("tes"), [1, 2]), Digest.of(Label("test2"), [1, 2]),
        ]
        #expect(Set(digests).count == digests.count)
    }

    @Test func labelsArePaddedNames() {
        #expect(Label("test").bytes.array == [UInt8]("HF1.test".utf8) + [UInt8](repeating: 0, count: 8))
        #expect(Label("twelve-chars").bytes.array == [UInt8]("HF1.twelve-chars".utf8))
    }

    @Test func derivesAsWycheproof() throws {
        for test in try Wycheproof<WycheproofGroup<HKDFTest>>.load("hkdf_sha256").flatMap(\.tests) {
            func derive() throws(CryptoError) -> [UInt8] {
                try HKDFSHA256.derive(
                    inputKeyMaterial: test.ikm.bytes.bytes, salt: test.salt.bytes.bytes, info: test.info.bytes.bytes,
                    count: test.size
                ).array
            }
            if test.result == .valid {
                #expect(try derive() == test.okm.bytes, "\(test.tcId)")
            } else {
                #expect(throws: CryptoError.self, "\(test.tcId)") { try derive() }
            }
        }
    }

    // With optimisation on, this is what broke when the compiler lent the bytes of a copy.
    @Test func equalDigestsAreOneKey() {
        var seen: Set<Digest> = []
        for round in 0..<200 { seen.insert(Digest.of(Label("test"), [UInt8(round % 50)])) }
        #expect(seen.count == 50)
        #expect((0..<50).allSatisfy { seen.contains(Digest.of(Label("test"), [UInt8($0)])) })
    }

    @Test func digestsHaveThirtyTwoBytesAndAnOrder() throws {
        #expect(throws: CryptoError.wrongLength(of: "digest", expected: 32, actual: 31)) {
            try Digest([UInt8](repeating: 0, count: 31).bytes)
        }
        let low = try Digest([UInt8](repeating: 1, count: 32).bytes)
        let high = try Digest(([2] + [UInt8](repeating: 0, count: 31)).bytes)
        #expect(low < high)
        #expect(!(high < low) && !(low < low))
        #expect([UInt8](low.bytes) == low.array)
    }
}
