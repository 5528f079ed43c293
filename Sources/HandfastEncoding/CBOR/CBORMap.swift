/// A map of a ``CBORValue``: entries in encoded order, each key once.
///
/// - Source: RFC 8949 §4.2.1.
public struct CBORMap: Hashable, Sendable {
    /// A key and its value.
    public struct Entry: Hashable, Sendable {
        /// The key, of any type.
        public var key: CBORValue
        /// The value.
        public var value: CBORValue

        /// An entry of `key` and `value`.
        public init(_ key: CBORValue, _ value: CBORValue) {
            self.key = key
            self.value = value
        }
    }

    /// The entries in ascending order of their keys' encodings.
    public let entries: [Entry]

    /// The map without entries.
    public init() {
        entries = []
    }

    /// A map of entries in any order.
    /// - Throws: ``CBORError/duplicateKey(at:)``, whose offset is the index of the entry among the sorted ones;
    ///   ``CBORError/depthExceeded(at:)`` if a key nests too deep.
    public init(_ entries: [Entry]) throws(CBORError) {
        var keyed: [(encoding: [UInt8], entry: Entry)] = []
        keyed.reserveCapacity(entries.count)
        for entry in entries { keyed.append((try entry.key.encoded(), entry)) }
        keyed.sort { $0.encoding.lexicographicallyPrecedes($1.encoding) }
        for index in keyed.indices.dropFirst() where keyed[index].encoding == keyed[index - 1].encoding {
            throw .duplicateKey(at: index)
        }
        self.entries = keyed.map(\.entry)
    }

    /// The map of those entries for which `isIncluded` holds.
    public func filter(_ isIncluded: (Entry) -> Bool) -> CBORMap {
        CBORMap(sorted: entries.filter(isIncluded))
    }

    private init(sorted entries: [Entry]) {
        self.entries = entries
    }

    /// The value under a text key, found in logarithmic time.
    public subscript(key: String) -> CBORValue? {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if Self.key(entries[middle].key, precedes: key) { low = middle + 1 } else { high = middle }
        }
        guard low < entries.count, case .text(let found) = entries[low].key, found.utf8.elementsEqual(key.utf8) else {
            return nil
        }
        return entries[low].value
    }

    /// The value under an integer key.
    public subscript(key: Int) -> CBORValue? {
        self[CBORValue.integer(Int64(key))]
    }

    /// The value under `key`.
    public subscript(key: CBORValue) -> CBORValue? {
        entries.first { $0.key == key }?.value
    }

    /// Whether `key` sorts before the text `other`.
    private static func key(_ key: CBORValue, precedes other: String) -> Bool {
        switch key {
        case .unsigned, .negative, .bytes: true
        case .text(let text):
            text.utf8.count == other.utf8.count
                ? text.utf8.lexicographicallyPrecedes(other.utf8) : text.utf8.count < other.utf8.count
        case .array, .map, .tag, .bool, .null, .simple, .double: false
        }
    }

    init(reading reader: inout CBORReader) throws(CBORError) {
        var entries: [Entry] = []
        var previous: Range<Int>?
        for _ in 0..<(try reader.readMapHeader(maximum: .max)) {
            let start = reader.offset
            let key = try CBORValue(reading: &reader)
            if !reader.limits.allowsUnsortedKeys { try reader.checkOrder(of: start..<reader.offset, after: previous) }
            previous = start..<reader.offset
            entries.append(Entry(key, try CBORValue(reading: &reader)))
        }
        self = reader.limits.allowsUnsortedKeys ? try CBORMap(entries) : CBORMap(sorted: entries)
    }

    func write(to writer: inout CBORWriter, depth: Int) throws(CBORError) {
        try writer.writeMap { (writer: inout CBORWriter) throws(CBORError) in
            for entry in entries {
                if case .text(let key) = entry.key {
                    writer.writeKey(key)
                } else {
                    var key = CBORWriter()
                    try entry.key.write(to: &key, depth: depth)
                    writer.writeKey(encoded: key.bytes)
                }
                try entry.value.write(to: &writer, depth: depth)
            }
        }
    }
}
