public import HandfastChannel
public import HandfastCrypto
public import HandfastStore

/// A relay's store in PostgreSQL. Any number of relays may work on the same one at the same time.
///
/// - Source: Spec/08 §8.5
public final class PostgresRelayStore: RelayStore {
    /// The schema of a relay's tables.
    public static let usualSchema = "handfast_relay"

    private let database: PostgresDatabase
    private let limits: RelayLimits
    private let places = QueuePlaces()

    /// Connects, makes the tables where they are missing, and brings those of an earlier version to this one.
    ///
    /// - Parameters:
    ///   - schema: 1…63 of a…z, 0…9 and _.
    ///   - connections: connections at most, 1…64.
    /// - Throws: ``StoreError/notAVault(path:)``, ``StoreError/newerVersion(path:)``,
    ///   ``StoreError/unsafeDurability(_:)``, ``StoreError/corrupted(_:)``, ``StoreError/inputOutput(_:)``
    public init(
        _ address: PostgresAddress, schema: String = PostgresRelayStore.usualSchema, limits: RelayLimits = .standard,
        connections: Int = 4
    ) throws(StoreError) {
        // A row that another relay made in the same moment is found when the transaction is run again.
        database = try PostgresDatabase(
            address, schema: schema, layout: PostgresRelayLayout.current, connections: connections,
            repeating: ["23505"])
        self.limits = limits
    }

    /// Applies the requests of many connections in one transaction with one flush.
    public func commit(_ writes: [RelayWrite]) async throws(StoreError) -> [RelayOutcome] {
        guard !writes.isEmpty else { return [] }
        return try await database.commit("commit") { [limits, places] transaction in
            var tables = PostgresRelayTables(transaction, places)
            try tables.prepare(for: writes)
            var rules = RelayTransaction(tables, limits: limits)
            let outcomes = try writes.map { write in try rules.apply(write) }
            try rules.finish()
            return outcomes
        }
    }

    /// Messages of a service above a position, in order of position.
    public func deliveries(
        to service: VerificationKey, after position: UInt64, limit: Int, bytes: Int
    ) async throws(StoreError) -> [Delivery] {
        let bucket = Bucket(of: service.array).value
        let limit = ReadLimit.rows(limit)
        return try await database.read("table message") { transaction in
            let values = [bucket, .bytes(service.array), try position.clamped, .number(limit)]
            let answers = try transaction.rows(ofAll: [
                // Up to the message that reaches the bytes; sizes are summed without reading the contents.
                PostgresStatement(
                    """
                    SELECT m.position, q.id, m.bytes, c.before + c.size >= $5 FROM (
                        SELECT w.service, w.position, w.size,
                            (sum(w.size) OVER (ORDER BY w.position) - w.size)::bigint AS before
                        FROM (
                            SELECT e.service, e.position, e.size FROM service s
                            JOIN message e ON e.bucket = s.bucket AND e.service = s.row
                            WHERE s.bucket = $1 AND s.key = $2 AND e.position > greatest($3, s.acknowledged)
                            ORDER BY e.position LIMIT $4) w) c
                    JOIN message m ON m.bucket = $1 AND m.service = c.service AND m.position = c.position
                    JOIN queue q ON q.bucket = $1 AND q.row = m.queue
                    WHERE c.before < $5 ORDER BY m.position
                    """, values + [.number(max(bytes, 1))]),
                PostgresStatement(
                    """
                    SELECT n.position, q.id, q.expired, q.refusal FROM service s
                    JOIN notice n ON n.bucket = s.bucket AND n.service = s.row
                    JOIN queue q ON q.bucket = n.bucket AND q.row = n.queue
                    WHERE s.bucket = $1 AND s.key = $2 AND n.position > greatest($3, s.acknowledged)
                    ORDER BY n.position LIMIT $4
                    """, values),
            ])
            var isCut = false
            let messages = try answers[0].map { row in
                if try row.number(3, of: "message") != 0 { isCut = true }
                return Delivery(
                    position: try row.count(0, of: "message"), queue: try row.queue(1, of: "queue"),
                    bytes: try row.bytes(2, of: "message"))
            }
            let notices = try answers[1].map { row in
                let refusal = QueueNotice.Refusal(rawValue: UInt8(clamping: try row.number(3, of: "queue")))
                let notice = QueueNotice(expired: try row.count(2, of: "queue"), refusal: refusal ?? .none)
                return Delivery(
                    position: try row.count(0, of: "notice"), queue: try row.queue(1, of: "queue"), .notice(notice))
            }
            return messages.merging(notices, limit: limit, isCut: isCut)
        }
    }

    /// The bundle that a queue shows at a time, or nil.
    public func bundle(of queue: QueueID, at now: Timestamp) async throws(StoreError) -> [UInt8]? {
        try await database.read("table bundle") { transaction in
            let bundles = try transaction.rows(
                """
                SELECT b.not_before, b.expires, b.bytes FROM place p
                JOIN bundle b ON b.bucket = ((p.queue >> 49) & 16383)::smallint AND b.queue = p.queue
                WHERE p.bucket = $1 AND p.id = $2 ORDER BY b.number
                """, [Bucket(of: queue.array).value, .bytes(queue.array)]
            ).map { row in
                PublishedBundle(
                    notBefore: Timestamp(seconds: try row.count(0, of: "bundle")),
                    expires: Timestamp(seconds: try row.count(1, of: "bundle")), bytes: try row.bytes(2, of: "bundle"))
            }
            return bundles.inForce(at: now)?.bytes
        }
    }

    /// Deletes messages that were stored before a moment, the oldest first.
    public func expire(storedBefore moment: Timestamp, at now: Timestamp, limit: Int) async throws(StoreError) -> Expiry
    {
        try await database.commit("expire") { [limits, places] transaction in
            var rules = RelayTransaction(PostgresRelayTables(transaction, places), limits: limits)
            let expiry = try rules.expire(storedBefore: moment, at: now, limit: ReadLimit.rows(limit))
            try rules.finish()
            return expiry
        }
    }

    /// What the relay keeps altogether.
    public func kept() async throws(StoreError) -> RelayKept {
        try await database.read("table writer") { transaction in
            var tables = PostgresRelayTables(transaction, QueuePlaces())
            return try tables.kept()
        }
    }

    /// One second: what another relay has stored is delivered by then.
    public var pollInterval: Duration? { .seconds(1) }

    /// The position of the last message of each of these services that the store knows.
    public func lastPositions(of services: [VerificationKey]) async throws(StoreError) -> [VerificationKey: UInt64] {
        try await database.read("table service") { transaction in
            let answers = try transaction.rows(
                ofAll: services.map { key in
                    PostgresStatement(
                        "SELECT last FROM service WHERE bucket = $1 AND key = $2",
                        [Bucket(of: key.array).value, .bytes(key.array)])
                })
            var positions: [VerificationKey: UInt64] = [:]
            for (key, answer) in zip(services, answers) {
                if let row = answer.first { positions[key] = try row.count(0, of: "service") }
            }
            return positions
        }
    }

    /// Waits for what is under way, and disconnects.
    public func close() async {
        await database.close()
    }
}

extension UInt64 {
    /// A position to read from: none is above 2⁶³ − 1.
    fileprivate var clamped: PostgresValue {
        get throws(StoreError) { try Swift.min(self, UInt64(Int64.max)).stored }
    }
}
