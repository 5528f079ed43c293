internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastStore

/// The numbers that a relay's services and queues get in PostgreSQL, by those that they have in SQLite.
struct RelayRows {
    private(set) var services: [Int64: Int64] = [:]
    private(set) var queues: [Int64: Int64] = [:]
    private let states: [Int64: QueueState]

    init(of export: SQLiteExport) throws {
        var services: [Int64: Int64] = [:]
        try export.rows("SELECT row, key FROM service") { row in
            services[try row.number(0)] = Bucket(of: try row.bytes(1)).newRow()
        }
        var queues: [Int64: Int64] = [:]
        try export.rows("SELECT row, service FROM queue") { row in
            guard let service = services[try row.number(1)] else { throw Self.missing("service", try row.number(1)) }
            queues[try row.number(0)] = Bucket(ofRow: service).newRow()
        }
        (self.services, self.queues) = (services, queues)
        states = try export.states(ofQueues: queues.keys)
    }

    func service(_ row: Int64) throws(StoreError) -> Int64 {
        guard let service = services[row] else { throw Self.missing("service", row) }
        return service
    }

    func queue(_ row: Int64) throws(StoreError) -> Int64 {
        guard let queue = queues[row] else { throw Self.missing("queue", row) }
        return queue
    }

    /// What messages have made of a queue.
    func state(ofQueue row: Int64) throws(StoreError) -> QueueState {
        guard let state = states[row] else { throw Self.missing("queue", row) }
        return state
    }

    private static func missing(_ table: String, _ row: Int64) -> StoreError {
        .corrupted("table \(table): row \(row) is missing")
    }
}

/// How a relay's tables get into PostgreSQL.
struct RelayCopies {
    private static let stateColumns = ["next", "chain", "messages", "bytes", "used", "used_at"]
    private static let queueColumns = [
        "knocks", "published", "rate", "burst", "waiting_bytes", "message_bytes", "retention", "expired", "refusal",
        "noticed", "noticed_at",
    ]

    private let rows: RelayRows

    init(_ rows: RelayRows) {
        self.rows = rows
    }

    /// Every table but what is kept.
    var all: [TableCopy] { [service, queue, place, message, notice, admitted, hello, bundle] }

    private var service: TableCopy {
        TableCopy(
            table: "service", columns: ["bucket", "row", "key", "acknowledged", "last", "queues", "kept"],
            source: "SELECT row, key, acknowledged, last, queues, kept FROM service"
        ) { [rows] row in
            let service = try rows.service(row.number(0))
            return [[Bucket(ofRow: service).value, .number(service)] + row.dropFirst().map(PostgresValue.init)]
        }
    }

    private var queue: TableCopy {
        TableCopy(
            table: "queue",
            columns: ["bucket", "row"] + Self.stateColumns + ["service", "paused", "id", "capability", "closed"]
                + Self.queueColumns,
            source: """
                SELECT row, service, paused, id, capability, closed, \(Self.queueColumns.joined(separator: ", ")) FROM queue
                """
        ) { [rows] row in
            let queue = try rows.queue(row.number(0))
            let state = try rows.state(ofQueue: row.number(0))
            return [
                [
                    Bucket(ofRow: queue).value, .number(queue), try state.next.stored, .bytes(state.chain.array),
                    .number(state.messages), .number(state.bytes), .number(state.bucket.used),
                    try state.bucket.time.seconds.stored, .number(try rows.service(row.number(1))),
                    .flag(try row.number(2) != 0),
                ] + row.dropFirst(3).map(PostgresValue.init)
            ]
        }
    }

    private var place: TableCopy {
        TableCopy(
            table: "place", columns: ["bucket", "id", "queue", "service"], source: "SELECT row, service, id FROM queue"
        ) { [rows] row in
            let id = try row.bytes(2)
            return [
                [
                    Bucket(of: id).value, .bytes(id), .number(try rows.queue(row.number(0))),
                    .number(try rows.service(row.number(1))),
                ]
            ]
        }
    }

    private var message: TableCopy {
        TableCopy(
            table: "message",
            columns: ["bucket", "service", "queue", "position", "time", "expires", "size", "bytes"],
            source: "SELECT service, queue, position, time, expires, count, ends, bytes FROM run"
        ) { [rows] row in
            let service = try rows.service(row.number(0))
            let queue = try rows.queue(row.number(1))
            let (last, count) = (try row.number(2), Int(clamping: try row.number(5)))
            let contents = try Self.contents(row.bytes(7), ends: row.bytes(6), count: count)
            return try contents.enumerated().map { index, bytes throws in
                [
                    Bucket(ofRow: service).value, .number(service), .number(queue),
                    .number(last - Int64(count - 1 - index)), .number(try row.number(3)), PostgresValue(row[4]),
                    .number(bytes.count), .bytes(bytes),
                ]
            }
        }
    }

    /// The messages of one row: `ends` holds where each but the last ends, 4 bytes big endian.
    private static func contents(_ bytes: [UInt8], ends: [UInt8], count: Int) throws(StoreError) -> [[UInt8]] {
        guard count >= 1, ends.count == 4 * (count - 1) else { throw .corrupted("a row of table run") }
        var starts = [0]
        for index in 0..<count - 1 { starts.append(ends[4 * index..<4 * index + 4].reduce(0) { $0 << 8 | Int($1) }) }
        starts.append(bytes.count)
        guard zip(starts, starts.dropFirst()).allSatisfy(<=) else { throw .corrupted("a row of table run") }
        return zip(starts, starts.dropFirst()).map { Array(bytes[$0..<$1]) }
    }

    private var notice: TableCopy {
        TableCopy(
            table: "notice", columns: ["bucket", "service", "queue", "position"],
            source: "SELECT service, queue, position FROM notice"
        ) { [rows] row in
            let service = try rows.service(row.number(0))
            return [
                [
                    Bucket(ofRow: service).value, .number(service), .number(try rows.queue(row.number(1))),
                    PostgresValue(row[2]),
                ]
            ]
        }
    }

    private var admitted: TableCopy { part("admitted", ["knock"], from: ["knock"]) }
    private var hello: TableCopy { part("hello", ["knock", "hash", "time"], from: ["knock", "hash", "time"]) }
    private var bundle: TableCopy {
        part("bundle", ["number", "not_before", "expires", "bytes"], from: ["row", "not_before", "expires", "bytes"])
    }

    /// A table whose rows belong to queues.
    private func part(_ table: String, _ columns: [String], from source: [String]) -> TableCopy {
        TableCopy(
            table: table, columns: ["bucket", "queue"] + columns,
            source: "SELECT queue, \(source.joined(separator: ", ")) FROM \(table)"
        ) { [rows] row in
            let queue = try rows.queue(row.number(0))
            return [[Bucket(ofRow: queue).value, .number(queue)] + row.dropFirst().map(PostgresValue.init)]
        }
    }
}
