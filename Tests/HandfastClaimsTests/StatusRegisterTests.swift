import HandfastClaims
import HandfastEncoding
import HandfastTestSupport
import Testing

@Suite struct StatusRegisterTests {
    private static let uri = "https://issuer.example/status/1"

    @Test func givesEveryPlaceOnce() throws {
        var random = SeededEntropy(seed: 41)
        var register = try StatusRegister(uri: Self.uri, bits: 8, count: 1_003)
        var given: Set<UInt64> = []
        for count in 1...1_003 {
            let reference = try register.allocate(using: &random)
            #expect(reference.uri == Self.uri)
            #expect(given.insert(reference.index).inserted, "seed \(random.seed)")
            #expect(register.allocatedCount == count)
        }
        #expect(given == Set(0..<1_003))
        #expect(throws: StatusListError.full) { try register.allocate(using: &random) }
    }

    @Test func spreadsPlacesOverTheList() throws {
        var random = SeededEntropy(seed: 42)
        var register = try StatusRegister(uri: Self.uri)
        #expect(register.list.count == 1 << 20)
        var quarters = [0, 0, 0, 0]
        for _ in 0..<4_000 { quarters[Int(try register.allocate(using: &random).index >> 18)] += 1 }
        #expect(quarters.allSatisfy { (850...1_150).contains($0) }, "\(quarters)")
    }

    @Test func changesOnlyTheStatusOfCredentialsItKnows() throws {
        var random = SeededEntropy(seed: 43)
        var register = try StatusRegister(uri: Self.uri, bits: 2, count: 64)
        let reference = try register.allocate(using: &random)
        try register.set(.suspended, at: reference.index)
        #expect(try register.list.status(at: reference.index) == .suspended)
        let free = try #require((0..<64).first { !register.isAllocated($0) })
        #expect(throws: StatusListError.notAllocated(free)) { try register.set(.invalid, at: free) }
        #expect(throws: StatusListError.indexOutOfRange(index: 64, count: 64)) { try register.set(.invalid, at: 64) }
        #expect(throws: StatusListError.statusTooLarge(4, bits: 2)) {
            try register.set(.other(4), at: reference.index)
        }
        #expect(!register.isAllocated(64))
    }

    @Test(arguments: [(1, 16), (2, 20), (4, 6), (8, 5)])
    func returnsFromItsBytes(bits: Int, count: Int) throws {
        var random = SeededEntropy(seed: 44)
        var register = try StatusRegister(uri: Self.uri, bits: bits, count: count)
        for _ in 0..<3 { try register.set(.invalid, at: register.allocate(using: &random).index) }
        let encoded = register.encoded()
        #expect(try StatusRegister(decoding: encoded) == register)
        for length in encoded.indices {
            #expect(throws: StatusListError.self) { try StatusRegister(decoding: Array(encoded[..<length])) }
        }
        #expect(throws: StatusListError.self) { try StatusRegister(decoding: encoded + [0]) }
    }

    @Test func refusesBytesThatContradictThemselves() throws {
        func encoded(bits: UInt64, list: Int, taken: [UInt8]) -> [UInt8] {
            var writer = CBORWriter()
            writer.writeMap { writer in
                writer.writeKey(1)
                writer.writeText(Self.uri)
                writer.writeKey(2)
                writer.writeUnsigned(bits)
                writer.writeKey(3)
                writer.writeBytes([UInt8](repeating: 0, count: list))
                writer.writeKey(4)
                writer.writeBytes(taken)
            }
            return writer.bytes
        }
        #expect(try StatusRegister(decoding: encoded(bits: 8, list: 5, taken: [0x1F])).allocatedCount == 5)
        #expect(throws: StatusListError.damagedRegister(nil)) {
            try StatusRegister(decoding: encoded(bits: 8, list: 5, taken: [0x20]))
        }
        #expect(throws: StatusListError.damagedRegister(nil)) {
            try StatusRegister(decoding: encoded(bits: 1, list: 2, taken: [0]))
        }
        #expect(throws: StatusListError.wrongBits(5)) {
            try StatusRegister(decoding: encoded(bits: 5, list: 1, taken: [0]))
        }
    }

    @Test(
        arguments: [
            "", "no-scheme", ":x", "https://a b", "https://\u{e9}", "x:" + String(repeating: "y", count: 1_023),
        ])
    func refusesWhatIsNoURI(uri: String) {
        #expect(throws: StatusListError.wrongURI) { try StatusRegister(uri: uri) }
    }

    @Test func holdsAMillionPlaces() throws {
        var random = SeededEntropy(seed: 45)
        var register = try StatusRegister(uri: Self.uri, count: 1_000_000)
        for _ in 0..<10_000 { try register.set(.invalid, at: register.allocate(using: &random).index) }
        let list = try StatusList(compressed: register.list.compressed, bits: 1)
        #expect(list == register.list)
        // What entropy allows is 10,099 bytes; the draft's table says 13.6 KB.
        #expect((13_000...15_000).contains(list.compressed.count), "\(list.compressed.count)")
    }
}
