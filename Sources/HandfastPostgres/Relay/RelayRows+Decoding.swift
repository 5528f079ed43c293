internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastStore

extension QueuePlaces.Place {
    /// A row of table place with the columns queue and service.
    init(_ row: PostgresRow) throws {
        self.init(queue: try row.number(0, of: "place"), service: try row.number(1, of: "place"))
    }
}

extension RelayLoss {
    /// A queue with how many messages it lost, and their bytes.
    init(_ row: PostgresRow) throws {
        self.init(
            queue: try row.number(0, of: "message"), messages: Int(try row.number(1, of: "message")),
            bytes: Int(try row.number(2, of: "message")))
    }

    /// The same, and when the last of them was stored.
    init(ofExpiry row: PostgresRow) throws {
        let lost = try RelayLoss(row)
        self.init(
            queue: lost.queue, messages: lost.messages, bytes: lost.bytes,
            lastStored: Timestamp(seconds: try row.count(3, of: "message")))
    }
}

extension RelayService {
    /// The columns that make a service.
    static let columns = "row, key, acknowledged, last, queues, kept"

    /// A row with the columns of ``columns``.
    init(_ row: PostgresRow) throws {
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
    /// The columns that make a queue.
    static let columns =
        """
        row, id, service, capability, closed, next, chain, messages, bytes, knocks, published, used, used_at, paused, rate,
        burst, waiting_bytes, message_bytes, retention, expired, refusal, noticed, noticed_at
        """

    /// A row with the columns of ``columns``.
    init(_ row: PostgresRow) throws {
        self.init(
            row: try row.number(0, of: "queue"), id: try row.queue(1, of: "queue"),
            service: try row.number(2, of: "queue"),
            capability: row.raw(3) == nil ? nil : try row.digest(3, of: "queue"),
            closed: try row.optionalCount(4, of: "queue").map(Timestamp.init(seconds:)),
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
        else { throw StoreError.corrupted("table queue, row \(self.row)") }
        notice = RelayNotice(
            expired: try row.count(19, of: "queue"), refusal: refusal, position: try row.count(21, of: "queue"),
            time: Timestamp(seconds: try row.count(22, of: "queue")))
    }
}
