internal import HandfastCrypto
internal import HandfastEncoding

/// One JSON document, written as text that is deterministic and harmless for a terminal.
struct Document {
    /// The document as the tree that knows how to write itself as JSON.
    let value: CBORValue

    init(_ value: CBORValue) {
        self.value = value
    }

    /// A report of the node.
    init(_ report: some Encodable) throws {
        value = try CBOREncoder().encodeTree(report)
    }

    static func text(_ text: String) -> Document { Document(.text(text)) }

    static func text(_ text: String?) -> Document? { text.map { Document(.text($0)) } }

    static func number(_ number: some BinaryInteger) -> Document {
        Document(number < 0 ? .integer(Int64(number)) : .unsigned(UInt64(number)))
    }

    static func flag(_ flag: Bool) -> Document { Document(.bool(flag)) }

    static func list(_ items: [Document]) -> Document { Document(.array(items.map(\.value))) }

    /// An object; fields without a value are left out.
    static func object(_ fields: [String: Document?]) -> Document {
        let entries = fields.compactMap { key, field in field.map { CBORMap.Entry(.text(key), $0.value) } }
        // The keys of a dictionary are distinct, which is all that a map asks for.
        return Document(.map((try? CBORMap(entries)) ?? CBORMap()))
    }

    /// The same object with other fields beside its own, or in their place.
    func adding(_ fields: [String: Document?]) -> Document {
        guard case .map(let map) = value else { return self }
        var all = fields
        for entry in map.entries {
            guard case .text(let key) = entry.key, !fields.keys.contains(key) else { continue }
            all[key] = Document(entry.value)
        }
        return .object(all)
    }

    /// A deterministic CBOR item as JSON, or `nil` when it is none.
    static func decoding(_ bytes: [UInt8]?) -> Document? {
        bytes.flatMap { try? Document(CBORValue(decoding: $0.bytes)) }
    }

    /// The JSON text, in one line.
    var jsonText: String { value.jsonText }

    /// The JSON text for a file that people edit: a field a line, objects indented.
    var indentedText: String { Self.indented(value, by: "") }

    private static func indented(_ value: CBORValue, by indent: String) -> String {
        guard case .map(let map) = value, !map.entries.isEmpty else { return value.jsonText }
        let inner = indent + "  "
        let fields = map.entries.map { entry in
            "\(inner)\(entry.key.jsonText): \(indented(entry.value, by: inner))"
        }
        return "{\n\(fields.joined(separator: ",\n"))\n\(indent)}"
    }
}

extension Document: ExpressibleByDictionaryLiteral {
    init(dictionaryLiteral elements: (String, Document?)...) {
        self = .object(Dictionary(elements) { first, _ in first })
    }
}
