extension CBORValue {
    /// The item as compact JSON text, for people and scripts; it does not convert back.
    ///
    /// Byte strings become base64url text, tags their content, numbers that JSON lacks null; a map key that is not text
    /// becomes its own JSON text.
    ///
    /// - Source: RFC 8949 §6.1; RFC 8259.
    public var jsonText: String {
        var text = ""
        appendJSON(to: &text)
        return text
    }

    private func appendJSON(to text: inout String) {
        switch self {
        case .unsigned(let value): text += String(value)
        case .negative(let argument):
            text += argument == .max ? "-18446744073709551616" : "-" + String(argument + 1)
        case .bytes(let value): text += "\"" + Base64URL.encode(value) + "\""
        case .text(let value): Self.appendJSONString(value, to: &text)
        case .array(let items):
            text += "["
            for (index, item) in items.enumerated() {
                if index > 0 { text += "," }
                item.appendJSON(to: &text)
            }
            text += "]"
        case .map(let map):
            text += "{"
            for (index, entry) in map.entries.enumerated() {
                if index > 0 { text += "," }
                Self.appendJSONString(entry.key.jsonKey, to: &text)
                text += ":"
                entry.value.appendJSON(to: &text)
            }
            text += "}"
        case .tag(_, let content): content.appendJSON(to: &text)
        case .bool(let value): text += value ? "true" : "false"
        case .null: text += "null"
        case .simple(let value): text += "\"simple(\(value))\""
        case .double(let value): text += value.isFinite ? value.description : "null"
        }
    }

    private var jsonKey: String {
        switch self {
        case .text(let key): key
        case .bytes(let key): Base64URL.encode(key)
        default: jsonText
        }
    }

    private static func appendJSONString(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            // Controls, which a terminal may obey, and invisible or direction-changing characters, which may deceive.
            case "\0"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{200B}"..."\u{200F}", "\u{2028}"..."\u{202E}",
                "\u{2060}"..."\u{2069}", "\u{FEFF}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
