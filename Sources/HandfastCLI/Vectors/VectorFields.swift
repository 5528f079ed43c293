internal import HandfastCrypto
internal import HandfastEncoding

/// The named fields of a vector, and typed access to them.
struct VectorFields: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    struct Entry: Hashable, Sendable {
        let name: String
        let value: VectorValue
    }

    /// The fields in the order in which they are written.
    private(set) var entries: [Entry]
    /// Where these fields stand in the vector, for messages: empty or ending in a full stop.
    var path = ""

    init(_ fields: [(String, VectorValue)]) {
        entries = fields.map { Entry(name: $0.0, value: $0.1) }
    }

    /// Fields without a value are left out.
    init(dictionaryLiteral elements: (String, VectorValue?)...) {
        self.init(elements.compactMap { name, value in value.map { (name, $0) } })
    }

    subscript(name: String) -> VectorValue? {
        entries.first { $0.name == name }?.value
    }

    /// These fields with others beside them, or in their place; a nil value removes a field.
    func with(_ name: String, _ value: VectorValue?) -> VectorFields {
        var copy = self
        if let index = copy.entries.firstIndex(where: { $0.name == name }) {
            if let value {
                copy.entries[index] = Entry(name: name, value: value)
            } else {
                copy.entries.remove(at: index)
            }
        } else if let value {
            copy.entries.append(Entry(name: name, value: value))
        }
        return copy
    }

    /// These fields, and the others where these have none of that name.
    func over(_ defaults: VectorFields) -> VectorFields {
        var copy = self
        copy.entries += defaults.entries.filter { self[$0.name] == nil }
        return copy
    }

    static func == (left: VectorFields, right: VectorFields) -> Bool { left.entries == right.entries }

    func hash(into hasher: inout Hasher) { hasher.combine(entries) }
}

// MARK: - Typed access

extension VectorFields {
    /// A field's bytes; nil when there is no such field.
    func optionalBytes(_ name: String) throws -> [UInt8]? {
        guard let value = self[name] else { return nil }
        return try Self.bytes(value, at: path + name)
    }

    func bytes(_ name: String) throws -> [UInt8] {
        try Self.bytes(try value(name), at: path + name)
    }

    /// A field of a fixed number of bytes.
    func bytes<let count: Int>(_ name: String) throws -> FixedBytes<count> {
        let bytes = try bytes(name)
        guard let fixed = try? FixedBytes<count>(copying: bytes) else {
            throw VectorFault.length(expected: count, actual: bytes.count).at(path + name)
        }
        return fixed
    }

    func byteList(_ name: String) throws -> [[UInt8]] {
        try list(name).enumerated().map { index, value in try Self.bytes(value, at: "\(path)\(name)[\(index)]") }
    }

    func text(_ name: String) throws -> String {
        guard case .text(let text) = try value(name) else { throw VectorFault.kind("a text").at(path + name) }
        return text
    }

    func optionalText(_ name: String) throws -> String? {
        self[name] == nil ? nil : try text(name)
    }

    func number(_ name: String) throws -> UInt64 {
        guard case .number(let number) = try value(name), number >= 0 else {
            throw VectorFault.kind("a whole number from 0 on").at(path + name)
        }
        return UInt64(number)
    }

    /// A field's number; nil when there is no such field.
    func optionalNumber(_ name: String) throws -> UInt64? {
        self[name] == nil ? nil : try number(name)
    }

    /// A number of at most `maximum`.
    func count(_ name: String, maximum: Int = 1 << 24) throws -> Int {
        let number = try number(name)
        guard number <= UInt64(maximum) else {
            throw VectorFault.kind("a number of at most \(maximum)").at(path + name)
        }
        return Int(number)
    }

    func flag(_ name: String) throws -> Bool {
        guard case .flag(let flag) = try value(name) else { throw VectorFault.kind("true or false").at(path + name) }
        return flag
    }

    func list(_ name: String) throws -> [VectorValue] {
        guard case .list(let items) = try value(name) else { throw VectorFault.kind("a list").at(path + name) }
        return items
    }

    func fields(_ name: String) throws -> VectorFields {
        guard case .object(var fields) = try value(name) else { throw VectorFault.kind("an object").at(path + name) }
        fields.path = "\(path)\(name)."
        return fields
    }

    func optionalFields(_ name: String) throws -> VectorFields? {
        self[name] == nil ? nil : try fields(name)
    }

    func fieldsList(_ name: String) throws -> [VectorFields] {
        try list(name).enumerated().map { index, value in
            guard case .object(var fields) = value else {
                throw VectorFault.kind("an object").at("\(path)\(name)[\(index)]")
            }
            fields.path = "\(path)\(name)[\(index)]."
            return fields
        }
    }

    func value(_ name: String) throws -> VectorValue {
        guard let value = self[name] else { throw VectorFault.missing.at(path + name) }
        return value
    }

    private static func bytes(_ value: VectorValue, at place: String) throws -> [UInt8] {
        guard case .text(let text) = value else { throw VectorFault.kind("hexadecimal text").at(place) }
        do {
            return try Hex.decode(text)
        } catch {
            throw VectorFault.kind("hexadecimal text").at(place)
        }
    }
}
