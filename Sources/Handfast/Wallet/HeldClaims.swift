public import HandfastClaims
public import HandfastEncoding

/// A claim that a verifier learns, and its value.
public struct LearnedClaim: Codable, Hashable, Sendable {
    /// Where it stands in the credential, as people write it.
    public var claim: String
    /// Its value as JSON.
    public var value: String

    /// A claim and its value.
    public init(claim: String, value: String) {
        self.claim = claim
        self.value = value
    }
}

/// What a credential says when all of it is disclosed, and what of it its holder may keep back.
public struct HeldClaims: Hashable, Sendable {
    /// All claims but those that describe the credential itself.
    public let claims: CBORMap
    /// The claims that are disclosed one by one; all others are always visible.
    public let redacted: Set<ClaimPath>

    /// What a credential says.
    public init(claims: CBORMap, redacted: some Sequence<ClaimPath>) {
        self.claims = claims
        self.redacted = Set(redacted)
    }

    /// The values at a path: none where there is nothing, several where it names each element of an array.
    public func values(at path: ClaimPath) -> [CBORValue] {
        path.steps.reduce([.map(claims)]) { found, step in
            found.flatMap { item -> [CBORValue] in
                switch (item, step) {
                case (.map(let map), .name(let name)): map[name].map { [$0] } ?? []
                case (.map(let map), .number(let key)): map[CBORValue.integer(key)].map { [$0] } ?? []
                case (.array(let items), .index(let index)): items.indices.contains(index) ? [items[index]] : []
                case (.array(let items), .every): items
                default: []
                }
            }
        }
    }

    /// Whether every claim is there and is what it has to be.
    public func satisfies(_ wanted: [WantedClaim]) -> Bool {
        wanted.allSatisfy { wanted in
            let values = values(at: wanted.path)
            guard let value = wanted.value else { return !values.isEmpty }
            return values.contains(value.item)
        }
    }

    /// The redacted claims to disclose so that all of the wanted ones are seen, and no others: those on the way to a
    /// wanted one, itself, and what lies in it.
    public func disclosing(_ wanted: [WantedClaim]) -> [ClaimPath] {
        redacted.filter { path in wanted.contains { $0.path.meets(path) } }.sorted { $0.text < $1.text }
    }

    /// What a verifier sees once these are disclosed: every value that is no map or array, and where it stands.
    public func learned(disclosing: [ClaimPath]) -> [LearnedClaim] {
        var learned: [LearnedClaim] = []
        let hidden = redacted.subtracting(disclosing)
        func walk(_ item: CBORValue, _ steps: [ClaimPath.Step]) {
            if let path = ClaimPath(steps) {
                if hidden.contains(path) { return }
                switch item {
                case .map, .array: break
                default: learned.append(LearnedClaim(claim: path.text, value: item.jsonText))
                }
            }
            switch item {
            case .map(let map):
                for entry in map.entries {
                    guard let step = ClaimPath.Step(key: entry.key) else { continue }
                    walk(entry.value, steps + [step])
                }
            case .array(let items):
                for (index, item) in items.enumerated() { walk(item, steps + [.index(index)]) }
            default: break
            }
        }
        walk(.map(claims), [])
        return learned
    }
}

extension ClaimPath.Step {
    fileprivate init?(key: CBORValue) {
        switch key {
        case .text(let name): self = .name(name)
        case .unsigned(let number) where number <= UInt64(Int64.max): self = .number(Int64(number))
        case .negative(let number) where number <= UInt64(Int64.max): self = .number(~Int64(number))
        default: return nil
        }
    }
}

extension ClaimPath {
    /// Whether one of the two paths leads to, or through, what the other names.
    func meets(_ other: ClaimPath) -> Bool {
        zip(steps, other.steps).allSatisfy { own, other in
            switch (own, other) {
            case (.every, .index), (.index, .every): true
            default: own == other
            }
        }
    }

    /// Whether the other path names this place or one in it.
    func contains(_ other: ClaimPath) -> Bool {
        steps.count <= other.steps.count && meets(other)
    }
}
