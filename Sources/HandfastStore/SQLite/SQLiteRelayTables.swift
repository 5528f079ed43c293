internal import Foundation
internal import GRDB
internal import HandfastChannel
internal import HandfastCrypto

/// A relay's rows in SQLite.
struct SQLiteRelayTables: RelayTables {
    let database: Database

    private static let serviceColumns = "row, key, acknowledged, last, queues"
    private static let queueColumns =
        """
        row, id, service, capability, closed, next, chain, messages, bytes, knocks, published, used, used_at, paused, rate,
        burst, waiting_bytes, message_bytes, retention, expired, refusal, noticed, noticed_at
        """

    func service(_ key: VerificationKey) throws -> RelayService? {
        try database.row("SELECT \(Self.serviceColumns) FROM service WHERE key = ?", [key.array.blob])
            .map(RelayService.init)
    }

    func service(row: Int64) throws -> RelayService? {
        try database.row("SELECT \(Self.serviceColumns) FROM service WHERE row = ?", [row]).map(RelayService.init)
    }

    func insert(service key: VerificationKey) throws -> RelayService {
        try database.run(
            "INSERT INTO service (key, acknowledged, last, queues) VALUES (?, 0, 0, 0)", [key.array.blob])
        return RelayService(row: database.lastInsertedRowID, key: key)
    }

    func update(_ service: RelayService) throws {
        try database.run(
            "UPDATE service SET acknowledged = ?, last = ?, queues = ? WHERE row = ?",
            [try service.acknowledged.stored, try service.last.stored, service.queues, service.row])
    }

    func queue(_ id: QueueID) throws -> RelayQueue? {
        try database.row("SELECT \(Self.queueColumns) FROM queue WHERE id = ?", [id.array.blob])
            .map(RelayQueue.init)
    }

    func queue(row: Int64) throws -> RelayQueue? {
        try database.row("SELECT \(Self.queueColumns) FROM queue WHERE row = ?", [row]).map(RelayQueue.init)
    }

    func insert(_ queue: RelayQueue) throws {
        try database.run(
            """
            INSERT INTO queue (id, service, capability, closed, next, chain, messages, bytes, knocks, published)
            VALUES (?, ?, ?, NULL, 0, ?, 0, 0, 0, 0)
            """, [queue.id.array.blob, queue.service, queue.capability?.array.blob, queue.chain.array.blob])
    }

    func update(_ queue: RelayQueue) throws {
        try database.run(
            """
            UPDATE queue SET capability = ?, closed = ?, next = ?, chain = ?, messages = ?, bytes = ?, knocks = ?,
            published = ?, used = ?, used_at = ? WHERE row = ?
            """,
            [
                queue.capability?.array.blob, try queue.closed?.seconds.stored, try queue.next.stored,
                queue.chain.array.blob, queue.messages, queue.bytes, queue.knocks, queue.published,
                queue.bucket.used, try queue.bucket.time.seconds.stored, queue.row,
            ])
    }

    func updatePolicy(_ queue: RelayQueue) throws {
        let (policy, notice) = (queue.policy, queue.notice)
        try database.run(
            """
            UPDATE queue SET paused = ?, rate = ?, burst = ?, waiting_bytes = ?, message_bytes = ?, retention = ?,
            expired = ?, refusal = ?, noticed = ?, noticed_at = ? WHERE row = ?
            """,
            [
                policy.isPaused, policy.messagesPerHour, policy.burst, policy.waitingBytes, policy.messageBytes,
                policy.retentionSeconds, try notice.expired.stored, Int(notice.refusal.rawValue),
                try notice.position.stored, try notice.time.seconds.stored, queue.row,
            ])
    }

    func emptyQueues(closedBefore moment: Timestamp, limit: Int) throws -> [RelayQueue] {
        try database.map(
            "SELECT \(Self.queueColumns) FROM queue WHERE closed < ? AND messages = 0 LIMIT ?",
            [try min(moment, RelayLimits.latestTime).seconds.stored, limit], RelayQueue.init)
    }

    func delete(_ queue: RelayQueue) throws {
        try database.run("DELETE FROM queue WHERE row = ?", [queue.row])
        try deleteNotices(ofService: queue.service, in: queue.notice.position...queue.notice.position)
    }

    func insertNotice(_ queue: RelayQueue) throws {
        try database.run(
            "INSERT INTO notice (service, position, queue) VALUES (?, ?, ?)",
            [queue.service, try queue.notice.position.stored, queue.row])
    }

    func deleteNotices(ofService row: Int64, in positions: ClosedRange<UInt64>) throws {
        try database.run(
            "DELETE FROM notice WHERE service = ? AND position BETWEEN ? AND ?",
            [row, try positions.lowerBound.stored, try positions.upperBound.stored])
    }

    func keptBytes() throws -> Int {
        guard let row = try database.row("SELECT bytes FROM kept", []) else {
            throw StoreError.corrupted("table kept is empty")
        }
        return Int(try row.number(0, of: "kept"))
    }

