internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastStore

/// A relay's rows in PostgreSQL.
///
/// Several relays may work on the same tables: whoever has locked a service's row may read and write its queues and
/// messages.
struct PostgresRelayTables: RelayTables {
    private let transaction: PostgresTransaction
    private var rows: PostgresRelayRows
    /// What services have acknowledged in this batch and was deleted ahead.
    private var acknowledged: [Acknowledgement: [RelayLoss]] = [:]

    private struct Acknowledgement: Hashable {
        let service: Int64
        let position: UInt64
    }

    init(_ transaction: PostgresTransaction, _ places: QueuePlaces) {
        self.transaction = transaction
        rows = PostgresRelayRows(transaction, places)
    }

    // MARK: Reading ahead

    /// Locks and reads in a few round trips what a batch is about.
    mutating func prepare(for writes: [RelayWrite]) throws {
        try rows.prepare(for: writes)
        try deleteAcknowledged(by: writes)
    }

    /// Deletes what the batch acknowledges, as far as its rules will let it, and reads the queues that it was in.
    private mutating func deleteAcknowledged(by writes: [RelayWrite]) throws {
        var subjects: [Acknowledgement] = []
        for case .acknowledge(let key, let position) in writes {
            guard let service = rows.locked(key), position > service.acknowledged, position <= service.last else {
                continue
            }
            subjects.append(Acknowledgement(service: service.row, position: position))
        }
        guard !subjects.isEmpty else { return }
        let answers = try transaction.rows(
            changing: try subjects.map { subject throws in
                try Self.deletion(ofService: subject.service, through: subject.position)
            })
        for (subject, answer) in zip(subjects, answers) {
            // A second acknowledgement up to the same position finds nothing more to delete.
            acknowledged[subject, default: []] += try answer.map { try RelayLoss($0) }
        }
        try rows.load(acknowledged.values.joined().map(\.queue))
    }

    private static func deletion(ofService row: Int64, through position: UInt64) throws -> PostgresStatement {
        PostgresStatement(
            """
            WITH gone AS (
                DELETE FROM message WHERE bucket = $1 AND service = $2 AND position <= $3 RETURNING queue, size)
            SELECT queue, count(*), sum(size)::bigint FROM gone GROUP BY queue
            """, [Bucket(ofRow: row).value, .number(row), try position.stored])
    }

    // MARK: Services

    mutating func service(_ key: VerificationKey) throws -> RelayService? { try rows.service(key) }

    mutating func service(row: Int64) throws -> RelayService? { try rows.service(row: row) }

    mutating func insert(service key: VerificationKey) throws -> RelayService {
        let bucket = Bucket(of: key.array)
        let service = RelayService(row: bucket.newRow(), key: key)
        try transaction.run(
            "INSERT INTO service (bucket, row, key, acknowledged, last, queues, kept) VALUES ($1, $2, $3, 0, 0, 0, 0)",
            [bucket.value, .number(service.row), .bytes(key.array)])
        rows.remember(service)
        return service
    }

    mutating func update(_ service: RelayService) throws {
        try transaction.run(
            "UPDATE service SET acknowledged = $3, last = $4, queues = $5, kept = $6 WHERE bucket = $1 AND row = $2",
            [
                Bucket(ofRow: service.row).value, .number(service.row), try service.acknowledged.stored,
                try service.last.stored, .number(service.queues), .number(service.kept),
            ])
    }

    mutating func delete(_ service: RelayService) throws {
        try transaction.run(
            "DELETE FROM service WHERE bucket = $1 AND row = $2",
            [Bucket(ofRow: service.row).value, .number(service.row)])
        rows.forget(service)
    }

    mutating func hasClosedQueues(ofService row: Int64) throws -> Bool {
        try transaction.rows(
            "SELECT 1::bigint FROM queue WHERE bucket = $1 AND service = $2 AND closed IS NOT NULL LIMIT 1",
            [Bucket(ofRow: row).value, .number(row)]
        ).count > 0
    }

    // MARK: Queues

    mutating func queue(_ id: QueueID) throws -> RelayQueue? { try rows.queue(id) }

    mutating func queue(row: Int64) throws -> RelayQueue? { try rows.queue(row: row) }

