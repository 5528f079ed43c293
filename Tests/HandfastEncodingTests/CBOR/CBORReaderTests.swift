import HandfastCrypto
import HandfastEncoding
import Testing

@Suite struct CBORReaderTests {
    @Test(arguments: [
        ("1817", 0), ("1900ff", 0), ("1a0000ffff", 0), ("1b00000000ffffffff", 0), ("3817", 0), ("5817", 0),
        ("7900ff", 0), ("9817", 0), ("b800", 0), ("d81740", 0), ("f97e01", 0), ("f9fe00", 0), ("fa3f800000", 0),
        ("fb3ff0000000000000", 0), ("fb47efffffe0000000", 0), ("811817", 1), ("a1181700", 1), ("a1001817", 2),
    ])
    func refusesWhatIsNotInShortestForm(hex: String, offset: Int) {
        #expect(throws: CBORError.nonMinimal(at: offset)) { try read(hex) { try $0.skipItem() } }
    }

    @Test(arguments: [
        ("", 0), ("18", 0), ("19ff", 0), ("1affffff", 0), ("1bffffffffffffff", 0), ("41", 0), ("6261", 0), ("81", 0),
        ("8200", 0), ("828100", 3), ("a100", 0), ("a2000100", 0), ("c1", 1), ("d8", 0), ("f97e", 0), ("fa7f8000", 0),
        ("5bffffffffffffffff", 0), ("7bffffffffffffffff", 0), ("9bffffffffffffffff", 0), ("bbffffffffffffffff", 0),
        ("9b7fffffffffffffff", 0), ("bb7fffffffffffffff", 0),
    ])
    func refusesWhatEndsEarlyOrClaimsMoreThanThereIs(hex: String, offset: Int) {
        #expect(throws: CBORError.truncated(at: offset)) { try read(hex) { try $0.skipItem() } }
        #expect(throws: CBORError.truncated(at: offset)) { try CBORValue(decoding: bytes(hex)) }
    }

