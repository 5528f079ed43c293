import Foundation
import GRDB
import HandfastEncoding

/// What somebody saw that could be recognised when it is seen again elsewhere.
///
/// It is read item by item, down to the last structure within a byte string: every value is compared whole, so that
/// nothing agrees by chance, and what a format says of itself links nobody.
struct Traces {
    /// Keys, ids, digests, salts, signatures and texts; of eight bytes or more, as shorter ones can agree by chance.
    private(set) var values: Set<[UInt8]> = []
    /// Every integer that could be a time: seconds or milliseconds, from 2001 on.
    private(set) var times: Set<UInt64> = []
    /// Places in a status list.
    private(set) var statusIndices: Set<UInt64> = []

    private static let shortest = 8
    /// A second of 2001 in seconds, and one of 2286 in milliseconds.
    private static let timeRange: ClosedRange<UInt64> = 1_000_000_000...9_999_999_999_999

    init() {}

    /// Reads a file, a credential or a presentation.
    init(_ bytes: [UInt8]) {
        read(bytes)
    }

    mutating func formUnion(_ other: Traces) {
        values.formUnion(other.values)
        times.formUnion(other.times)
        statusIndices.formUnion(other.statusIndices)
    }

    /// What another party saw, too, of somebody, and nobody saw of everybody.
    func shared(with other: Traces, butNotWith everybody: Traces) -> [String] {
        values.intersection(other.values).subtracting(everybody.values).map { value in
            String(validating: value, as: UTF8.self) ?? value.map { String($0, radix: 16) }.joined(separator: " ")
        }
    }

    // MARK: Reading

    private mutating func read(_ bytes: [UInt8]) {
        if let item = Self.structure(in: bytes) {
            read(item)
        } else if let parts = Self.webTokenParts(of: bytes) {
            for part in parts { readPart(part) }
        } else if bytes.count >= Self.shortest {
            values.insert(bytes)
        }
    }

    private mutating func read(_ item: CBORValue) {
        switch item {
        case .unsigned(let number): read(number)
        case .bytes(let bytes): read(bytes)
        case .text(let text): read(Array(text.utf8))
        case .array(let items): for item in items { read(item) }
        case .map(let map):
            for entry in map.entries {
                if case (.text("idx"), .unsigned(let index)) = (entry.key, entry.value) { statusIndices.insert(index) }
                read(entry.key)
                read(entry.value)
            }
        case .tag(_, let item): read(item)
        case .negative, .bool, .null, .simple, .double: break
        }
    }

    private mutating func read(_ number: UInt64) {
        if Self.timeRange.contains(number) { times.insert(number) }
    }

    /// A part of an SD-JWT: JSON, or a signature.
    private mutating func readPart(_ part: [UInt8]) {
        guard let json = try? JSONSerialization.jsonObject(with: Data(part)) else { return read(part) }
        readJSON(json)
    }

    private mutating func readJSON(_ item: Any) {
        switch item {
        case let text as String: read(Array(text.utf8))
        case let number as NSNumber: read(number.uint64Value)
        case let items as [Any]: for item in items { readJSON(item) }
        case let object as [String: Any]:
            for (name, item) in object {
                if name == "idx", let index = item as? NSNumber { statusIndices.insert(index.uint64Value) }
                read(Array(name.utf8))
                readJSON(item)
            }
        default: break
        }
    }

    /// The array, map or tag that is all of the bytes.
    private static func structure(in bytes: [UInt8]) -> CBORValue? {
        let limits = CBORLimits(size: bytes.count, allowsSimpleValues: true, allowsUnsortedKeys: true)
        guard let item = try? CBORValue(decoding: bytes, limits: limits) else { return nil }
        return switch item.type {
        case .array, .map, .tag: item
        default: nil
        }
    }

    /// What the parts of an SD-JWT stand for, each of which is base64url.
    private static func webTokenParts(of bytes: [UInt8]) -> [[UInt8]]? {
        guard bytes.starts(with: "ey".utf8), bytes.contains(UInt8(ascii: ".")) else { return nil }
        let parts = bytes.split { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "~") }
            .map { decodedBase64URL(String(decoding: $0, as: UTF8.self)) }
        return parts.contains(nil) ? nil : parts.compactMap(\.self)
    }

    /// The bytes that base64url stands for.
    static func decodedBase64URL(_ text: String) -> [UInt8]? {
        let padded =
            text.replacing("-", with: "+").replacing("_", with: "/")
            + String(repeating: "=", count: (4 - text.count % 4) % 4)
        return Data(base64Encoded: padded).map(Array.init)
    }
}

// MARK: - What a relay holds

extension Traces {
    /// What a relay holds of one service after another, each value of its tables as it is: everything that it knows to
    /// be of one owner.
    static func ofServices(atRelay folder: String) throws -> [(queues: Int, traces: Traces)] {
        var configuration = Configuration()
        configuration.readonly = true
        let tables = [
            "SELECT * FROM service WHERE row = ?", "SELECT * FROM queue WHERE service = ?",
            // Not the sizes, which fall into classes.
            "SELECT bytes FROM run WHERE service = ?",
        ]
        let ofQueues = ["admitted", "hello", "bundle"].map {
            "SELECT * FROM \($0) WHERE queue IN (SELECT row FROM queue WHERE service = ?)"
        }
        return try DatabaseQueue(path: "\(folder)/relay.sqlite", configuration: configuration).read { database in
            let digests = try queueDigests(in: database)
            return try Int64.fetchAll(database, sql: "SELECT row FROM service").map { service in
                var traces = Traces()
                for table in tables + ofQueues {
                    for row in try Row.fetchAll(database, sql: table, arguments: [service]) {
                        for (_, value) in row {
                            // The digest of a queue that nothing has come to is zeros.
                            guard case .blob(let data) = value.storage, data.contains(where: { $0 != 0 }) else {
                                continue
                            }
                            traces.values.insert(Array(data))
                        }
                    }
                }
                let queues = try Int64.fetchAll(
                    database, sql: "SELECT row FROM queue WHERE service = ?", arguments: [service])
                traces.values.formUnion(queues.compactMap { digests[$0] })
                let count = "SELECT COUNT(*) FROM queue WHERE service = ?"
                return (try Int.fetchOne(database, sql: count, arguments: [service]) ?? 0, traces)
            }
        }
    }

    /// The digest of each queue that something has come to lately, as it lies in a log beside the queues' rows: a state of
    /// 72 bytes, from the ninth on of which the digest is, behind eight of the queue's row.
    private static func queueDigests(in database: Database) throws -> [Int64: [UInt8]] {
        var digests: [Int64: [UInt8]] = [:]
        for data in try Data.fetchAll(database, sql: "SELECT states FROM queue_change ORDER BY row") {
            let bytes = [UInt8](data)
            for start in stride(from: 0, to: bytes.count, by: 80) {
                let queue = bytes[start..<start + 8].reduce(0) { $0 << 8 | Int64($1) }
                digests[queue] = Array(bytes[(start + 16)..<(start + 48)])
            }
        }
        return digests.filter { _, digest in digest.contains { $0 != 0 } }
    }

    /// With everything that a relay holds together with any of it.
    func joined(with services: [Traces], butNotBy everybody: Traces) -> Traces {
        services.reduce(into: self) { joined, service in
            if !service.values.intersection(values).subtracting(everybody.values).isEmpty { joined.formUnion(service) }
        }
    }
}
