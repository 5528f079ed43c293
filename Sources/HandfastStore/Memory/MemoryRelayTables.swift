internal import HandfastChannel
internal import HandfastCrypto

/// A relay's rows in memory.
struct MemoryRelayTables: RelayTables, Sendable {
    private(set) var messages: [RelayMessage] = []
    private var services: [Int64: RelayService] = [:]
    private var serviceRows: [VerificationKey: Int64] = [:]
    private var queues: [Int64: RelayQueue] = [:]
    private var queueRows: [QueueID: Int64] = [:]
    private var bundles: [Int64: [PublishedBundle]] = [:]
    private var admitted: [Int64: Set<Knock>] = [:]
    private var hellos: [Int64: [Knock: [RelayHello]]] = [:]
    /// Queues with a notice, by service and position.
    private var notices: [Int64: [UInt64: Int64]] = [:]
    private var servicesEver: Int64 = 0
    private var queuesEver: Int64 = 0
    private var keeps = RelayKept()

    func service(_ key: VerificationKey) -> RelayService? {
        serviceRows[key].flatMap { row in services[row] }
    }

    func service(row: Int64) -> RelayService? { services[row] }

    mutating func insert(service key: VerificationKey) -> RelayService {
        servicesEver += 1
        let service = RelayService(row: servicesEver, key: key)
        services[service.row] = service
        serviceRows[key] = service.row
        return service
    }

    mutating func update(_ service: RelayService) {
        services[service.row] = service
    }

    mutating func delete(_ service: RelayService) {
        services[service.row] = nil
        serviceRows[service.key] = nil
        notices[service.row] = nil
    }

    func hasClosedQueues(ofService row: Int64) -> Bool {
        queues.values.contains { $0.service == row && $0.isClosed }
    }

    func queue(_ id: QueueID) -> RelayQueue? {
        queueRows[id].flatMap { row in queues[row] }
    }

    func queue(row: Int64) -> RelayQueue? { queues[row] }

    mutating func insert(_ queue: RelayQueue) {
        var queue = queue
        queuesEver += 1
        queue.row = queuesEver
        queues[queue.row] = queue
        queueRows[queue.id] = queue.row
    }

    mutating func update(_ queue: RelayQueue) {
        queues[queue.row] = queue
    }

    mutating func updateSettings(of queue: RelayQueue) {
        queues[queue.row] = queue
    }

    mutating func subtract(_ loss: RelayLoss) {
        queues[loss.queue]?.subtract(loss)
    }

    func emptyQueues(closedBefore moment: Timestamp, limit: Int) -> [RelayQueue] {
        let old = queues.values.filter { queue in queue.messages == 0 && queue.closed.map { $0 < moment } ?? false }
        return Array(old.prefix(limit))
    }

    mutating func delete(_ queue: RelayQueue) {
        queues[queue.row] = nil
        queueRows[queue.id] = nil
        notices[queue.service]?[queue.notice.position] = nil
    }

    mutating func insertNotice(_ queue: RelayQueue) {
        notices[queue.service, default: [:]][queue.notice.position] = queue.row
    }

    mutating func deleteNotices(ofService row: Int64, in positions: ClosedRange<UInt64>) {
        notices[row] = notices[row]?.filter { !positions.contains($0.key) }
    }

    /// What the owner of a service is told above a position, in order.
    func notices(ofService row: Int64, after position: UInt64) -> [Delivery] {
        (notices[row] ?? [:]).filter { $0.key > position }.sorted { $0.key < $1.key }.compactMap { position, queue in
            queues[queue].map { queue in
                Delivery(
                    position: position, queue: queue.id,
                    .notice(QueueNotice(expired: queue.notice.expired, refusal: queue.notice.refusal)))
            }
        }
    }

    func kept() -> RelayKept { keeps }

    mutating func setKept(_ kept: RelayKept) { keeps = kept }

    func admits(_ knock: Knock, queue row: Int64) -> Bool {
        admitted[row]?.contains(knock) ?? false
    }

    func admitted(queue row: Int64) -> Set<Knock> { admitted[row] ?? [] }

    mutating func insertAdmitted(_ knock: Knock, queue row: Int64) {
        admitted[row, default: []].insert(knock)
    }

    mutating func deleteAdmitted(_ knock: Knock, queue row: Int64) {
        admitted[row]?.remove(knock)
        hellos[row]?[knock] = nil
    }

    func hellos(of knock: Knock, queue row: Int64) -> [RelayHello] {
        hellos[row]?[knock] ?? []
    }

    mutating func insert(_ hello: RelayHello, of knock: Knock, queue row: Int64) {
        hellos[row, default: [:]][knock, default: []].append(hello)
    }

    mutating func deleteHellos(ofQueue row: Int64, storedBefore moment: Timestamp) {
        hellos[row] = hellos[row]?.mapValues { hellos in hellos.filter { $0.time >= moment } }
    }

    func bundles(queue row: Int64) -> [PublishedBundle] {
        bundles[row] ?? []
    }

    mutating func setBundles(_ bundles: [PublishedBundle], queue row: Int64) {
        self.bundles[row] = bundles
    }

    mutating func append(_ run: RelayRun) {
        for (index, bytes) in run.contents.enumerated() {
            messages.append(
                RelayMessage(
                    service: run.service, position: run.first + UInt64(index), queue: run.queue, time: run.time,
                    expires: run.expires, bytes: bytes))
        }
    }

    mutating func deleteMessages(ofService row: Int64, through position: UInt64) -> [RelayLoss] {
        let gone = messages.filter { $0.service == row && $0.position <= position }
        messages.removeAll { $0.service == row && $0.position <= position }
        return RelayLoss.count(gone)
    }

    mutating func deleteMessages(storedBefore moment: Timestamp, limit: Int) -> [RelayLoss] {
        let gone = Array(messages.prefix(limit).prefix { $0.time < moment })
        messages.removeFirst(gone.count)
        return RelayLoss.count(gone)
    }

    mutating func deleteMessages(expiredAt now: Timestamp, limit: Int) -> [RelayLoss] {
        let gone = Array(messages.filter { $0.expires.map { $0 <= now } ?? false }.prefix(limit))
        for message in gone {
            messages.removeAll { $0.service == message.service && $0.position == message.position }
        }
        return RelayLoss.count(gone)
    }
}

/// One message that waits.
struct RelayMessage {
    let service: Int64
    let position: UInt64
    let queue: Int64
    let time: Timestamp
    let expires: Timestamp?
    let bytes: [UInt8]
}

extension RelayLoss {
    fileprivate static func count(_ messages: [RelayMessage]) -> [RelayLoss] {
        Dictionary(grouping: messages, by: \.queue).map { queue, lost in
            RelayLoss(
                queue: queue, messages: lost.count, bytes: lost.reduce(0) { $0 + $1.bytes.count },
                lastStored: lost.map(\.time).max())
        }
    }
}
