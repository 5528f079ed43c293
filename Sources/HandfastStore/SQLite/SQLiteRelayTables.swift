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
        var statement = try queues("id = ?")
        try statement.bind(id.value.bytes)
        return try statement.step() ? try RelayQueue(statement) : nil
    }

    func queue(row: Int64) throws -> RelayQueue? {
        var statement = try queues("row = ?")
        try statement.bind(row)
        return try statement.step() ? try RelayQueue(statement) : nil
    }

    private func queues(_ condition: String) throws -> DirectStatement {
        try DirectStatement("SELECT \(Self.queueColumns) FROM queue WHERE \(condition)", of: "queue", in: database)
    }

    func insert(_ queue: RelayQueue) throws {
        try database.run(
            """
            INSERT INTO queue (id, service, capability, closed, next, chain, messages, bytes, knocks, published)
            VALUES (?, ?, ?, NULL, 0, ?, 0, 0, 0, 0)
            """, [queue.id.array.blob, queue.service, queue.capability?.array.blob, queue.chain.array.blob])
    }

    func update(_ queue: RelayQueue) throws {
        var statement = try DirectStatement(
            """
            UPDATE queue SET capability = ?, closed = ?, next = ?, chain = ?, messages = ?, bytes = ?, knocks = ?,
            published = ?, used = ?, used_at = ? WHERE row = ?
            """, of: "queue", in: database)
        try statement.bind(queue.capability)
        try statement.bind(try queue.closed?.seconds.stored)
        try statement.bind(queue.next)
        try statement.bind(queue.chain)
        try statement.bind(queue.messages)
        try statement.bind(queue.bytes)
        try statement.bind(queue.knocks)
        try statement.bind(queue.published)
        try statement.bind(queue.bucket.used)
        try statement.bind(queue.bucket.time.seconds)
        try statement.bind(queue.row)
        try statement.run()
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
        var statement = try queues("closed < ? AND messages = 0 LIMIT ?")
        try statement.bind(min(moment, RelayLimits.latestTime).seconds)
        try statement.bind(limit)
        var queues: [RelayQueue] = []
        while try statement.step() { queues.append(try RelayQueue(statement)) }
        return queues
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
    fileprivate init(_ row: borrowing DirectStatement) throws {
        self.init(
            row: try row.number(0), id: QueueID(try row.fixed(1)), service: try row.number(2),
            capability: row.isNull(3) ? nil : Digest(try row.fixed(3)),
            closed: row.isNull(4) ? nil : Timestamp(seconds: try row.count(4)), next: try row.count(5),
            chain: Digest(try row.fixed(6)), messages: try row.int(7), bytes: try row.int(8), knocks: try row.int(9),
            published: try row.int(10))
        bucket = TokenBucket(used: try row.int(11), time: Timestamp(seconds: try row.count(12)))
        policy.isPaused = try row.number(13) != 0
        policy.messagesPerHour = try row.int(14)
        policy.burst = try row.int(15)
        policy.waitingBytes = try row.int(16)
        policy.messageBytes = try row.int(17)
        policy.retentionSeconds = try row.int(18)
        guard policy.isValid, bucket.used >= 0,
            let refusal = QueueNotice.Refusal(rawValue: UInt8(clamping: try row.number(20)))
        else { throw StoreError.corrupted("table queue, row \(self.row)") }
        notice = RelayNotice(
            expired: try row.count(19), refusal: refusal, position: try row.count(21),
            time: Timestamp(seconds: try row.count(22)))
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
