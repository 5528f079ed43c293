/// What a type's `encode(to:)` writes to.
struct TreeEncoder: Encoder {
    let node: EncodingNode

    var codingPath: [any CodingKey] { node.codingPath }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(KeyedTreeEncoder(node: node))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        UnkeyedTreeEncoder(node: node)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        SingleValueTreeEncoder(node: node)
    }
}

// One generic `encode` serves in each container for the requirements of every type.

private struct KeyedTreeEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: EncodingNode

    init(node: EncodingNode) {
        self.node = node
        node.openMap()
    }

    var codingPath: [any CodingKey] { node.codingPath }

    func encodeNil(forKey key: Key) {
        // Absence is the one encoding of nil in a map.
    }

    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        try node.insert(key).set(value)
    }

    func encode(_ value: String, forKey key: Key) throws {
        try node.insert(value, key)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        KeyedEncodingContainer(KeyedTreeEncoder<Nested>(node: node.insert(key)))
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        UnkeyedTreeEncoder(node: node.insert(key))
    }

    func superEncoder() -> any Encoder {
        TreeEncoder(node: node.insert(IndexKey.parent))
    }

    func superEncoder(forKey key: Key) -> any Encoder {
        TreeEncoder(node: node.insert(key))
    }
}

private struct UnkeyedTreeEncoder: UnkeyedEncodingContainer {
    let node: EncodingNode

    init(node: EncodingNode) {
        self.node = node
        node.openArray()
    }

    var codingPath: [any CodingKey] { node.codingPath }
    var count: Int { node.arrayCount }

    func encodeNil() {
        node.append().setNull()
    }

    func encode<T: Encodable>(_ value: T) throws {
        try node.append().set(value)
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        KeyedEncodingContainer(KeyedTreeEncoder<Nested>(node: node.append()))
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        UnkeyedTreeEncoder(node: node.append())
    }

    func superEncoder() -> any Encoder {
        TreeEncoder(node: node.append())
    }
}

private struct SingleValueTreeEncoder: SingleValueEncodingContainer {
    let node: EncodingNode

    var codingPath: [any CodingKey] { node.codingPath }

    func encodeNil() {
        node.setNull()
    }

    func encode<T: Encodable>(_ value: T) throws {
        try node.set(value)
    }
}
