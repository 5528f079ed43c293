public import HandfastEncoding

extension ClaimPath {
    /// The claims that the path leads to, in the order in which they stand: several if a step is ``Step/every``.
    public func values(in claims: CBORMap) -> [CBORValue] {
        Self.values(in: .map(claims), steps[...])
    }

    /// Whether there is a claim where the path leads, or an array without elements where each of them is asked for.
    func leads(in claims: CBORMap) -> Bool {
        let ends = steps.last == .every ? steps.dropLast() : steps[...]
        let values = Self.values(in: .map(claims), ends)
        guard ends.count < steps.count else { return !values.isEmpty }
        return values.contains { if case .array = $0 { true } else { false } }
    }

    /// Whether the path goes through the claim at `other`, or ends there; ``Step/every`` goes through each element.
    func begins(with other: ClaimPath) -> Bool {
        guard other.steps.count <= steps.count else { return false }
        return zip(steps, other.steps).allSatisfy { $0.matches($1) }
    }

    private static func values(in value: CBORValue, _ steps: ArraySlice<Step>) -> [CBORValue] {
        if case .tag(_, let content) = value, !steps.isEmpty { return values(in: content, steps) }
        guard let step = steps.first else { return [value] }
        let rest = steps.dropFirst()
        switch (step, value) {
        case (.name(let name), .map(let map)): return map[name].map { values(in: $0, rest) } ?? []
        case (.number(let number), .map(let map)):
            return map[CBORValue.integer(number)].map { values(in: $0, rest) } ?? []
        case (.index(let index), .array(let items)):
            return items.indices.contains(index) ? values(in: items[index], rest) : []
        case (.every, .array(let items)): return items.flatMap { values(in: $0, rest) }
        default: return []
        }
    }
}

extension ClaimPath.Step {
    /// Whether this step, of a path that was asked for, is `other`, which may be one element of many.
    func matches(_ other: ClaimPath.Step) -> Bool {
        switch (self, other) {
        case (.name(let name), .name(let other)):
            name.utf8.count == other.utf8.count && name.utf8.elementsEqual(other.utf8)
        case (.every, .index): true
        case (.index(let index), .index(let other)): index == other
        case (.number(let number), .number(let other)): number == other
        case (.every, .every): true
        default: false
        }
    }
}
