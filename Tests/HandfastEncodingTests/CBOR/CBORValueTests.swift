import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@Suite struct CBORValueTests {
    @Test(arguments: 0..<200 as Range<UInt64>)
    func randomTreesComeBackAsTheyWere(seed: UInt64) throws {
        var generator = SeededEntropy(seed: seed)
        let value = try CBORValue.random(depth: 6, using: &generator)
        let encoded = try value.encoded()
        let decoded = try CBORValue(decoding: encoded)
        #expect(decoded == value)
        #expect(decoded.hashValue == value.hashValue)
        #expect(try decoded.encoded() == encoded)
        try read(Hex.encode(encoded)) { try $0.skipItem() }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func mutatedBytesAreRefusedOrAreTheOneEncodingOfWhatTheyMean(seed: UInt64) throws {
        var generator = SeededEntropy(seed: seed)
        let original = try CBORValue.random(depth: 5, using: &generator).encoded()
        for _ in 0..<50 {
            var mutated = original
            for _ in 0...Int.random(in: 0..<3, using: &generator) { Self.mutate(&mutated, using: &generator) }
            let value: CBORValue
            do {
                value = try CBORValue(decoding: mutated)
            } catch {
                #expect(throws: error) { try read(Hex.encode(mutated)) { try $0.skipItem() } }
                continue
            }
            #expect(try value.encoded() == mutated)
            try read(Hex.encode(mutated)) { try $0.skipItem() }
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func randomBytesAreRefusedOrAreTheOneEncodingOfWhatTheyMean(seed: UInt64) throws {
        var generator = SeededEntropy(seed: seed)
        for _ in 0..<500 {
            let bytes = generator.bytes(Int.random(in: 0...12, using: &generator))
            guard let value = try? CBORValue(decoding: bytes) else { continue }
            #expect(try value.encoded() == bytes)
        }
    }

    private static func mutate(_ bytes: inout [UInt8], using generator: inout SeededEntropy) {
        guard !bytes.isEmpty else { return bytes.append(0) }
        let index = Int.random(in: bytes.indices, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: bytes[index] = .random(in: 0...255, using: &generator)
        case 2: bytes.insert(.random(in: 0...255, using: &generator), at: index)
        case 3: bytes.remove(at: index)
        default: bytes.removeSubrange(index...)
        }
    }

    @Test func sortsMapsAndFindsTheirKeys() throws {
        let map = try CBORMap([
            .init(.text("b"), .unsigned(1)), .init(.text("aa"), .unsigned(2)), .init(.integer(-1), .unsigned(3)),
            .init(.text("a"), .unsigned(4)), .init(.unsigned(10), .unsigned(5)), .init(.bool(true), .unsigned(6)),
        ])
        #expect(try Hex.encode(CBORValue.map(map).encoded()) == "a60a0520036161046162016261" + "6102f506")
        #expect(map["a"] == .unsigned(4))
        #expect(map["b"] == .unsigned(1))
        #expect(map["aa"] == .unsigned(2))
        #expect(map["c"] == nil)
        #expect(map["ab"] == nil)
        #expect(map[10] == .unsigned(5))
        #expect(map[-1] == .unsigned(3))
        #expect(map[.bool(true)] == .unsigned(6))
        #expect(map[0] == nil)
    }

    @Test func refusesMapsWithAKeyTwice() {
        #expect(throws: CBORError.duplicateKey(at: 1)) {
            try CBORMap([.init(.unsigned(1), .null), .init(.unsigned(1), .null)])
        }
    }

    @Test func comparesTextByItsBytes() throws {
        // One character in two spellings, which Swift's String holds for equal.
        #expect(CBORValue.text("\u{E9}") != .text("e\u{301}"))
        let map = try CBORMap([.init(.text("\u{E9}"), .unsigned(1)), .init(.text("e\u{301}"), .unsigned(2))])
        #expect(map["\u{E9}"] == .unsigned(1))
        #expect(map["e\u{301}"] == .unsigned(2))
    }

    @Test func comparesNumbersByTheirEncoding() {
        #expect(CBORValue.double(0) != .double(-0.0))
        #expect(CBORValue.double(.nan) == .double(-.nan))
        #expect(CBORValue.double(1) != .unsigned(1))
    }

    @Test func refusesToEncodeWhatNestsTooDeep() throws {
        var value = CBORValue.null
        for _ in 0..<16 { value = .array([value]) }
        #expect(try value.encoded().count == 17)
        #expect(throws: CBORError.depthExceeded(at: 16)) { try CBORValue.tag(1, value).encoded() }
    }

    @Test func writesJSONThatIsSafeToShow() throws {
        let value = CBORValue.array([
            .unsigned(.max), .negative(.max), .integer(-1), .bytes([0xFB, 0xFF]), .text("a\"\\\n\u{1B}\u{202E}é"),
            .map(try CBORMap([.init(.unsigned(1), .null), .init(.text("k"), .bool(true))])), .tag(0, .text("t")),
            .double(1.5), .double(.nan), .array([]), .map(CBORMap()),
        ])
        #expect(
            value.jsonText
                == #"[18446744073709551615,-18446744073709551616,-1,"-_8","a\"\\\n\u001b\u202eé","#
                + #"{"1":null,"k":true},"t",1.5,null,[],{}]"#)
    }
}

/// Maps as others write them, where that is allowed.
@Suite struct CBORUnsortedKeysTests {
    private static let limits = CBORLimits(size: 64, allowsUnsortedKeys: true)

    @Test func takesKeysInAnyOrderAndKeepsThemSorted() throws {
        let unsorted: [UInt8] = [0xA2, 0x02, 0x61, 0x62, 0x01, 0x61, 0x61]
        #expect(throws: CBORError.unsortedKeys(at: 4)) { try CBORValue(decoding: unsorted) }
        let value = try CBORValue(decoding: unsorted, limits: Self.limits)
        #expect(try value.encoded() == [0xA2, 0x01, 0x61, 0x61, 0x02, 0x61, 0x62])
    }

    @Test func refusesAKeyTwiceAllTheSame() {
        let twice: [UInt8] = [0xA3, 0x02, 0x00, 0x01, 0x00, 0x02, 0x01]
        #expect(throws: CBORError.duplicateKey(at: 2)) { try CBORValue(decoding: twice, limits: Self.limits) }
    }
}
