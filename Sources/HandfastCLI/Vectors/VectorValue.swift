internal import HandfastEncoding

/// A JSON value of a vector file; objects keep their order, so that files read well and differ little.
enum VectorValue: Hashable, Sendable {
    case text(String)
    case number(Int64)
    case flag(Bool)
    case null
    case list([VectorValue])
    case object(VectorFields)

    /// Bytes, written in lower-case hexadecimal.
    static func hex(_ bytes: [UInt8]) -> VectorValue { .text(Hex.encode(bytes)) }

    /// Bytes that may be missing.
    static func hex(_ bytes: [UInt8]?) -> VectorValue? { bytes.map { .hex($0) } }

    /// Several byte strings.
    static func hexes(_ list: [[UInt8]]) -> VectorValue { .list(list.map { .hex($0) }) }

    /// A number that fits 63 bits, as all numbers of vectors do.
    static func number(_ value: some BinaryInteger) -> VectorValue { .number(Int64(clamping: value)) }
}

extension VectorValue: Decodable {
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Int64.self) {
            self = .number(number)
        } else if let fields = try? container.decode([String: VectorValue].self) {
            self = .object(VectorFields(fields.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
        } else if let items = try? container.decode([VectorValue].self) {
            self = .list(items)
        } else if container.decodeNil() {
            self = .null
        } else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a text, whole number, true, false, null, list or object is expected")
        }
    }
}

extension VectorValue {
    /// The value as JSON text in one line.
    var jsonLine: String {
        switch self {
        case .list(let items): "[\(items.map(\.jsonLine).joined(separator: ","))]"
        case .object(let fields):
            "{\(fields.entries.map { "\(CBORValue.text($0.name).jsonText):\($0.value.jsonLine)" }.joined(separator: ","))}"
        case .text, .number, .flag, .null: jsonText()
        }
    }

    /// The value as JSON text; objects and lists of objects over several lines.
    func jsonText(indent: String = "") -> String {
        switch self {
        case .text(let text): return CBORValue.text(text).jsonText
        case .number(let number): return String(number)
        case .flag(let flag): return flag ? "true" : "false"
        case .null: return "null"
        case .list(let items):
            guard !items.isEmpty else { return "[]" }
            let inner = indent + "  "
            return "[\n" + items.map { inner + $0.jsonText(indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
        case .object(let fields):
            guard !fields.entries.isEmpty else { return "{}" }
            let inner = indent + "  "
            let lines = fields.entries.map { entry in
                "\(inner)\(CBORValue.text(entry.name).jsonText): \(entry.value.jsonText(indent: inner))"
            }
            return "{\n\(lines.joined(separator: ",\n"))\n\(indent)}"
        }
    }
}
