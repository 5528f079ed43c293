internal import Synchronization

/// The history of a run, step by step, as a digest; two runs of one seed must have the same.
final class Trace: Sendable {
    private let isTelling: Bool
    private let state = Mutex<UInt64>(0xcbf2_9ce4_8422_2325)

    init(isTelling: Bool) {
        self.isTelling = isTelling
    }

    /// Notes a step: what it was and its numbers. It is told where the run is looked at.
    func note(_ kind: StaticString, _ numbers: Int..., text: @autoclosure () -> String = "") {
        state.withLock { hash in
            for byte in kind.description.utf8 { Self.mix(UInt64(byte), into: &hash) }
            for number in numbers { Self.mix(UInt64(bitPattern: Int64(number)), into: &hash) }
        }
        if isTelling { print(kind, numbers.map { "\($0)" }.joined(separator: " "), text()) }
    }

    /// Notes which of the ready jobs ran.
    func noteJob(_ index: Int, of count: Int) {
        state.withLock { Self.mix(UInt64(index) << 32 | UInt64(count), into: &$0) }
    }

    private static func mix(_ word: UInt64, into hash: inout UInt64) {
        hash = (hash ^ word) &* 0x0000_0100_0000_01b3
        hash ^= hash >> 29
    }

    /// The digest of all steps so far (FNV-1a by words).
    var digest: UInt64 { state.withLock { $0 } }
}