    func setKeptBytes(_ count: Int) throws {
        try database.run("UPDATE kept SET bytes = ?", [count])
    }

    func admits(_ knock: Knock, queue row: Int64) throws -> Bool {
        try database.row(
            "SELECT 1 FROM admitted WHERE queue = ? AND knock = ?", [row, knock.digest.array.blob]) != nil
    }

    func admitted(queue row: Int64) throws -> Set<Knock> {
        Set(
            try database.map("SELECT knock FROM admitted WHERE queue = ?", [row]) { row in
                Knock(try row.digest(0, of: "admitted"))
            })
    }

    func insertAdmitted(_ knock: Knock, queue row: Int64) throws {
        try database.run("INSERT INTO admitted (queue, knock) VALUES (?, ?)", [row, knock.digest.array.blob])
    }

    func deleteAdmitted(_ knock: Knock, queue row: Int64) throws {
        for table in ["admitted", "hello"] {
            try database.run("DELETE FROM \(table) WHERE queue = ? AND knock = ?", [row, knock.digest.array.blob])
        }
    }

    func hellos(of knock: Knock, queue row: Int64) throws -> [RelayHello] {
        try database.map("SELECT hash, time FROM hello WHERE queue = ? AND knock = ?", [row, knock.digest.array.blob]) {
            row in
            RelayHello(
                hash: try row.digest(0, of: "hello"), time: Timestamp(seconds: try row.count(1, of: "hello")))
        }
    }

    func insert(_ hello: RelayHello, of knock: Knock, queue row: Int64) throws {
        try database.run(
            "INSERT INTO hello (queue, knock, hash, time) VALUES (?, ?, ?, ?)",
            [row, knock.digest.array.blob, hello.hash.array.blob, try hello.time.seconds.stored])
    }

    func setBundles(_ bundles: [PublishedBundle], queue row: Int64) throws {
        try database.run("DELETE FROM bundle WHERE queue = ?", [row])
        for bundle in bundles {
            try database.run(
                "INSERT INTO bundle (queue, not_before, expires, bytes) VALUES (?, ?, ?, ?)",
                [row, try bundle.notBefore.seconds.stored, try bundle.expires.seconds.stored, bundle.bytes.blob])
        }
    }
}

extension RelayService {
    fileprivate init(_ row: Row) throws {
        guard let key = try? VerificationKey(FixedBytes<32>(copying: row.bytes(1, of: "service"))) else {
            throw StoreError.corrupted("table service, row \(try row.number(0, of: "service"))")
        }
        self.init(
            row: try row.number(0, of: "service"), key: key, acknowledged: try row.count(2, of: "service"),
            last: try row.count(3, of: "service"), queues: Int(try row.number(4, of: "service")))
    }
}

extension RelayQueue {
    fileprivate init(_ row: Row) throws {
        let capability = try row.optionalBytes(3, of: "queue") == nil ? nil : try row.digest(3, of: "queue")
        self.init(
            row: try row.number(0, of: "queue"), id: try row.queue(1, of: "queue"),
            service: try row.number(2, of: "queue"), capability: capability,
            closed: try row.optionalNumber(4, of: "queue").map(Timestamp.init(seconds:)),
            next: try row.count(5, of: "queue"), chain: try row.digest(6, of: "queue"),
            messages: Int(try row.number(7, of: "queue")), bytes: Int(try row.number(8, of: "queue")),
            knocks: Int(try row.number(9, of: "queue")), published: Int(try row.number(10, of: "queue")))
        bucket = TokenBucket(
            used: Int(try row.number(11, of: "queue")), time: Timestamp(seconds: try row.count(12, of: "queue")))
        policy.isPaused = try row.number(13, of: "queue") != 0
        policy.messagesPerHour = Int(try row.number(14, of: "queue"))
        policy.burst = Int(try row.number(15, of: "queue"))
        policy.waitingBytes = Int(try row.number(16, of: "queue"))
        policy.messageBytes = Int(try row.number(17, of: "queue"))
        policy.retentionSeconds = Int(try row.number(18, of: "queue"))
        guard policy.isValid, bucket.used >= 0,
            let refusal = QueueNotice.Refusal(rawValue: UInt8(clamping: try row.number(20, of: "queue")))
        else { throw StoreError.corrupted("table queue, row \(try row.number(0, of: "queue"))") }
        notice = RelayNotice(
            expired: try row.count(19, of: "queue"), refusal: refusal, position: try row.count(21, of: "queue"),
            time: Timestamp(seconds: try row.count(22, of: "queue")))
    }
}

extension Row {
    fileprivate func digest(_ column: Int, of table: StaticString) throws(StoreError) -> Digest {
        guard let value = try? FixedBytes<32>(copying: try bytes(column, of: table)) else {
            throw .corrupted("table \(table), column \(column)")
        }
        return Digest(value)
    }

    func queue(_ column: Int, of table: StaticString) throws(StoreError) -> QueueID {
        guard let value = try? FixedBytes<16>(copying: try bytes(column, of: table)) else {
            throw .corrupted("table \(table), column \(column)")
        }
        return QueueID(value)
    }
}