    @Test(arguments: ["1c", "1d", "1e", "1f", "3f", "dc", "df", "5c", "7d", "9e", "bc", "fc", "e0", "f3", "f7", "f8ff"])
    func refusesReservedHeadsAndOtherSimpleValues(hex: String) throws {
        let initialByte = try bytes(hex)[0]
        #expect(throws: CBORError.unsupported(initialByte: initialByte, at: 0)) {
            try read(hex) { try $0.skipItem() }
        }
    }

    @Test(arguments: ["5fff", "7fff", "9fff", "bfff", "ff"])
    func refusesIndefiniteLengthsAndBreaks(hex: String) {
        #expect(throws: CBORError.indefiniteLength(at: 0)) { try read(hex) { try $0.skipItem() } }
    }

    @Test func refusesBytesAfterTheItem() {
        #expect(throws: CBORError.trailingBytes(at: 1)) { try read("0000") { try $0.skipItem() } }
    }

    @Test func refusesToFinishInsideAnArrayOrTag() {
        #expect(throws: CBORError.truncated(at: 1)) { try read("c1") { try $0.readTag() } }
        #expect(throws: CBORError.truncated(at: 3)) {
            try read("828100") { reader in
                try reader.readArrayHeader(count: 2)
                try reader.skipItem()
            }
        }
    }

    @Test(arguments: ["60", "6161", "63e6b0b4", "64f0908591", "62c3a9"])
    func acceptsUTF8(hex: String) throws {
        let text = try read(hex) { try $0.readText(maximum: 4) }
        #expect(written { $0.writeText(text) } == hex)
    }

    @Test(arguments: ["61ff", "62c080", "63eda080", "64f4908080", "61c3", "62e6b0"])
    func refusesWhatIsNotUTF8(hex: String) {
        #expect(throws: CBORError.invalidUTF8(at: 0)) { try read(hex) { try $0.readText(maximum: 4) } }
        #expect(throws: CBORError.invalidUTF8(at: 0)) { try read(hex) { try $0.skipItem() } }
    }

    @Test func boundsStringsArraysAndMapsAsAsked() throws {
        #expect(try read("420102") { try $0.readByteArray(maximum: 2) } == [1, 2])
        #expect(throws: CBORError.sizeExceeded(limit: 1, at: 0)) {
            try read("420102") { try $0.readByteArray(maximum: 1) }
        }
        #expect(throws: CBORError.sizeExceeded(limit: 1, at: 0)) { try read("626161") { try $0.readText(maximum: 1) } }
        #expect(throws: CBORError.sizeExceeded(limit: 1, at: 0)) {
            try read("820000") { try $0.readArrayHeader(maximum: 1) }
        }
        #expect(throws: CBORError.sizeExceeded(limit: 0, at: 0)) {
            try read("a10000") { try $0.readIntegerMap(maximum: 0) }
        }
        #expect(throws: CBORError.wrongLength(expected: 3, actual: 2, at: 0)) {
            try read("820000") { try $0.readArrayHeader(count: 3) }
        }
        #expect(throws: CBORError.wrongLength(expected: 3, actual: 2, at: 0)) {
            try read("420102") { try $0.readFixedBytes(as: FixedBytes<3>.self) }
        }
    }

    @Test func refusesInputLargerThanItsLimit() {
        #expect(throws: CBORError.sizeExceeded(limit: 2, at: 0)) {
            try read("420102", limits: CBORLimits(size: 2)) { try $0.skipItem() }
        }
    }

    @Test func nestsSixteenDeepAndNoDeeper() throws {
        for opening in ["81", "c1", "a100"] {
            let deepest = String(repeating: opening, count: 16)
            try read(deepest + "00") { try $0.skipItem() }
            let offset = deepest.utf8.count / 2
            for inner in ["80", "a0", opening + "00"] {
                #expect(throws: CBORError.depthExceeded(at: offset)) { try read(deepest + inner) { try $0.skipItem() } }
                #expect(throws: CBORError.depthExceeded(at: offset)) { try CBORValue(decoding: bytes(deepest + inner)) }
            }
        }
    }

    @Test func depthCountsOpenContainersOnly() throws {
        // Sixteen arrays, but side by side.
        try read("90" + String(repeating: "8100", count: 16)) { try $0.skipItem() }
    }

    @Test func readsEachScalarOnce() throws {
        #expect(try read("1b ffffffffffffffff") { try $0.readUnsigned() } == .max)
        #expect(try read("3b 7fffffffffffffff") { try $0.readInteger() } == .min)
        #expect(try read("1b 7fffffffffffffff") { try $0.readInteger() } == .max)
        #expect(try read("18ff") { try $0.readUnsigned(as: UInt8.self) } == 255)
        #expect(try read("f5") { try $0.readBool() } == true)
        #expect(try read("f4") { try $0.readBool() } == false)
        #expect(try read("f6") { try $0.readNullIfPresent() } == true)
        #expect(try read("f93c00") { try $0.readDouble() } == 1)
        #expect(try read("f90001") { try $0.readDouble() } == 0x1p-24)
        #expect(try read("f97e00") { try $0.readDouble() }.isNaN)
    }

    @Test func refusesIntegersOutOfRange() {
        #expect(throws: CBORError.outOfRange(at: 0)) { try read("20") { try $0.readUnsigned() } }
        #expect(throws: CBORError.outOfRange(at: 0)) { try read("190100") { try $0.readUnsigned(as: UInt8.self) } }
        #expect(throws: CBORError.outOfRange(at: 0)) { try read("0b") { try $0.readUnsigned(maximum: 10) } }
        #expect(throws: CBORError.outOfRange(at: 0)) { try read("1b8000000000000000") { try $0.readInteger() } }
        #expect(throws: CBORError.outOfRange(at: 0)) { try read("3b8000000000000000") { try $0.readInteger() } }
    }

    @Test func namesBothTypesWhenTheyDiffer() {
        #expect(throws: CBORError.wrongType(expected: .bytes, actual: .text, at: 0)) {
            try read("6161") { try $0.readByteArray(maximum: 1) }
        }
        #expect(throws: CBORError.wrongType(expected: .double, actual: .integer, at: 0)) {
            try read("01") { try $0.readDouble() }
        }
        #expect(throws: CBORError.wrongType(expected: .integer, actual: .null, at: 1)) {
            try read("81f6") { reader in
                try reader.readArrayHeader(count: 1)
                return try reader.readUnsigned()
            }
        }
        #expect(throws: CBORError.wrongTag(expected: 18, actual: 98, at: 0)) {
            try read("d86200") { try $0.readTag(18) }
        }
    }

    @Test func returnsAnItemsEncodingAfterCheckingIt() throws {
        let item = try read("82 a10102 00") { reader in
            try reader.readArrayHeader(count: 2)
            let item = [UInt8](try reader.readEncodedItem())
            try reader.skipItem()
            return item
        }
        #expect(Hex.encode(item) == "a10102")
        #expect(throws: CBORError.unsortedKeys(at: 3)) { try read("a202000100") { _ = try $0.readEncodedItem() } }
    }

    @Test(arguments: [
        ("a201000000", CBORError.unsortedKeys(at: 3)), ("a200000000", .duplicateKey(at: 3)),
        ("a220000000", .unsortedKeys(at: 3)), ("a2626262006161 00", .unsortedKeys(at: 5)),
        ("a2 61610061 6100", .duplicateKey(at: 4)), ("a2 616100 1000", .unsortedKeys(at: 4)),
        ("a2 4161 00 4160 00", .unsortedKeys(at: 4)),
    ])
    func refusesMapsThatAreNotSorted(hex: String, error: CBORError) throws {
        #expect(throws: error) { try read(hex) { try $0.skipItem() } }
        #expect(throws: error) { try CBORValue(decoding: bytes(hex)) }
    }
}
