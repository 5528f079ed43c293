/// Takes an input apart into choices and byte strings. Beyond the end everything is 0 or empty.
struct InputReader {
    private var rest: ArraySlice<UInt8>

    init(_ input: [UInt8]) {
        rest = input[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 {
        rest.popFirst() ?? 0
    }

    /// Two bytes, the high one first.
    mutating func number() -> Int {
        Int(byte()) << 8 | Int(byte())
    }

    /// A byte below `count`.
    mutating func choice(of count: Int) -> Int {
        Int(byte()) % count
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    /// As many bytes as the number before them says.
    mutating func counted() -> [UInt8] {
        bytes(number())
    }

    mutating func remaining() -> [UInt8] {
        defer { rest = [] }
        return Array(rest)
    }
}

extension [UInt8] {
    /// What ``InputReader/counted()`` reads.
    var counted: [UInt8] {
        [UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)] + self
    }
}

/// Changes that an attacker on the way makes to a message: the input is the list of changes, so that it stays
/// meaningful for a message that is new in each run.
struct Tampering {
    private enum Change: Int, CaseIterable {
        case flip, overwrite, cut, insert, remove, repeatPart
    }

    private var input: InputReader

    init(_ input: InputReader) {
        self.input = input
    }

    /// The changed message.
    func apply(to message: [UInt8]) -> [UInt8] {
        var (input, result) = (input, message)
        while !input.isAtEnd {
            guard let change = Change(rawValue: input.choice(of: Change.allCases.count)) else { continue }
            let place = result.isEmpty ? 0 : input.number() % (result.count + 1)
            switch change {
            case .flip:
                let mask = input.byte()
                if place < result.count { result[place] ^= mask }
            case .overwrite:
                let part = input.bytes(Int(input.byte()))
                result.replaceSubrange(place..<min(place + part.count, result.count), with: part)
            case .cut: result.removeSubrange(place...)
            case .insert: result.insert(contentsOf: input.bytes(Int(input.byte())), at: place)
            case .remove: result.removeSubrange(place..<min(place + input.number(), result.count))
            case .repeatPart:
                let end = min(place + input.number(), result.count)
                guard result.count + end - place <= 1 << 17 else { continue }
                result.insert(contentsOf: result[place..<end], at: place)
            }
        }
        return result
    }

    /// Inputs to begin with: no change, one of each kind, at the places that matter in every message.
    static let seeds: [[UInt8]] = [
        [], [0, 0, 0, 1], [0, 0, 17, 1], [0, 0, 62, 0x80], [2, 0, 61], [2, 1, 0], [3, 0, 0, 2, 0xff, 0xff],
        [4, 0, 70, 0, 1], [5, 0, 1, 1, 0], [1, 0, 1, 4, 0, 0, 0, 0],
    ]
}