    mutating func insert(_ queue: RelayQueue) throws {
        let bucket = Bucket(ofRow: queue.service)
        var queue = queue
        queue.row = bucket.newRow()
        try transaction.run(
            "INSERT INTO place (bucket, id, queue, service) VALUES ($1, $2, $3, $4)",
            [Bucket(of: queue.id.array).value, .bytes(queue.id.array), .number(queue.row), .number(queue.service)])
        try transaction.run(
            """
            INSERT INTO queue (
                bucket, row, id, service, capability, next, chain, messages, bytes, knocks, published, used, used_at,
                paused, rate, burst, waiting_bytes, message_bytes, retention, expired, refusal, noticed, noticed_at)
            VALUES ($1, $2, $3, $4, $5, 0, $6, 0, 0, 0, 0, 0, 0, false, 0, 0, 0, 0, 0, 0, 0, 0, 0)
            """,
            [
                bucket.value, .number(queue.row), .bytes(queue.id.array), .number(queue.service),
                .optional(queue.capability?.array), .bytes(queue.chain.array),
            ])
        rows.remember(queue)
    }

    mutating func update(_ queue: RelayQueue) throws {
        try transaction.run(
            """
            UPDATE queue SET next = $3, chain = $4, messages = $5, bytes = $6, used = $7, used_at = $8
            WHERE bucket = $1 AND row = $2
            """,
            [
                Bucket(ofRow: queue.row).value, .number(queue.row), try queue.next.stored, .bytes(queue.chain.array),
                .number(queue.messages), .number(queue.bytes), .number(queue.bucket.used),
                try queue.bucket.time.seconds.stored,
            ])
    }

    mutating func subtract(_ loss: RelayLoss) throws {
        // It was read with the service's lock, when the loss was counted.
        guard var queue = try rows.queue(row: loss.queue) else { return }
        queue.subtract(loss)
        rows.remember(queue)
        try update(queue)
    }

    mutating func updateSettings(of queue: RelayQueue) throws {
        let (policy, notice) = (queue.policy, queue.notice)
        try transaction.run(
            """
            UPDATE queue SET capability = $3, closed = $4, knocks = $5, published = $6, paused = $7, rate = $8,
            burst = $9, waiting_bytes = $10, message_bytes = $11, retention = $12, expired = $13, refusal = $14,
            noticed = $15, noticed_at = $16 WHERE bucket = $1 AND row = $2
            """,
            [
                Bucket(ofRow: queue.row).value, .number(queue.row), .optional(queue.capability?.array),
                try queue.closed.map { closed throws in try closed.seconds.stored } ?? .null, .number(queue.knocks),
                .number(queue.published), .flag(policy.isPaused), .number(policy.messagesPerHour),
                .number(policy.burst), .number(policy.waitingBytes), .number(policy.messageBytes),
                .number(policy.retentionSeconds), try notice.expired.stored, .number(Int(notice.refusal.rawValue)),
                try notice.position.stored, try notice.time.seconds.stored,
            ])
    }

    mutating func emptyQueues(closedBefore moment: Timestamp, limit: Int) throws -> [RelayQueue] {
        let found = try transaction.rows(
            "SELECT row, service FROM queue WHERE closed < $1 AND messages = 0 LIMIT $2",
            [try min(moment, RelayLimits.latestTime).seconds.stored, .number(limit)]
        ).map { row in (queue: try row.number(0, of: "queue"), service: try row.number(1, of: "queue")) }
        // Read again under the lock: another relay may have deleted it meanwhile.
        for (queue, _) in found { rows.forget(queue) }
        try rows.lock(Set(found.map(\.service)), reading: found.map(\.queue))
        return found.compactMap { rows.locked(queue: $0.queue) }
    }

    mutating func delete(_ queue: RelayQueue) throws {
        try transaction.run(
            "DELETE FROM place WHERE bucket = $1 AND id = $2",
            [Bucket(of: queue.id.array).value, .bytes(queue.id.array)])
        try transaction.run(
            "DELETE FROM queue WHERE bucket = $1 AND row = $2",
            [Bucket(ofRow: queue.row).value, .number(queue.row)])
        try deleteNotices(ofService: queue.service, in: queue.notice.position...queue.notice.position)
        rows.forget(queue.row)
    }

