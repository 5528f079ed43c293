/// What a type's `init(from:)` reads from.
struct TreeDecoder: Decoder {
    let item: CBORValue
    let codingPath: [any CodingKey]

    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .map(let map) = item, map.entries.allSatisfy({ $0.key.type == .text }) else {
            throw mismatch([String: CBORValue].self, .map)
        }
        return KeyedDecodingContainer(KeyedTreeDecoder(map: map, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let items) = item else { throw mismatch([CBORValue].self, .array) }
        return UnkeyedTreeDecoder(items: items, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer {
        SingleValueTreeDecoder(decoder: self)
    }

    /// The value of the whole item.
    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        if let scalar = type as? any CBORScalar.Type {
            if let value = scalar.init(cborValue: item) as? T { return value }
            guard item.type == scalar.cborType else { throw mismatch(type, scalar.cborType) }
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: codingPath, debugDescription: "the \(item.type) does not fit \(type)"))
        }
        return try type.init(from: self)
    }

    private func mismatch(_ type: any Any.Type, _ expected: CBORType) -> DecodingError {
        .typeMismatch(
            type,
            DecodingError.Context(
                codingPath: codingPath, debugDescription: "expected the CBOR type \(expected), found \(item.type)"))
    }
}

// One generic `decode` serves in each container for the requirements of every type.

private struct KeyedTreeDecoder<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let map: CBORMap
    let codingPath: [any CodingKey]

    var allKeys: [Key] {
        map.entries.compactMap { entry in
            if case .text(let key) = entry.key { Key(stringValue: key) } else { nil }
        }
    }

    func contains(_ key: Key) -> Bool {
        map[key.stringValue] != nil
    }

    // `decodeIfPresent` takes this for absent. Null is a value of its own, which fits no type but an optional.
    func decodeNil(forKey key: Key) throws -> Bool {
        false
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try decoder(for: key).decode(type)
    }

    // Most properties are texts: those are found without asking for conformances and paths.

    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        if case .text(let text) = map[key.stringValue] { return text }
        return try decoder(for: key).decode(type)
    }

    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
        switch map[key.stringValue] {
        case nil: nil
        case .text(let text): text
        default: try decoder(for: key).decode(type)
        }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try decoder(for: key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try decoder(for: key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        try decoder(for: IndexKey.parent)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        try decoder(for: key)
    }

    private func decoder(for key: some CodingKey) throws -> TreeDecoder {
        guard let item = map[key.stringValue] else {
            throw DecodingError.keyNotFound(
                key,
                DecodingError.Context(
                    codingPath: codingPath, debugDescription: "the map has no key \(key.stringValue)"))
        }
        return TreeDecoder(item: item, codingPath: codingPath + [key])
    }
}

private struct UnkeyedTreeDecoder: UnkeyedDecodingContainer {
    let items: [CBORValue]
    let codingPath: [any CodingKey]
    private(set) var currentIndex = 0

    init(items: [CBORValue], codingPath: [any CodingKey]) {
        self.items = items
        self.codingPath = codingPath
    }

    var count: Int? { items.count }
    var isAtEnd: Bool { currentIndex == items.count }

    mutating func decodeNil() throws -> Bool {
        guard try next(CBORValue.self).item == .null else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let value = try next(type).decode(type)
        currentIndex += 1
        return value
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        let container = try next(CBORMap.self).container(keyedBy: type)
        currentIndex += 1
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try next([CBORValue].self).unkeyedContainer()
        currentIndex += 1
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let decoder = try next((any Decoder).self)
        currentIndex += 1
        return decoder
    }

    private func next(_ type: any Any.Type) throws -> TreeDecoder {
        let path = codingPath + [IndexKey(currentIndex)]
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                type, DecodingError.Context(codingPath: path, debugDescription: "the array has no more elements"))
        }
        return TreeDecoder(item: items[currentIndex], codingPath: path)
    }
}

private struct SingleValueTreeDecoder: SingleValueDecodingContainer {
    let decoder: TreeDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }

    func decodeNil() -> Bool {
        decoder.item == .null
    }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try decoder.decode(type)
    }
}
