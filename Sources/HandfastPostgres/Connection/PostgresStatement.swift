/// One statement with its parameters.
struct PostgresStatement {
    let sql: String
    let values: [PostgresValue]
    /// Whether the server keeps it prepared for the next time.
    let isKept: Bool

    /// A statement that comes again and again.
    init(_ sql: String, _ values: [PostgresValue] = []) {
        self.sql = sql
        self.values = values
        isKept = true
    }

    /// A statement that comes once.
    init(once sql: String, _ values: [PostgresValue] = []) {
        self.sql = sql
        self.values = values
        isKept = false
    }
}

/// A parameter, in PostgreSQL's binary form.
enum PostgresValue {
    case null
    /// `boolean`
    case flag(Bool)
    /// `smallint`
    case small(Int16)
    /// `bigint`
    case number(Int64)
    /// `bytea`
    case bytes([UInt8])
    /// `bigint[]`
    case numbers([Int64])
    /// `text`
    case text(String)

    /// A count; one that no honest caller reaches is refused by whoever made it.
    static func number(_ count: Int) -> PostgresValue { .number(Int64(count)) }

    /// Bytes, or NULL.
    static func optional(_ bytes: [UInt8]?) -> PostgresValue { bytes.map { .bytes($0) } ?? .null }

    /// A number, or NULL.
    static func optional(_ number: Int64?) -> PostgresValue { number.map { .number($0) } ?? .null }

    /// Appends its binary form.
    func append(to buffer: inout [UInt8]) {
        switch self {
        case .null: break
        case .flag(let flag): buffer.append(flag ? 1 : 0)
        case .small(let number): Self.append(UInt64(bitPattern: Int64(number)), 2, to: &buffer)
        case .number(let number): Self.append(UInt64(bitPattern: number), 8, to: &buffer)
        case .bytes(let bytes): buffer += bytes
        case .numbers(let numbers):
            // One dimension, no NULL, elements of type bigint (20), counted from 1.
            for word in [numbers.isEmpty ? 0 : 1, 0, 20] { Self.append(UInt64(word), 4, to: &buffer) }
            guard !numbers.isEmpty else { return }
            for word in [numbers.count, 1] { Self.append(UInt64(word), 4, to: &buffer) }
            for number in numbers {
                Self.append(8, 4, to: &buffer)
                Self.append(UInt64(bitPattern: number), 8, to: &buffer)
            }
        case .text(let text): buffer += text.utf8
        }
    }

    private static func append(_ number: UInt64, _ count: Int, to buffer: inout [UInt8]) {
        for index in (0..<count).reversed() { buffer.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * index))) }
    }
}
