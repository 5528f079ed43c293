internal import Foundation
internal import GRDB
internal import HandfastChannel
internal import HandfastCrypto

/// A relay's rows in SQLite.
struct SQLiteRelayTables: RelayTables {
    let database: Database
    let states: QueueStates

    private static let serviceColumns = "row, key, acknowledged, last, queues, kept"
    private static let queueColumns =
        """
        row, id, service, capability, closed, knocks, published, paused, rate, burst, waiting_bytes, message_bytes,
        retention, expired, refusal, noticed, noticed_at
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
            "INSERT INTO service (key, acknowledged, last, queues, kept) VALUES (?, 0, 0, 0, 0)", [key.array.blob])
        return RelayService(row: database.lastInsertedRowID, key: key)
    }

    func update(_ service: RelayService) throws {
        try database.run(
            "UPDATE service SET acknowledged = ?, last = ?, queues = ?, kept = ? WHERE row = ?",
            [
                try service.acknowledged.stored, try service.last.stored, service.queues, service.kept, service.row,
            ])
    }

    func delete(_ service: RelayService) throws {
        try database.run("DELETE FROM service WHERE row = ?", [service.row])
    }

    func hasClosedQueues(ofService row: Int64) throws -> Bool {
        let sql = "SELECT 1 FROM queue WHERE service = ? AND closed IS NOT NULL LIMIT 1"
        return try database.row(sql, [row]) != nil
    }

    func queue(_ id: QueueID) throws -> RelayQueue? {
        if var queue = states.known(id) {
            queue.take(try states.state(ofQueue: queue.row))
            return queue
        }
        var statement = try queues("id = ?")
        try statement.bind(id.value.bytes)
        guard try statement.step() else { return nil }
        let queue = try queue(statement)
        states.remember(queue)
        return queue
    }

    func queue(row: Int64) throws -> RelayQueue? {
        var statement = try queues("row = ?")
        try statement.bind(row)
        return try statement.step() ? try queue(statement) : nil
    }

    private func queue(_ row: borrowing DirectStatement) throws -> RelayQueue {
        var queue = try RelayQueue(row)
        queue.take(try states.state(ofQueue: queue.row))
        return queue
    }

    private func queues(_ condition: String) throws -> DirectStatement {
        try DirectStatement("SELECT \(Self.queueColumns) FROM queue WHERE \(condition)", of: "queue", in: database)
    }

    func insert(_ queue: RelayQueue) throws {
        try database.run(
            """
            INSERT INTO queue (id, service, capability, closed, knocks, published) VALUES (?, ?, ?, NULL, 0, 0)
            """, [queue.id.array.blob, queue.service, queue.capability?.array.blob])
    }

    func update(_ queue: RelayQueue) throws {
        states.set(QueueState(of: queue), ofQueue: queue.row)
    }

    func subtract(_ loss: RelayLoss) throws {
        var state = try states.state(ofQueue: loss.queue)
        state.subtract(loss)
        states.set(state, ofQueue: loss.queue)
    }

    func updateSettings(of queue: RelayQueue) throws {
        states.forget(queue.id)
        let (policy, notice) = (queue.policy, queue.notice)
        try database.run(
            """
            UPDATE queue SET capability = ?, closed = ?, knocks = ?, published = ?, paused = ?, rate = ?, burst = ?,
            waiting_bytes = ?, message_bytes = ?, retention = ?, expired = ?, refusal = ?, noticed = ?, noticed_at = ?
            WHERE row = ?
            """,
            [
                queue.capability?.array.blob, try queue.closed?.seconds.stored, queue.knocks, queue.published,
                policy.isPaused, policy.messagesPerHour, policy.burst, policy.waitingBytes, policy.messageBytes,
                policy.retentionSeconds, try notice.expired.stored, Int(notice.refusal.rawValue),
                try notice.position.stored, try notice.time.seconds.stored, queue.row,
            ])
    }

    func emptyQueues(closedBefore moment: Timestamp, limit: Int) throws -> [RelayQueue] {
        // What waits in a queue is older than its end, so of those that closed so long ago few have anything left.
        var statement = try queues("closed < ? ORDER BY closed")
        try statement.bind(min(moment, RelayLimits.latestTime).seconds)
        var empty: [RelayQueue] = []
        while empty.count < limit, try statement.step() {
            let queue = try queue(statement)
            if queue.messages == 0 { empty.append(queue) }
        }
        return empty
    }

    func delete(_ queue: RelayQueue) throws {
        states.forget(queue.id)
        try database.run("DELETE FROM queue WHERE row = ?", [queue.row])
        // The next queue may get its number.
        states.set(QueueState(), ofQueue: queue.row)
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

    func kept() throws -> RelayKept {
        guard let row = try database.row("SELECT bytes, queues FROM kept", []) else {
            throw StoreError.corrupted("table kept is empty")
        }
        return RelayKept(bytes: Int(try row.number(0, of: "kept")), queues: Int(try row.number(1, of: "kept")))
    }

    func setKept(_ kept: RelayKept) throws {
        try database.run("UPDATE kept SET bytes = ?, queues = ?", [kept.bytes, kept.queues])
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

    func deleteHellos(ofQueue row: Int64, storedBefore moment: Timestamp) throws {
        try database.run(
            "DELETE FROM hello WHERE queue = ? AND time < ?",
            [row, try min(moment, RelayLimits.latestTime).seconds.stored])
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
            last: try row.count(3, of: "service"), queues: Int(try row.number(4, of: "service")),
            kept: Int(try row.number(5, of: "service")))
    }
}

extension RelayQueue {
    fileprivate init(_ row: borrowing DirectStatement) throws {
        self.init(
            row: try row.number(0), id: QueueID(try row.fixed(1)), service: try row.number(2),
            capability: row.isNull(3) ? nil : Digest(try row.fixed(3)),
            closed: row.isNull(4) ? nil : Timestamp(seconds: try row.count(4)), knocks: try row.int(5),
            published: try row.int(6))
        policy.isPaused = try row.number(7) != 0
        policy.messagesPerHour = try row.int(8)
        policy.burst = try row.int(9)
        policy.waitingBytes = try row.int(10)
        policy.messageBytes = try row.int(11)
        policy.retentionSeconds = try row.int(12)
        guard policy.isValid, let refusal = QueueNotice.Refusal(rawValue: UInt8(clamping: try row.number(14)))
        else { throw StoreError.corrupted("table queue, row \(self.row)") }
        notice = RelayNotice(
            expired: try row.count(13), refusal: refusal, position: try row.count(15),
            time: Timestamp(seconds: try row.count(16)))
    }
}
