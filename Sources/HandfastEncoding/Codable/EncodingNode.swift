/// An item whose parts a type's `encode(to:)` is still adding.
final class EncodingNode {
    private enum Content {
        case nothing
        case value(CBORValue)
        case array([EncodingNode])
        case map([(key: String, part: Part)])
    }

    /// A value of a map: a text as it is, anything else by the node that it is added to.
    private enum Part {
        case text(String)
        case node(EncodingNode)
    }

    let codingPath: [any CodingKey]
    private var content = Content.nothing

    init(codingPath: [any CodingKey]) {
        self.codingPath = codingPath
    }

    convenience init(of value: some Encodable, codingPath: [any CodingKey]) throws {
        self.init(codingPath: codingPath)
        try set(value)
    }

    /// Takes over what `value` encodes to.
    func set(_ value: some Encodable) throws {
        guard codingPath.count <= CBORLimits.depth else {
            throw invalid(value, "nests deeper than \(CBORLimits.depth) levels")
        }
        if let scalar = value as? any CBORScalar {
            content = .value(scalar.cborValue)
        } else {
            try value.encode(to: TreeEncoder(node: self))
        }
    }

    func setNull() {
        content = .value(.null)
    }

    /// Becomes an array unless it is one already.
    func openArray() {
        if case .array = content { return }
        content = .array([])
    }

    /// Becomes a map unless it is one already.
    func openMap() {
        if case .map = content { return }
        content = .map([])
    }

    var arrayCount: Int {
        if case .array(let nodes) = content { nodes.count } else { 0 }
    }

    /// The node of the array's next element.
    func append() -> EncodingNode {
        guard case .array(var nodes) = content else { return EncodingNode(codingPath: codingPath) }
        content = .nothing
        let node = EncodingNode(codingPath: codingPath + [IndexKey(nodes.count)])
        nodes.append(node)
        content = .array(nodes)
        return node
    }

    /// The node of the map's value under `key`.
    func insert(_ key: some CodingKey) -> EncodingNode {
        let node = EncodingNode(codingPath: codingPath + [key])
        insert(.node(node), key)
        return node
    }

    /// Adds a text to the map.
    func insert(_ text: String, _ key: some CodingKey) throws {
        guard codingPath.count < CBORLimits.depth else { return try insert(key).set(text) }
        insert(.text(text), key)
    }

    private func insert(_ part: Part, _ key: some CodingKey) {
        guard case .map(var parts) = content else { return }
        content = .nothing
        parts.append((key.stringValue, part))
        content = .map(parts)
    }

    /// The finished item.
    func tree() throws -> CBORValue {
        switch content {
        case .nothing: throw invalid(self, "encoded nothing")
        case .value(let value): return value
        case .array(let nodes): return .array(try nodes.map { try $0.tree() })
        case .map(let parts):
            let entries = try parts.map { key, part throws in
                switch part {
                case .text(let text): CBORMap.Entry(.text(key), .text(text))
                case .node(let node): CBORMap.Entry(.text(key), try node.tree())
                }
            }
            return .map(try CBORMap(entries))
        }
    }

    private func invalid(_ value: Any, _ reason: String) -> EncodingError {
        .invalidValue(value, EncodingError.Context(codingPath: codingPath, debugDescription: "value " + reason))
    }
}

/// The place of an element in an array, or the parent of a class, in a coding path.
struct IndexKey: CodingKey {
    static let parent = IndexKey(stringValue: "super")

    let stringValue: String
    let intValue: Int?

    init(_ index: Int) {
        stringValue = "\(index)"
        intValue = index
    }

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) {
        self.init(intValue)
    }
}