    // MARK: Notices

    mutating func insertNotice(_ queue: RelayQueue) throws {
        try transaction.run(
            "INSERT INTO notice (bucket, service, position, queue) VALUES ($1, $2, $3, $4)",
            [
                Bucket(ofRow: queue.service).value, .number(queue.service), try queue.notice.position.stored,
                .number(queue.row),
            ])
    }

    mutating func deleteNotices(ofService row: Int64, in positions: ClosedRange<UInt64>) throws {
        try transaction.run(
            "DELETE FROM notice WHERE bucket = $1 AND service = $2 AND position BETWEEN $3 AND $4",
            [
                Bucket(ofRow: row).value, .number(row), try positions.lowerBound.stored,
                try positions.upperBound.stored,
            ])
    }

    // MARK: Room

    mutating func kept() throws -> RelayKept {
        if rows.kept == nil { try rows.lock([], reading: []) }
        return rows.kept ?? RelayKept()
    }

    mutating func setKept(_ kept: RelayKept) throws {
        let before = try self.kept()
        // Each connection adds to a row of its own, so that commits do not wait for each other.
        transaction.growth = kept.bytes - before.bytes
        if kept.queues != before.queues { try transaction.countOpened(kept.queues - before.queues) }
    }

    // MARK: Knock queues

    mutating func admits(_ knock: Knock, queue row: Int64) throws -> Bool {
        try transaction.rows(
            "SELECT 1::bigint FROM admitted WHERE bucket = $1 AND queue = $2 AND knock = $3",
            [Bucket(ofRow: row).value, .number(row), .bytes(knock.digest.array)]
        ).count > 0
    }

    mutating func admitted(queue row: Int64) throws -> Set<Knock> {
        Set(
            try transaction.rows(
                "SELECT knock FROM admitted WHERE bucket = $1 AND queue = $2",
                [Bucket(ofRow: row).value, .number(row)]
            ).map { row in Knock(try row.digest(0, of: "admitted")) })
    }

    mutating func insertAdmitted(_ knock: Knock, queue row: Int64) throws {
        try transaction.run(
            "INSERT INTO admitted (bucket, queue, knock) VALUES ($1, $2, $3)",
            [Bucket(ofRow: row).value, .number(row), .bytes(knock.digest.array)])
    }

    mutating func deleteAdmitted(_ knock: Knock, queue row: Int64) throws {
        for table in ["admitted", "hello"] {
            try transaction.run(
                "DELETE FROM \(table) WHERE bucket = $1 AND queue = $2 AND knock = $3",
                [Bucket(ofRow: row).value, .number(row), .bytes(knock.digest.array)])
        }
    }

    mutating func hellos(of knock: Knock, queue row: Int64) throws -> [RelayHello] {
        try transaction.rows(
            "SELECT hash, time FROM hello WHERE bucket = $1 AND queue = $2 AND knock = $3",
            [Bucket(ofRow: row).value, .number(row), .bytes(knock.digest.array)]
        ).map { row in
            RelayHello(hash: try row.digest(0, of: "hello"), time: Timestamp(seconds: try row.count(1, of: "hello")))
        }
    }

    mutating func insert(_ hello: RelayHello, of knock: Knock, queue row: Int64) throws {
        try transaction.run(
            "INSERT INTO hello (bucket, queue, knock, hash, time) VALUES ($1, $2, $3, $4, $5)",
            [
                Bucket(ofRow: row).value, .number(row), .bytes(knock.digest.array), .bytes(hello.hash.array),
                try hello.time.seconds.stored,
            ])
    }

    mutating func deleteHellos(ofQueue row: Int64, storedBefore moment: Timestamp) throws {
        try transaction.run(
            "DELETE FROM hello WHERE bucket = $1 AND queue = $2 AND time < $3",
            [Bucket(ofRow: row).value, .number(row), try min(moment, RelayLimits.latestTime).seconds.stored])
    }

