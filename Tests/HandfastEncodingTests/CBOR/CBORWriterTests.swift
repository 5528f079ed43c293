import HandfastEncoding
import Testing

@Suite struct CBORWriterTests {
    @Test func writesTheShortestHead() {
        for (value, hex) in [
            (0, "00"), (23, "17"), (24, "1818"), (0xFF, "18ff"), (0x100, "190100"), (0xFFFF, "19ffff"),
            (0x1_0000, "1a00010000"), (0xFFFF_FFFF, "1affffffff"), (0x1_0000_0000, "1b0000000100000000"),
            (UInt64.max, "1bffffffffffffffff"),
        ] {
            #expect(written { $0.writeUnsigned(value) } == hex)
        }
        #expect(written { $0.writeInteger(.min) } == "3b7fffffffffffffff")
        #expect(written { $0.writeInteger(-1) } == "20")
    }

    @Test func writesTheNarrowestFloatingPointNumber() {
        for (value, hex) in [
            (0.0, "f90000"), (-0.0, "f98000"), (1.5, "f93e00"), (65504, "f97bff"), (65505, "fa477fe100"),
            (65536, "fa47800000"), (0x1p-24, "f90001"), (0x1p-25, "fa33000000"), (0x1.8p-24, "fa33c00000"),
            (0x1p-14, "f90400"), (1023 * 0x1p-24, "f903ff"), (0.1, "fb3fb999999999999a"), (.infinity, "f97c00"),
            (-.infinity, "f9fc00"), (.nan, "f97e00"), (-.nan, "f97e00"), (.signalingNaN, "f97e00"),
            (.greatestFiniteMagnitude, "fb7fefffffffffffff"), (.leastNonzeroMagnitude, "fb0000000000000001"),
            (Double(Float.leastNonzeroMagnitude), "fa00000001"),
        ] {
            #expect(written { $0.writeDouble(value) } == hex)
        }
    }

    @Test func countsTheEntriesOfMapsWithinMaps() {
        let hex = written { writer in
            writer.writeMap { writer in
                writer.writeKey(1)
                writer.writeMap { writer in
                    for key in 0..<24 {
                        writer.writeKey(key)
                        writer.writeNull()
                    }
                }
                writer.writeKey(-1)
                writer.writeMap { _ in }
                writer.writeKey("a")
                writer.writeBool(true)
            }
        }
        let inner = (0..<24).map { key in written { $0.writeUnsigned(key) } + "f6" }.joined()
        #expect(hex == "a3" + "01b818" + inner + "20a0" + "6161f5")
    }

    @Test func passesOnWhatTheBodyOfAMapThrows() {
        #expect(throws: CBORError.outOfRange(at: 3)) {
            var writer = CBORWriter()
            try writer.writeMap { (_: inout CBORWriter) throws(CBORError) in throw .outOfRange(at: 3) }
        }
    }

    @Test func trapsOnKeysOutOfOrder() async {
        await #expect(processExitsWith: .failure) {
            var writer = CBORWriter()
            writer.writeMap { writer in
                writer.writeKey(2)
                writer.writeNull()
                writer.writeKey(1)
            }
        }
    }

    @Test(arguments: [0, 1, 23, 24, 255, 256, 65_535, 65_536])
    func writesANestedItemAsTheByteStringOfItsSize(count: Int) {
        let content = [UInt8](repeating: 0x00, count: count)
        var nested = CBORWriter()
        nested.writeUnsigned(7)
        nested.writeBytes { writer in
            writer.writeEncoded(content)
        }
        nested.writeUnsigned(8)
        var plain = CBORWriter()
        plain.writeUnsigned(7)
        plain.writeBytes(content)
        plain.writeUnsigned(8)
        #expect(nested.bytes == plain.bytes)
    }
}
