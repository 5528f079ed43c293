import HandfastClaims
import HandfastTestSupport
import Testing

@Suite struct StatusListTests {
    @Test func countsFromTheLeastSignificantBit() throws {
        let ones = try StatusList(bytes: [0xB9, 0xA3], bits: 1)
        #expect(ones.count == 16)
        let expected: [UInt8] = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
        #expect(try (0..<16).map { try ones.status(at: $0).value } == expected)
        let twos = try StatusList(bytes: [0xC9, 0x44, 0xF9], bits: 2)
        #expect(try (0..<12).map { try twos.status(at: $0).value } == [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3])
    }

    @Test(arguments: [1, 2, 4, 8]) func changesNothingBesideTheEntry(bits: Int) throws {
        var list = try StatusList(count: 64, bits: bits)
        let most = CredentialStatus(UInt8(1 << bits - 1))
        for index: UInt64 in [0, 7, 21, 63] { try list.set(most, at: index) }
        for index: UInt64 in 0..<64 {
            #expect(try list.status(at: index) == ([0, 7, 21, 63].contains(index) ? most : .valid))
        }
        try list.set(.valid, at: 21)
        #expect(try list.status(at: 21) == .valid)
        #expect(try list.status(at: 7) == most)
    }

    @Test func refusesWhatTheListHasNoPlaceFor() throws {
        var list = try StatusList(count: 9, bits: 1)
        #expect(list.count == 16)
        #expect(throws: StatusListError.indexOutOfRange(index: 16, count: 16)) { try list.status(at: 16) }
        #expect(throws: StatusListError.indexOutOfRange(index: .max, count: 16)) { try list.status(at: .max) }
        #expect(throws: StatusListError.statusTooLarge(2, bits: 1)) { try list.set(.suspended, at: 0) }
        #expect(throws: StatusListError.wrongBits(3)) { try StatusList(count: 8, bits: 3) }
        #expect(throws: StatusListError.wrongBits(0)) { try StatusList(compressed: [], bits: 0) }
        #expect(throws: StatusListError.wrongCount(0)) { try StatusList(count: 0, bits: 1) }
        #expect(throws: StatusListError.wrongCount(1 << 24 + 1)) { try StatusList(count: 1 << 24 + 1, bits: 1) }
    }

    @Test func namesStatuses() {
        #expect((UInt8(0)...3).map { "\(CredentialStatus($0))" } == ["valid", "invalid", "suspended", "3"])
        #expect((UInt8(0)...255).allSatisfy { CredentialStatus($0).value == $0 })
    }
}

/// The zlib stream around a list.
@Suite struct StatusListCompressionTests {
    @Test(arguments: [1, 2, 4, 8]) func returnsWhatWasCompressed(bits: Int) throws {
        var list = try StatusList(count: 100_000, bits: bits)
        for index in stride(from: UInt64(3), to: 100_000, by: 97) { try list.set(.invalid, at: index) }
        #expect(try StatusList(compressed: list.compressed, bits: bits) == list)
    }

    @Test func refusesStreamsThatAreNotWhole() throws {
        let whole = ("78dadbb918000217015d" as HexBytes).bytes
        #expect(try StatusList(compressed: whole, bits: 1).bytes == [0xB9, 0xA3])
        for count in 0..<whole.count {
            #expect(throws: StatusListError.compressionTruncated) {
                try StatusList(compressed: Array(whole[..<count]), bits: 1)
            }
        }
        #expect(throws: StatusListError.compressionTrailing(2)) {
            try StatusList(compressed: whole + [0, 1], bits: 1)
        }
        for index in whole.indices {
            var changed = whole
            changed[index] ^= 0x80
            // One of these bits fills up the last byte of the deflate stream and means nothing.
            let list = try? StatusList(compressed: changed, bits: 1)
            #expect(list == nil || list?.bytes == [0xB9, 0xA3])
        }
        #expect(throws: StatusListError.compressionDamaged) {
            try StatusList(compressed: ("1f8b0800000000000003dbb91800" as HexBytes).bytes, bits: 1)
        }
        #expect(throws: StatusListError.compressionDamaged) {
            // A preset dictionary is asked for.
            try StatusList(compressed: ("78bb00000001dbb918000217015d" as HexBytes).bytes, bits: 1)
        }
        #expect(throws: StatusListError.wrongCount(0)) {
            try StatusList(compressed: ("78da030000000001" as HexBytes).bytes, bits: 1)
        }
    }

    @Test(arguments: [1, 2, 4, 8]) func holdsTheMostEntriesAndNotOneByteMore(bits: Int) throws {
        let most = try StatusList(count: StatusList.maximumCount, bits: bits)
        #expect(try StatusList(compressed: most.compressed, bits: bits).count == StatusList.maximumCount)
        guard bits < 8 else { return }
        #expect(throws: StatusListError.inflatedTooLarge(maximum: StatusList.maximumCount / 8 * bits)) {
            try StatusList(
                compressed: try StatusList(count: StatusList.maximumCount, bits: 8).compressed, bits: bits)
        }
    }

    @Test func refusesABombWithoutInflatingIt() throws {
        // 16 MiB of zeros shrink to 16 KB; as a list of one bit an entry it stops at 2 MiB.
        let bomb = try StatusList(count: StatusList.maximumCount, bits: 8).compressed
        #expect(bomb.count < 20_000)
        let maximum = StatusList.maximumCount / 8
        #expect(throws: StatusListError.inflatedTooLarge(maximum: maximum)) {
            try StatusList(compressed: bomb, bits: 1)
        }
        let long = [UInt8](repeating: 0, count: StatusList.maximumCompressedCount + 1)
        #expect(throws: StatusListError.compressedTooLarge(maximum: StatusList.maximumCompressedCount)) {
            try StatusList(compressed: long, bits: 8)
        }
    }
}

/// The draft's own examples, byte for byte.
@Suite struct StatusListOfficialTests {
    private func text(_ name: String) throws -> String {
        String(decoding: try RepositoryFile.contents("Interop/third-party/status-list/\(name)"), as: UTF8.self)
    }

    private func bytes(_ name: String) throws -> [UInt8] {
        try #require(HexBytes(try text(name).filter { !$0.isNewline })).bytes
    }

    @Test(arguments: [1, 2, 4, 8]) func compressesAsTheTestVectors(bits: Int) throws {
        var list = try StatusList(count: 1 << 20, bits: bits)
        for line in try text("encoding-\(bits)-bit.statuses.txt").split(separator: "\n") {
            let match = try #require(line.wholeMatch(of: /status\[(\d+)\] ?= 0b([01]+)/))
            let value = try #require(UInt8(match.2, radix: 2))
            try list.set(CredentialStatus(value), at: try #require(UInt64(match.1)))
        }
        let expected = try bytes("encoding-\(bits)-bit.cbor.hex")
        // {"bits": bits, "lst": the stream}, in the draft's own order.
        #expect(expected.starts(with: [0xA2, 0x64] + Array("bits".utf8) + [UInt8(bits), 0x63] + Array("lst".utf8)))
        #expect(Array(expected[(expected.count - list.compressed.count)...]) == list.compressed)
        #expect(try StatusList(compressed: list.compressed, bits: bits) == list)
    }

    @Test func compressesAsTheExamples() throws {
        let first = try bytes("example-1-bit.cbor.hex")
        #expect(try StatusList(bytes: [0xB9, 0xA3], bits: 1).compressed == Array(first.suffix(10)))
        #expect(try StatusList(bytes: [0xC9, 0x44, 0xF9], bits: 2).compressed == bytes("example-2-bit.lst.hex"))
    }
}
