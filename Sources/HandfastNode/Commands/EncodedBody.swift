internal import Handfast
internal import HandfastEncoding

/// A body that came encoded, as the `Encodable` that signing asks for.
///
/// Encoding is deterministic, so that the same bytes come out again.
struct EncodedBody: Encodable, Hashable, Sendable {
    private let value: CBORValue

    /// Reads a deterministic CBOR map.
    ///
    /// - Throws: ``NodeError/badData(_:)``
    init(_ bytes: [UInt8]) throws(NodeError) {
        do {
            value = try CBORValue(decoding: bytes)
        } catch {
            throw .badData("the body is not deterministic CBOR: \(error)")
        }
        guard case .map = value else { throw .badData("the body is not a CBOR map with text keys") }
    }

    func encode(to encoder: any Encoder) throws {
        try Node(value: value).encode(to: encoder)
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) {
            self.stringValue = stringValue
        }

        init?(intValue: Int) {
            nil
        }
    }

    private struct Node: Encodable {
        let value: CBORValue

        func encode(to encoder: any Encoder) throws {
            switch value {
            case .map(let map):
                var container = encoder.container(keyedBy: Key.self)
                for entry in map.entries {
                    guard case .text(let key) = entry.key else { throw unsupported(encoder) }
                    if case .null = entry.value {
                        try container.encodeNil(forKey: Key(stringValue: key))
                    } else {
                        try container.encode(Node(value: entry.value), forKey: Key(stringValue: key))
                    }
                }
            case .array(let items):
                var container = encoder.unkeyedContainer()
                for item in items { try container.encode(Node(value: item)) }
            case .unsigned(let number): try single(number, encoder)
            case .bytes(let bytes): try single(bytes, encoder)
            case .text(let text): try single(text, encoder)
            case .bool(let flag): try single(flag, encoder)
            case .double(let number): try single(number, encoder)
            case .negative(let number) where number <= UInt64(Int64.max):
                try single(~Int64(number), encoder)
            case .negative, .tag, .simple, .null:
                throw unsupported(encoder)
            }
        }

        private func single(_ value: some Encodable, _ encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(value)
        }

        private func unsupported(_ encoder: any Encoder) -> EncodingError {
            EncodingError.invalidValue(
                value,
                EncodingError.Context(
                    codingPath: encoder.codingPath,
                    debugDescription: "a body holds text keys, integers, numbers, texts, bytes, lists and maps only"))
        }
    }
}
