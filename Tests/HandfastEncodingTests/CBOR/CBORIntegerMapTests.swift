import HandfastCrypto
import HandfastEncoding
import Testing

@Suite struct CBORIntegerMapTests {
    struct Pair: Equatable {
        var required: UInt64
        var optional: UInt64?
        var negative: UInt64?
    }

    /// Reads `{1: uint, ? 3: uint, ? -1: uint}`.
    private func pair(_ hex: String) throws -> Pair {
        try read(hex) { reader in
            var map = try reader.readIntegerMap(maximum: 5)
            try map.requireKey(1, &reader)
            let required = try reader.readUnsigned()
            let optional = try map.hasKey(3, &reader) ? try reader.readUnsigned() : nil
            let negative = try map.hasKey(-1, &reader) ? try reader.readUnsigned() : nil
            try map.finish(&reader)
            return Pair(required: required, optional: optional, negative: negative)
        }
    }

    @Test func readsRequiredAndOptionalKeys() throws {
        #expect(try pair("a1 0107") == Pair(required: 7))
        #expect(try pair("a2 0107 0308") == Pair(required: 7, optional: 8))
        #expect(try pair("a2 0107 2009") == Pair(required: 7, negative: 9))
        #expect(try pair("a3 0107 0308 2009") == Pair(required: 7, optional: 8, negative: 9))
    }

    @Test func refusesMissingKeys() {
        #expect(throws: CBORError.missingKey(1, at: 1)) { try pair("a0") }
        #expect(throws: CBORError.missingKey(1, at: 1)) { try pair("a1 0308") }
    }

    @Test func refusesUnknownKeysWhereverTheyStand() {
        #expect(throws: CBORError.unknownKey(0, at: 1)) { try pair("a2 0000 0107") }
        #expect(throws: CBORError.unknownKey(2, at: 3)) { try pair("a2 0107 0200") }
        #expect(throws: CBORError.unknownKey(2, at: 3)) { try pair("a3 0107 0200 0308") }
        #expect(throws: CBORError.unknownKey(4, at: 5)) { try pair("a3 0107 0308 0400") }
        #expect(throws: CBORError.unknownKey(-2, at: 5)) { try pair("a3 0107 2009 2100") }
    }

    @Test func refusesKeysOutOfOrderOrTwice() {
        #expect(throws: CBORError.unsortedKeys(at: 3)) { try pair("a2 0107 0000") }
        #expect(throws: CBORError.duplicateKey(at: 3)) { try pair("a2 0107 0100") }
        #expect(throws: CBORError.unsortedKeys(at: 5)) { try pair("a3 0107 2009 0308") }
    }

    @Test func refusesKeysOfOtherTypes() {
        #expect(throws: CBORError.wrongType(expected: .integer, actual: .text, at: 3)) { try pair("a2 0107 616100") }
        #expect(throws: CBORError.nonMinimal(at: 3)) { try pair("a2 0107 180300") }
    }

    @Test func stepsThroughKeysInOrder() throws {
        let keys = try read("a3 0107 1818f6 20 f5") { reader in
            var map = try reader.readIntegerMap()
            var keys: [Int] = []
            while let key = try map.nextKey(&reader) {
                keys.append(key)
                try reader.skipItem()
            }
            return keys
        }
        #expect(keys == [1, 24, -1])
    }
}
