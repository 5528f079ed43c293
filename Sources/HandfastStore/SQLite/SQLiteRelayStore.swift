internal import GRDB
public import HandfastChannel
public import HandfastCrypto
internal import Synchronization

/// A relay's store in one SQLite file, with one writer and one flush per batch.
///
/// - Source: Spec/08 §8.4
public final class SQLiteRelayStore: RelayStore {
    private let file: SQLiteFile
    private let states = QueueStates()
    private let limits: RelayLimits
    private let lock: Mutex<StoreLock?>

    /// Opens the store at a path, or makes it.
    ///
    /// - Throws: ``StoreError/locked(path:process:)``, ``StoreError/notAVault(path:)``,
    ///   ``StoreError/newerVersion(path:)``, ``StoreError/corrupted(_:)``, ``StoreError/unsafeDurability(_:)``,
    ///   ``StoreError/inputOutput(_:)``
    public init(path: String, limits: RelayLimits = .standard) throws(StoreError) {
        let lock = try StoreLock(file: path + ".lock", of: path)
        file = try SQLiteFile(path: path, schema: RelaySchema.current)
        try file.readNow("table queue_change") { [states] database in try states.load(from: database) }
        self.limits = limits
        self.lock = Mutex(lock)
    }

    /// Applies the requests of many connections in one transaction with one flush.
    public func commit(_ writes: [RelayWrite]) async throws(StoreError) -> [RelayOutcome] {
        guard !writes.isEmpty else { return [] }
        return try await transact("commit") { transaction in
            try writes.map { write in try transaction.apply(write) }
        }
    }

    /// Messages of a service above a position, in order of position.
    public func deliveries(
        to service: VerificationKey, after position: UInt64, limit: Int, bytes: Int
    ) async throws(StoreError) -> [Delivery] {
        try await file.read("table message") { [states] database in
            guard let owner = try SQLiteRelayTables(database: database, states: states).service(service) else {
                return []
            }
            let start = max(position, owner.acknowledged)
            let (deliveries, isCut) = try Self.messages(
                of: owner.row, after: start, limit: ReadLimit.rows(limit), bytes: max(bytes, 1), from: database)
            return deliveries.merging(
                try Self.notices(of: owner.row, after: start, limit: limit, from: database),
                limit: ReadLimit.rows(limit), isCut: isCut)
        }
    }

    /// Messages above a position, and whether they end because of their bytes.
    private static func messages(
        of service: Int64, after position: UInt64, limit: Int, bytes: Int, from database: Database
    ) throws -> ([Delivery], isCut: Bool) {
        let sql = """
            SELECT r.ends, r.bytes, r.row, r.position, r.count, q.id FROM run r JOIN queue q ON q.row = r.queue
            WHERE r.service = ? AND r.position > ? ORDER BY r.position LIMIT ?
            """
        let rows = try database.rows(sql, [service, try position.stored, limit])
        var deliveries: [Delivery] = []
        var size = 0
        while size < bytes, deliveries.count < limit, let row = try rows.next() {
            let (last, count) = (try row.count(3, of: "run"), Int(try row.number(4, of: "run")))
            let contents = try StoredRun.contents(of: row, count: count, row: try row.number(2, of: "run"))
            guard UInt64(count) <= last else { throw StoreError.corrupted("table run, position \(last)") }
            let queue = try row.queue(5, of: "queue")
            for (index, content) in contents.enumerated() {
                let place = last - UInt64(count - 1 - index)
                guard place > position else { continue }
                guard size < bytes, deliveries.count < limit else { break }
                size += content.count
                deliveries.append(Delivery(position: place, queue: queue, bytes: content))
            }
        }
        return (deliveries, size >= bytes)
    }

    private static func notices(
        of service: Int64, after position: UInt64, limit: Int, from database: Database
    ) throws -> [Delivery] {
        let sql = """
            SELECT n.position, q.id, q.expired, q.refusal FROM notice n JOIN queue q ON q.row = n.queue
            WHERE n.service = ? AND n.position > ? ORDER BY n.position LIMIT ?
            """
        return try database.map(sql, [service, try position.stored, ReadLimit.rows(limit)]) { row in
            let refusal = QueueNotice.Refusal(rawValue: UInt8(clamping: try row.number(3, of: "queue")))
            let notice = QueueNotice(expired: try row.count(2, of: "queue"), refusal: refusal ?? .none)
            return Delivery(
                position: try row.count(0, of: "notice"), queue: try row.queue(1, of: "queue"), .notice(notice))
        }
    }

    /// The bundle that a queue shows at a time, or nil.
    public func bundle(of queue: QueueID, at now: Timestamp) async throws(StoreError) -> [UInt8]? {
        try await file.read("table bundle") { database in
            let sql = """
                SELECT b.not_before, b.expires, b.bytes FROM queue q JOIN bundle b ON b.queue = q.row WHERE q.id = ?
                """
            let bundles = try database.map(sql, [queue.array.blob]) { row in
                PublishedBundle(
                    notBefore: Timestamp(seconds: try row.count(0, of: "bundle")),
                    expires: Timestamp(seconds: try row.count(1, of: "bundle")),
                    bytes: try row.bytes(2, of: "bundle"))
            }
            return bundles.inForce(at: now)?.bytes
        }
    }

    /// Deletes messages that were stored before a moment, the oldest first.
    public func expire(storedBefore moment: Timestamp, at now: Timestamp, limit: Int) async throws(StoreError) -> Expiry
    {
        try await transact("expire") { transaction in
            try transaction.expire(storedBefore: moment, at: now, limit: ReadLimit.rows(limit))
        }
    }

    private func transact<Value: Sendable>(
        _ what: String, _ body: @escaping @Sendable (inout RelayTransaction<SQLiteRelayTables>) throws -> Value
    ) async throws(StoreError) -> Value {
        try await file.commit(what) { [limits, states] database in
            states.begin()
            var transaction = RelayTransaction(
                SQLiteRelayTables(database: database, states: states), limits: limits)
            let value = try body(&transaction)
            try transaction.finish()
            try states.write(to: database)
            return value
        }
    }

    /// What the relay keeps altogether.
    public func kept() async throws(StoreError) -> RelayKept {
        try await file.read("table kept") { [states] database in
            try SQLiteRelayTables(database: database, states: states).kept()
        }
    }

    /// Ends the use of the store and waits for the writer.
    public func close() async {
        await file.close()
        lock.withLock { $0 = nil }
    }
}
