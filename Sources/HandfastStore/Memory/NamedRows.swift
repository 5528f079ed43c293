/// Rows in memory, found by key and listed in the order in which they were first stored.
struct NamedRows<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// A value and where it stands in the list.
    struct Row: Sendable {
        let position: Int64
        var value: Value
    }

    private var rows: [Key: Row] = [:]
    private var last: Int64 = 0

    subscript(key: Key) -> Row? { rows[key] }

    mutating func store(_ key: Key, _ value: Value) {
        if rows[key] == nil { last += 1 }
        rows[key] = Row(position: rows[key]?.position ?? last, value: value)
    }

    /// Changes a value where it stands; false when there is none.
    mutating func update(_ key: Key, _ body: (inout Value) throws(StoreError) -> Void) throws(StoreError) -> Bool {
        guard var row = rows.removeValue(forKey: key) else { return false }
        try body(&row.value)
        rows[key] = row
        return true
    }

    mutating func remove(_ key: Key) {
        rows[key] = nil
    }

    /// Removes rows that fit, and tells how many.
    mutating func remove(limit: Int, where fits: (Value) -> Bool) -> Int {
        let keys = rows.filter { fits($0.value.value) }.keys.prefix(limit)
        for key in keys { rows[key] = nil }
        return keys.count
    }

    func list(before position: Int64, limit: Int) -> [(key: Key, row: Row)] {
        rows.filter { $0.value.position < position }.sorted { $0.value.position > $1.value.position }
            .prefix(limit).map { ($0.key, $0.value) }
    }

    func list(after position: Int64, limit: Int) -> [(key: Key, row: Row)] {
        rows.filter { $0.value.position > position }.sorted { $0.value.position < $1.value.position }
            .prefix(limit).map { ($0.key, $0.value) }
    }
}
