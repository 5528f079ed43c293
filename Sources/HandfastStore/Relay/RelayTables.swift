package import HandfastChannel
package import HandfastCrypto

/// What a relay's transaction needs of the rows below it; an engine supplies it, the transaction supplies the rules.
package protocol RelayTables {
    mutating func service(_ key: VerificationKey) throws -> RelayService?
    mutating func service(row: Int64) throws -> RelayService?
    mutating func insert(service key: VerificationKey) throws -> RelayService
    mutating func update(_ service: RelayService) throws
    /// Deletes a service that has no queues, and so no messages and no notices.
    mutating func delete(_ service: RelayService) throws
    /// Whether there are queues of a service that were closed.
    mutating func hasClosedQueues(ofService row: Int64) throws -> Bool

    mutating func queue(_ id: QueueID) throws -> RelayQueue?
    mutating func queue(row: Int64) throws -> RelayQueue?
    mutating func insert(_ queue: RelayQueue) throws
    /// Writes what every message changes: next number, digest, what waits, and what is used of the rate.
    mutating func update(_ queue: RelayQueue) throws
    /// Writes what changes seldom: everything that the owner sets, and what the owner is told.
    mutating func updateSettings(of queue: RelayQueue) throws
    /// Takes what a queue has lost off what waits in it.
    mutating func subtract(_ loss: RelayLoss) throws
    /// Empty queues that were closed before a moment.
    mutating func emptyQueues(closedBefore moment: Timestamp, limit: Int) throws -> [RelayQueue]
    /// Deletes a queue with its notice.
    mutating func delete(_ queue: RelayQueue) throws

    /// Puts a queue's notice at its position.
    mutating func insertNotice(_ queue: RelayQueue) throws
    /// Deletes notices between two positions of a service.
    mutating func deleteNotices(ofService row: Int64, in positions: ClosedRange<UInt64>) throws

    /// What the relay keeps altogether.
    mutating func kept() throws -> RelayKept
    mutating func setKept(_ kept: RelayKept) throws

    mutating func admits(_ knock: Knock, queue row: Int64) throws -> Bool
    mutating func admitted(queue row: Int64) throws -> Set<Knock>
    mutating func insertAdmitted(_ knock: Knock, queue row: Int64) throws
    /// Deletes a knock with the hashes of its hellos: it is refused whatever it brings.
    mutating func deleteAdmitted(_ knock: Knock, queue row: Int64) throws
    mutating func hellos(of knock: Knock, queue row: Int64) throws -> [RelayHello]
    mutating func insert(_ hello: RelayHello, of knock: Knock, queue row: Int64) throws
    mutating func deleteHellos(ofQueue row: Int64, storedBefore moment: Timestamp) throws
    mutating func setBundles(_ bundles: [PublishedBundle], queue row: Int64) throws

    mutating func append(_ run: RelayRun) throws
    /// Deletes what a service has acknowledged, and tells what each queue lost.
    mutating func deleteMessages(ofService row: Int64, through position: UInt64) throws -> [RelayLoss]
    /// Deletes the oldest messages as long as they were stored before a moment, and tells what each queue lost, and when
    /// the last of it was stored.
    mutating func deleteMessages(storedBefore moment: Timestamp, limit: Int) throws -> [RelayLoss]
    /// The same for messages whose own expiry has come.
    mutating func deleteMessages(expiredAt now: Timestamp, limit: Int) throws -> [RelayLoss]
}

/// A service as its rows say.
package struct RelayService: Equatable {
    package let row: Int64
    package let key: VerificationKey
    package var acknowledged: UInt64 = 0
    package var last: UInt64 = 0
    package var queues = 0
    /// Bytes that it keeps with its queues, as ``RelayLimits/totalBytes`` counts them.
    package var kept = 0

    package init(
        row: Int64, key: VerificationKey, acknowledged: UInt64 = 0, last: UInt64 = 0, queues: Int = 0, kept: Int = 0
    ) {
        self.row = row
        self.key = key
        self.acknowledged = acknowledged
        self.last = last
        self.queues = queues
        self.kept = kept
    }
}

