public import HandfastClaims

extension ClaimPath {
    /// The path as people write it: `address.city`, `degrees[0].name`, `nationalities[]` for each, `#501` for the
    /// integer key 501. A dot, bracket, sharp sign or backslash in a name stands behind a backslash.
    public var text: String {
        var text = ""
        for step in steps {
            switch step {
            case .name(let name):
                if !text.isEmpty { text += "." }
                for character in name {
                    if Self.marks.contains(character) { text += "\\" }
                    text.append(character)
                }
            case .number(let key): text += text.isEmpty ? "#\(key)" : ".#\(key)"
            case .index(let index): text += "[\(index)]"
            case .every: text += "[]"
            }
        }
        return text
    }

    /// The path that is written so; nil if none is.
    public init?(text: String) {
        var steps: [Step] = []
        var rest = Substring(text)
        while let first = rest.first {
            if first == "[" {
                guard let end = rest.firstIndex(of: "]") else { return nil }
                let inside = rest[rest.index(after: rest.startIndex)..<end]
                guard let step = Self.element(inside) else { return nil }
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

    private static let marks: Set<Character> = [".", "[", "]", "#", "\\"]

    private static func element(_ text: Substring) -> Step? {
        if text.isEmpty { return .every }
        return Int(text).flatMap { $0 >= 0 ? .index($0) : nil }
    }

    /// Takes a name or an integer key from the front.
    private static func member(_ rest: inout Substring) -> Step? {
        if rest.first == "#" {
            let digits = rest.dropFirst().prefix { $0 != "." && $0 != "[" }
            rest = rest[digits.endIndex...]
            return Int64(digits).map(Step.number)
        }
        var name = ""
        while let character = rest.first, character != ".", character != "[" {
            rest.removeFirst()
            if character == "]" || character == "#" { return nil }
            if character == "\\" {
                guard let escaped = rest.popFirst() else { return nil }
                name.append(escaped)
            } else {
                name.append(character)
            }
        }
        return name.isEmpty ? nil : .name(name)
    }
}
