public import HandfastClaims

extension ClaimPath {
    /// The path as people write it: `address.city`, `degrees[0].name`, `nationalities[]` for each, `#501` for the
    /// integer key 501. A dot, bracket, sharp sign or backslash in a name stands behind a backslash.
    public var text: String {
        // By scalars, since a mark and a combining letter after it are one character to Swift.
        var text = String.UnicodeScalarView()
        for step in steps {
            switch step {
            case .name(let name):
                if !text.isEmpty { text.append(".") }
                for scalar in name.unicodeScalars {
                    if Self.marks.contains(scalar) { text.append("\\") }
                    text.append(scalar)
                }
            case .number(let key): text.append(contentsOf: (text.isEmpty ? "#\(key)" : ".#\(key)").unicodeScalars)
            case .index(let index): text.append(contentsOf: "[\(index)]".unicodeScalars)
            case .every: text.append(contentsOf: "[]".unicodeScalars)
            }
        }
        return String(text)
    }

    /// The path that is written so; nil if none is.
    public init?(text: String) {
        var steps: [Step] = []
        var rest = text.unicodeScalars[...]
        while let first = rest.first {
            if first == "[" {
                guard let end = rest.firstIndex(of: "]") else { return nil }
                guard let step = Self.element(rest[rest.index(after: rest.startIndex)..<end]) else { return nil }
                steps.append(step)
                rest = rest[rest.index(after: end)...]
                continue
            }
            if first == "." {
                guard !steps.isEmpty else { return nil }
                rest.removeFirst()
            } else if !steps.isEmpty {
                return nil
            }
            guard let step = Self.member(&rest) else { return nil }
            steps.append(step)
        }
        self.init(steps)
    }

    private static let marks: Set<Unicode.Scalar> = [".", "[", "]", "#", "\\"]

    private static func element(_ text: Substring.UnicodeScalarView) -> Step? {
        if text.isEmpty { return .every }
        return Int(String(text)).flatMap { $0 >= 0 ? .index($0) : nil }
    }

    /// Takes a name or an integer key from the front.
    private static func member(_ rest: inout Substring.UnicodeScalarView) -> Step? {
        if rest.first == "#" {
            let digits = rest.dropFirst().prefix { $0 != "." && $0 != "[" }
            rest = rest[digits.endIndex...]
            return Int64(String(digits)).map(Step.number)
        }
        var name = String.UnicodeScalarView()
        while let scalar = rest.first, scalar != ".", scalar != "[" {
            rest.removeFirst()
            if scalar == "]" || scalar == "#" { return nil }
            if scalar == "\\" {
                guard let escaped = rest.popFirst() else { return nil }
                name.append(escaped)
            } else {
                name.append(scalar)
            }
        }
        return name.isEmpty ? nil : .name(String(name))
    }
}