/// A queue as its row says.
package struct RelayQueue: Equatable {
    /// 0 before it is stored.
    package var row: Int64 = 0
    package let id: QueueID
    package let service: Int64
    /// Nil for a knock queue.
    package var capability: Digest?
    /// When it was closed.
    package var closed: Timestamp?
    package var next: UInt64 = 0
    package var chain = QueueChain.start
    package var messages = 0
    package var bytes = 0
    /// How many knocks it admits.
    package var knocks = 0
    /// Bytes of the bundles beside it.
    package var published = 0
    /// What it has used of its rate.
    package var bucket = TokenBucket()
    /// What its owner lets come.
    package var policy = QueuePolicy.standard
    /// What its owner is told about messages that do not come.
    package var notice = RelayNotice()

    package var isClosed: Bool { closed != nil }

    /// What it takes of the whole relay's room, in bytes.
    package var size: Int {
        RelayLimits.queueCost + bytes + messages * RelayLimits.messageCost + knocks * RelayLimits.knockCost + published
    }

    /// Whether messages have changed nothing since.
    func hasCountsOf(_ before: RelayQueue) -> Bool {
        next == before.next && chain == before.chain && messages == before.messages && bytes == before.bytes
            && bucket == before.bucket
    }

    /// Whether the owner has set the same, and was told the same.
    func hasSettingsOf(_ before: RelayQueue) -> Bool {
        capability == before.capability && closed == before.closed && knocks == before.knocks
            && published == before.published && policy == before.policy && notice == before.notice
    }

    /// Takes what was lost off what waits.
    package mutating func subtract(_ loss: RelayLoss) {
        messages = max(0, messages - loss.messages)
        bytes = max(0, bytes - loss.bytes)
    }

    /// Whether this many more bytes in this many more messages fit.
    func holds(_ count: Int, _ size: Int, within limits: RelayLimits) -> Bool {
        let quota = policy.waitingBytes == 0 ? limits.queueBytes : min(policy.waitingBytes, limits.queueBytes)
        return messages + count <= limits.queueMessages && bytes + size <= quota
    }

    /// Whether its owner takes a message of so many bytes.
    func takes(_ size: Int) -> Bool {
        policy.messageBytes == 0 || size <= policy.messageBytes
    }

    /// The rate in force; nil where neither owner nor relay set one.
    func rate(within limits: RelayLimits) -> MessageRate? {
        let own = policy.messagesPerHour == 0 ? nil : MessageRate(perHour: policy.messagesPerHour, burst: policy.burst)
        guard capability == nil else { return own }
        return MessageRate(
            perHour: min(own?.perHour ?? .max, limits.hellosPerHour), burst: min(own?.burst ?? .max, limits.helloBurst))
    }

    package init(
        row: Int64 = 0, id: QueueID, service: Int64, capability: Digest?, closed: Timestamp? = nil, next: UInt64 = 0,
        chain: Digest = QueueChain.start, messages: Int = 0, bytes: Int = 0, knocks: Int = 0, published: Int = 0
    ) {
        self.row = row
        self.id = id
        self.service = service
        self.capability = capability
        self.closed = closed
        self.next = next
        self.chain = chain
        self.messages = messages
        self.bytes = bytes
        self.knocks = knocks
        self.published = published
    }
}

/// What the owner of a queue is told; the position is that of the last notice, 0 before the first.
package struct RelayNotice: Equatable {
    package var expired: UInt64 = 0
    package var refusal = QueueNotice.Refusal.none
    package var position: UInt64 = 0
    /// When the last notice of a refusal was made.
    package var time = Timestamp(seconds: 0)

    package init(
        expired: UInt64 = 0, refusal: QueueNotice.Refusal = .none, position: UInt64 = 0,
        time: Timestamp = Timestamp(seconds: 0)
    ) {
        self.expired = expired
        self.refusal = refusal
        self.position = position
        self.time = time
    }
}

/// A hello that was stored for a knock.
package struct RelayHello {
    package let hash: Digest
    package let time: Timestamp

    package init(hash: Digest, time: Timestamp) {
        self.hash = hash
        self.time = time
    }
}

/// Messages of one queue to append, which came together and have positions in a row.
package struct RelayRun {
    package let service: Int64
    /// The position of the first.
    package let first: UInt64
    package let queue: Int64
    package let time: Timestamp
    /// When they expire before the relay's retention is over; nil if they do not.
    package let expires: Timestamp?
    /// At least one.
    package let contents: [[UInt8]]
}

/// What a queue lost to an acknowledgement or to expiry.
package struct RelayLoss {
    package let queue: Int64
    package let messages: Int
    package let bytes: Int
    /// When the last of them was stored; nil where they were acknowledged, which asks no table for it.
    package let lastStored: Timestamp?

    package init(queue: Int64, messages: Int, bytes: Int, lastStored: Timestamp? = nil) {
        self.queue = queue
        self.messages = messages
        self.bytes = bytes
        self.lastStored = lastStored
    }

    /// This and what the same queue lost besides.
    package func adding(_ other: RelayLoss) -> RelayLoss {
        RelayLoss(
            queue: queue, messages: messages + other.messages, bytes: bytes + other.bytes,
            lastStored: other.lastStored.map { max($0, lastStored ?? $0) } ?? lastStored)
    }
}
