@testable import HandfastChannel
@testable import HandfastCrypto

extension FuzzTarget {
    static let recovery = [
        FuzzTarget(name: "recovery-words", seeds: wordSeeds, run: words),
        FuzzTarget(name: "recovery-words-changed", seeds: { Tampering.seeds }, run: changedWords),
    ]

    private static let root = [UInt8]((0..<32).map { 7 &* $0 &+ 3 })

    private static func words(of bytes: [UInt8]) throws -> String { try RecoveryRoot(copying: bytes.bytes).words }

    private static func letters(_ text: String) -> String { text.lowercased().filter { $0 != "-" && !$0.isWhitespace } }

    /// Words that are read are those of the root that they give; any 32 bytes have words that give them back.
    @Sendable private static func words(_ input: [UInt8]) throws {
        let text = String(decoding: input, as: UTF8.self)
        if let root = accepted({ try RecoveryRoot(words: text) }) {
            try BrokenPromise.unless(letters(root.words) == letters(text), "recovery words give another root")
        }
        guard input.count >= RecoveryRoot.count else { return }
        let root = try RecoveryRoot(copying: input.bytes.extracting(0..<RecoveryRoot.count))
        let again = try RecoveryRoot(words: root.words)
        try BrokenPromise.unless(again.name == root.name, "a root does not come back from its words")
    }

    @Sendable private static func wordSeeds() throws -> [[UInt8]] {
        let words = try words(of: root)
        let lines = words.replacing("-", with: "\n").uppercased()
        return [Array(words.utf8), Array("  \(lines)\n".utf8), Array(words.dropLast(6).utf8), root]
    }

    /// Words that were copied wrongly are refused.
    @Sendable private static func changedWords(_ input: [UInt8]) throws {
        let words = try words(of: root)
        let changed = String(decoding: Tampering(InputReader(input)).apply(to: Array(words.utf8)), as: UTF8.self)
        guard let read = accepted({ try RecoveryRoot(words: changed) }) else {
            return try BrokenPromise.unless(changed != words, "recovery words are refused")
        }
        try BrokenPromise.unless(letters(read.words) == letters(changed), "recovery words give another root")
    }
}
