internal import HandfastEncoding

/// Writes items as compact JSON.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ value: CBORValue, depth: Int) throws(JSONError) {
        switch value {
        case .unsigned(let value): append(String(value))
        case .negative(let argument):
            guard argument < .max else { throw .notRepresentable }
            append("-" + String(argument + 1))
        case .text(let value): writeString(value)
        case .array(let items):
            try checkDepth(depth)
            bytes.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                try write(item, depth: depth + 1)
            }
            bytes.append(UInt8(ascii: "]"))
        case .map(let map):
            try checkDepth(depth)
            bytes.append(UInt8(ascii: "{"))
            for (index, entry) in map.entries.enumerated() {
                guard case .text(let name) = entry.key else { throw .notRepresentable }
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                writeString(name)
                bytes.append(UInt8(ascii: ":"))
                try write(entry.value, depth: depth + 1)
            }
            bytes.append(UInt8(ascii: "}"))
        case .bool(let value): append(value ? "true" : "false")
        case .null: append("null")
        case .double(let value):
            guard value.isFinite else { throw .notRepresentable }
            append(value.description)
        case .bytes, .tag, .simple: throw .notRepresentable
        }
    }

    private func checkDepth(_ depth: Int) throws(JSONError) {
        guard depth < JSON.depth else { throw .depthExceeded(at: bytes.count) }
    }

    private mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func writeString(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                append("\\u00")
                append(Hex.encode([byte]))
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
