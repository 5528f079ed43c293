import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport

extension CBORValue {
    /// A random tree that nests at most `depth` deep, with a preference for values next to a change of width.
    static func random(depth: Int, using generator: inout SeededEntropy) throws -> CBORValue {
        switch Int.random(in: 0..<(depth > 0 ? 12 : 8), using: &generator) {
        case 0: return .unsigned(edge(using: &generator))
        case 1: return .negative(edge(using: &generator))
        case 2: return .bytes(generator.bytes(Int.random(in: 0...40, using: &generator)))
        case 3: return .text(text(using: &generator))
        case 4: return .bool(.random(using: &generator))
        case 5: return .null
        case 6: return .double(Double(bitPattern: generator.next()))
        case 7: return .double(Double(Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))))
        case 8: return .tag(edge(using: &generator), try random(depth: depth - 1, using: &generator))
        case 9, 10:
            let count = Int.random(in: 0...5, using: &generator)
            var entries: [CBORValue: CBORValue] = [:]
            for _ in 0..<count {
                entries[try random(depth: 0, using: &generator)] = try random(depth: depth - 1, using: &generator)
            }
            return .map(try CBORMap(entries.map { CBORMap.Entry($0.key, $0.value) }))
        default:
            let count = Int.random(in: 0...30, using: &generator)
            var items: [CBORValue] = []
            for _ in 0..<count / depth { items.append(try random(depth: depth - 1, using: &generator)) }
            return .array(items)
        }
    }

    private static func edge(using generator: inout SeededEntropy) -> UInt64 {
        let edges: [UInt64] = [0, 23, 24, 0xFF, 0x100, 0xFFFF, 0x1_0000, 0xFFFF_FFFF, 0x1_0000_0000, .max]
        if Bool.random(using: &generator) { return edges[Int.random(in: edges.indices, using: &generator)] }
        return generator.next() >> UInt64.random(in: 0..<64, using: &generator)
    }

    private static func text(using generator: inout SeededEntropy) -> String {
        let scalars: [Unicode.Scalar] = [
            "a", "\0", "\"", "\\", "é", "e", "\u{301}", "水", "𐅑", "\u{202E}", "\u{10FFFF}",
        ]
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...30, using: &generator) {
            text.append(scalars[Int.random(in: scalars.indices, using: &generator)])
        }
        return String(text)
    }
}