    mutating func setBundles(_ bundles: [PublishedBundle], queue row: Int64) throws {
        try transaction.run(
            "DELETE FROM bundle WHERE bucket = $1 AND queue = $2", [Bucket(ofRow: row).value, .number(row)])
        for (number, bundle) in bundles.enumerated() {
            try transaction.run(
                """
                INSERT INTO bundle (bucket, queue, number, not_before, expires, bytes) VALUES ($1, $2, $3, $4, $5, $6)
                """,
                [
                    Bucket(ofRow: row).value, .number(row), .number(number), try bundle.notBefore.seconds.stored,
                    try bundle.expires.seconds.stored, .bytes(bundle.bytes),
                ])
        }
    }

    // MARK: Messages

    mutating func append(_ run: RelayRun) throws {
        let (bucket, service) = (Bucket(ofRow: run.service).value, PostgresValue.number(run.service))
        let expires = try run.expires.map { expires throws in try expires.seconds.stored } ?? .null
        for (index, bytes) in run.contents.enumerated() {
            try transaction.run(
                """
                INSERT INTO message (bucket, service, position, queue, time, expires, size, bytes)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                """,
                [
                    bucket, service, try (run.first + UInt64(index)).stored, .number(run.queue),
                    try run.time.seconds.stored, expires, .number(bytes.count), .bytes(bytes),
                ])
        }
    }

    mutating func deleteMessages(ofService row: Int64, through position: UInt64) throws -> [RelayLoss] {
        if let losses = acknowledged.removeValue(forKey: Acknowledgement(service: row, position: position)) {
            return losses
        }
        let statement = try Self.deletion(ofService: row, through: position)
        let losses = try transaction.rows(changing: [statement]).flatMap { try $0.map { try RelayLoss($0) } }
        try rows.load(losses.map(\.queue))
        return losses
    }

    mutating func deleteMessages(storedBefore moment: Timestamp, limit: Int) throws -> [RelayLoss] {
        try deleteMessages(
            "SELECT service, position FROM message WHERE time < $1 ORDER BY time, bucket, service, position LIMIT $2",
            [try min(moment, RelayLimits.latestTime).seconds.stored, .number(limit)])
    }

    mutating func deleteMessages(expiredAt now: Timestamp, limit: Int) throws -> [RelayLoss] {
        try deleteMessages(
            """
            SELECT service, position FROM message WHERE expires <= $1
            ORDER BY expires, bucket, service, position LIMIT $2
            """, [try min(now, RelayLimits.latestTime).seconds.stored, .number(limit)])
    }

    /// Deletes the messages that a question finds, once their services are locked.
    private mutating func deleteMessages(_ question: String, _ values: [PostgresValue]) throws -> [RelayLoss] {
        let found = try transaction.rows(question, values).map { row in
            (service: try row.number(0, of: "message"), position: try row.number(1, of: "message"))
        }
        let positions = Dictionary(grouping: found, by: \.service).mapValues { $0.map(\.position) }
        try rows.lock(Set(positions.keys), reading: [])
        let answers = try transaction.rows(
            changing: positions.map { service, positions in
                PostgresStatement(
                    """
                    WITH gone AS (
                        DELETE FROM message WHERE bucket = $1 AND service = $2 AND position = ANY ($3)
                        RETURNING queue, size, time)
                    SELECT queue, count(*), sum(size)::bigint, max(time) FROM gone GROUP BY queue
                    """, [Bucket(ofRow: service).value, .number(service), .numbers(positions)])
            })
        let losses = try answers.flatMap { try $0.map { try RelayLoss(ofExpiry: $0) } }
        try rows.load(losses.map(\.queue))
        return losses
    }
}

extension PostgresTransaction {
    /// Into so many rows the count of open queues is parted.
    private static let openedParts: Int64 = 16

    /// Counts queues that were opened, or closed; the last that a transaction does, so that nobody waits for it long.
    func countOpened(_ count: Int) throws {
        try run(
            """
            INSERT INTO opened (bucket, part, queues) VALUES (0, $1, $2)
            ON CONFLICT (bucket, part) DO UPDATE SET queues = opened.queues + excluded.queues
            """, [.number(Int64.random(in: 0..<Self.openedParts)), .number(count)])
    }
}
