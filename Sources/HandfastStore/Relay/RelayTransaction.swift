package import HandfastChannel
internal import HandfastCrypto

/// The requests of one batch on their way into a relay's tables, by the rules of Spec/07.
///
/// Rows of services and queues are read once, kept here, and written once at the end.
package struct RelayTransaction<Tables: RelayTables> {
    package private(set) var tables: Tables
    private let limits: RelayLimits
    private var services: [Int64: RelayService] = [:]
    private var serviceRows: [VerificationKey: Int64] = [:]
    private var queues: [Int64: RelayQueue] = [:]
    private var queueRows: [QueueID: Int64] = [:]
    private var changedServices: Set<Int64> = []
    private var changedQueues: Set<Int64> = []
    private var changedSettings: Set<Int64> = []
    /// What the relay kept before this transaction, once it was asked for.
    private var kept: RelayKept?
    /// What this transaction added to that, or took away.
    private var growth = RelayKept()

    package init(_ tables: Tables, limits: RelayLimits) {
        self.tables = tables
        self.limits = limits
    }

    /// Applies one request; a refusal stores nothing.
    package mutating func apply(_ write: RelayWrite) throws -> RelayOutcome {
        switch write {
        case .attach(let key):
            let service = try self.service(key)
            return .attached(acknowledged: service?.acknowledged ?? 0, last: service?.last ?? 0)
        case .open(let key, let openings, let position, let mayAdd):
            return try open(openings, for: key, after: position, mayAdd: mayAdd)
        case .admit(let key, let id, let knocks): return try admit(knocks, to: id, for: key)
        case .publish(let key, let id, let bundles):
            guard let queue = try ownQueue(id, of: key), queue.capability == nil else { return .refused }
            guard !queue.isClosed else { return .closed }
            // An engine that cannot store a number fails the whole batch, with everybody else's requests in it.
            let latest = RelayLimits.latestTime
            guard bundles.allSatisfy({ $0.notBefore <= latest && $0.expires <= latest }) else { return .limit }
            return try publish(bundles, beside: queue)
        case .knock(let id, let knock, let hash, let hello, let time):
            return try store(hello, hash, knock: knock, in: id, at: time)
        case .put(let id, let capability, let first, let envelopes, let time):
            return try put(envelopes, from: first, in: id, capability: capability, at: time)
        case .acknowledge(let key, let position): return try acknowledge(position, for: key)
        case .policy(let key, let settings, let time): return try set(settings, for: key, at: time)
        case .close(let key, let ids, let time): return try close(ids, for: key, at: time)
        }
    }

    /// Deletes old messages, and queues that were closed as long ago, in bounded batches.
    package mutating func expire(storedBefore moment: Timestamp, at now: Timestamp, limit: Int) throws -> Expiry {
        var losses = try tables.deleteMessages(storedBefore: moment, limit: limit)
        let old = losses.reduce(0) { count, loss in count + loss.messages }
        if old < limit { losses += try tables.deleteMessages(expiredAt: now, limit: limit - old) }
        // Their owners are told anyway: so it is known which service has that much less.
        for loss in losses { _ = try queue(row: loss.queue) }
        try subtract(losses)
        let deleted = losses.reduce(0) { count, loss in count + loss.messages }
        var arrivals: [Int64: Arrival] = [:]
        for (row, lost) in Dictionary(grouping: losses, by: \.queue).sorted(by: { $0.key < $1.key }) {
            guard var queue = try queue(row: row) else { continue }
            queue.notice.expired += UInt64(lost.reduce(0) { count, loss in count + loss.messages })
            if queue.capability == nil, let last = lost.compactMap(\.lastStored).max() {
                // Those that expired, so that they are stored anew when they come again.
                try tables.deleteHellos(ofQueue: row, storedBefore: last.adding(seconds: 1))
            }
            arrivals[queue.service] = try notify(&queue, .none)
        }
        let queues = try tables.emptyQueues(closedBefore: moment, limit: limit)
        for queue in queues {
            try tables.delete(queue)
            try count(-queue.size, to: queue.service)
        }
        try forgetServices(Set(queues.map(\.service)))
        return Expiry(
            deleted: deleted, queues: queues.count, arrivals: Set(arrivals.values),
            more: max(deleted, queues.count) >= limit)
    }

    /// Forgets those of these services that have no queue any more, and so nothing else either.
    private mutating func forgetServices(_ rows: Set<Int64>) throws {
        for row in rows {
            guard let service = try service(row: row), service.queues == 0,
                try !tables.hasClosedQueues(ofService: row)
            else { continue }
            try tables.delete(service)
            (services[row], serviceRows[service.key]) = (nil, nil)
            growth.bytes -= RelayLimits.queueCost
        }
    }

    /// Writes back what was kept, and hands over the tables. Nothing may be applied afterwards.
    package mutating func finish() throws {
        for row in changedServices { if let service = services[row] { try tables.update(service) } }
        for row in changedQueues { if let queue = queues[row] { try tables.update(queue) } }
        for row in changedSettings { if let queue = queues[row] { try tables.updateSettings(of: queue) } }
        if growth != RelayKept() { try tables.setKept(try keptNow()) }
    }

    // MARK: Owner's requests

    private mutating func open(
        _ openings: [QueueOpening], for key: VerificationKey, after position: UInt64, mayAdd: Bool
    ) throws -> RelayOutcome {
        let known = try service(key)
        var new: [QueueOpening] = []
        var seen: Set<QueueID> = []
        for opening in openings {
            guard seen.insert(opening.id).inserted else { return .refused }
            guard let queue = try queue(opening.id) else {
                new.append(opening)
                continue
            }
            let isSameKind = (queue.capability == nil) == (opening.capability == nil)
            guard queue.service == known?.row, isSameKind else { return .refused }
            guard !queue.isClosed else { return .closed }
        }
        guard mayAdd || new.isEmpty else { return .busy }
        guard (known?.queues ?? 0) + new.count <= limits.queuesPerService else { return .limit }
        if let refusal = try refusal(ofNewQueues: new.count, in: known) { return refusal }
        for opening in openings {
            guard var queue = try queue(opening.id), opening.beginsAnew || queue.capability != opening.capability
            else { continue }
            queue.capability = opening.capability
            if opening.beginsAnew { (queue.next, queue.chain) = (0, QueueChain.start) }
            try keep(queue)
        }
        guard !new.isEmpty else { return .done }
        var service = try known ?? insert(key, after: position)
        for opening in new {
            let queue = RelayQueue(id: opening.id, service: service.row, capability: opening.capability)
            try tables.insert(queue)
            growth.bytes += queue.size
            service.kept += queue.size
        }
        growth.queues += new.count
        service.queues += new.count
        keep(service)
        return .done
    }

    private mutating func admit(
        _ knocks: [Knock], to id: QueueID, for key: VerificationKey
    ) throws -> RelayOutcome {
        guard var queue = try ownQueue(id, of: key), queue.capability == nil else { return .refused }
        guard !queue.isClosed else { return .closed }
        guard knocks.count <= limits.admittedKnocks else { return .limit }
        let (before, after) = (try tables.admitted(queue: queue.row), Set(knocks))
        if let shortage = try shortage(of: (after.count - before.count) * RelayLimits.knockCost, in: queue) {
            return shortage.outcome
        }
        // The owner tells all of them whenever one changes: only what changed is written.
        for knock in before.subtracting(after) { try tables.deleteAdmitted(knock, queue: queue.row) }
        for knock in after.subtracting(before) { try tables.insertAdmitted(knock, queue: queue.row) }
        queue.knocks = after.count
        try keep(queue)
        return .done
    }

    private mutating func publish(_ bundles: [PublishedBundle], beside queue: RelayQueue) throws -> RelayOutcome {
        var queue = queue
        let published = bundles.reduce(0) { $0 + $1.bytes.count }
        if let shortage = try shortage(of: published - queue.published, in: queue) { return shortage.outcome }
        queue.published = published
        try tables.setBundles(bundles, queue: queue.row)
        try keep(queue)
        return .done
    }

    private mutating func acknowledge(_ position: UInt64, for key: VerificationKey) throws -> RelayOutcome {
        guard let known = try service(key) else { return position == 0 ? .done : .refused }
        guard position <= known.last else { return .refused }
        guard position > known.acknowledged else { return .done }
        try subtract(try tables.deleteMessages(ofService: known.row, through: position), from: known.row)
        try tables.deleteNotices(ofService: known.row, in: 0...position)
        guard var service = try service(row: known.row) else { return .refused }
        service.acknowledged = position
        keep(service)
        return .done
    }

    private mutating func set(
        _ settings: [PolicySetting], for key: VerificationKey, at time: Timestamp
    ) throws -> RelayOutcome {
        for setting in settings {
            guard let queue = try ownQueue(setting.id, of: key), setting.policy.isValid else { return .refused }
            guard !queue.isClosed else { return .closed }
        }
        for setting in settings {
            guard var queue = try queue(setting.id), queue.policy != setting.policy else { continue }
            // What was used under the rate before counts under the next, so that setting it again fills nothing.
            if let rate = queue.rate(within: limits) { queue.bucket.settle(at: time, by: rate) }
            queue.policy = setting.policy
            try keep(queue)
        }
        return .done
    }

    private mutating func close(
        _ ids: [QueueID], for key: VerificationKey, at time: Timestamp
    ) throws -> RelayOutcome {
        for id in ids where try ownQueue(id, of: key) == nil { return .refused }
        for id in ids {
            guard var queue = try queue(id), !queue.isClosed else { continue }
            for knock in try tables.admitted(queue: queue.row) {
                try tables.deleteAdmitted(knock, queue: queue.row)
            }
            try tables.setBundles([], queue: queue.row)
            queue.closed = min(time, RelayLimits.latestTime)
            (queue.knocks, queue.published) = (0, 0)
            try keep(queue)
            growth.queues -= 1
            guard var service = try service(key) else { continue }
            service.queues -= 1
            keep(service)
        }
        return .done
    }

    // MARK: Everybody's requests

    private mutating func store(
        _ hello: [UInt8], _ hash: Digest, knock: Knock, in id: QueueID, at time: Timestamp
    ) throws -> RelayOutcome {
        guard var queue = try queue(id), queue.capability == nil else { return .refused }
        guard !queue.isClosed else { return .closed }
        guard try tables.admits(knock, queue: queue.row) else { return .refused }
        let hellos = try tables.hellos(of: knock, queue: queue.row)
        guard !hellos.contains(where: { $0.hash == hash }) else { return .repeated }
        guard hellos.count < limits.hellosPerKnock else { return .limit }
        guard queue.takes(hello.count) else {
            _ = try notifyOfRefusal(queue, .tooLarge, at: time)
            return .limit
        }
        let isTooSoon =
            hellos.count >= limits.hellosPerKnockAtOnce
            && hellos.contains { time < $0.time.adding(seconds: limits.secondsBetweenHellos) }
        guard !queue.policy.isPaused, !isTooSoon else { return .busy }
        if let rate = queue.rate(within: limits) {
            queue.bucket.settle(at: time, by: rate)
            guard queue.bucket.room(in: rate) >= 1 else {
                _ = try notifyOfRefusal(queue, .throttled, at: time)
                return .busy
            }
            queue.bucket.take(1)
        }
        guard queue.holds(1, hello.count, within: limits) else {
            _ = try notifyOfRefusal(queue, .full, at: time)
            return .limit
        }
        if let shortage = try shortage(of: hello.count + RelayLimits.messageCost, in: queue) {
            _ = try notifyOfRefusal(queue, shortage.notice, at: time)
            return .limit
        }
        try tables.insert(RelayHello(hash: hash, time: time), of: knock, queue: queue.row)
        return .knocked(try append([hello], to: queue, at: time))
    }

    private mutating func put(
        _ envelopes: [[UInt8]], from first: UInt64, in id: QueueID, capability: Digest, at time: Timestamp
    ) throws -> RelayOutcome {
        guard var queue = try queue(id), queue.capability == capability else {
            return .put(PutResult(status: .refused, next: 0, digest: QueueChain.start), nil)
        }
        let rate = queue.rate(within: limits)
        if let rate { queue.bucket.settle(at: time, by: rate) }
        let size = envelopes.reduce(0) { $0 + $1.count }
        if let (status, notice) = try refusal(of: envelopes, size, from: first, in: queue, by: rate) {
            let arrival = try notifyOfRefusal(queue, notice, at: time)
            let throttle = status == .throttled ? rate : nil
            return .put(
                PutResult(
                    status: status, next: queue.next, digest: queue.chain, expired: queue.notice.expired,
                    room: throttle.map { queue.bucket.room(in: $0) } ?? 0,
                    wait: throttle.map { queue.bucket.wait(by: $0) } ?? 0), arrival)
        }
        if rate != nil { queue.bucket.take(envelopes.count) }
        for envelope in envelopes { queue.chain = QueueChain.digest(queue.chain, extendedBy: envelope) }
        queue.next += UInt64(envelopes.count)
        let arrival = try append(envelopes, to: queue, at: time)
        return .put(
            PutResult(status: .ok, next: queue.next, digest: queue.chain, expired: queue.notice.expired), arrival)
    }

    /// Why a put is not stored, and what its owner is told of it, or nil; one without envelopes never is.
    private mutating func refusal(
        of envelopes: [[UInt8]], _ size: Int, from first: UInt64, in queue: RelayQueue, by rate: MessageRate?
    ) throws -> (PutResult.Status, QueueNotice.Refusal)? {
        if queue.isClosed { return (.closed, .none) }
        if queue.policy.isPaused { return (.paused, .none) }
        guard !envelopes.isEmpty else {
            return (rate.map { queue.bucket.room(in: $0) < 1 } ?? false ? .throttled : .ok, .none)
        }
        guard first == queue.next else { return (first < queue.next ? .behind : .gap, .none) }
        guard envelopes.allSatisfy({ queue.takes($0.count) }) else { return (.tooLarge, .tooLarge) }
        if let rate, queue.bucket.room(in: rate) < envelopes.count { return (.throttled, .throttled) }
        guard queue.holds(envelopes.count, size, within: limits) else { return (.full, .full) }
        let shortage = try shortage(of: size + envelopes.count * RelayLimits.messageCost, in: queue)
        return shortage.map { (.full, $0.notice) }
    }

    private mutating func append(
        _ contents: [[UInt8]], to queue: RelayQueue, at time: Timestamp
    ) throws -> Arrival {
        var queue = queue
        queue.messages += contents.count
        queue.bytes += contents.reduce(0) { $0 + $1.count }
        try keep(queue)
        var service = try owner(of: queue)
        let retention = UInt64(queue.policy.retentionSeconds)
        let expires: Timestamp? =
            retention == 0 ? nil : min(Timestamp(seconds: time.seconds &+ retention), RelayLimits.latestTime)
        try tables.append(
            RelayRun(
                service: service.row, first: service.last + 1, queue: queue.row, time: time, expires: expires,
                contents: contents))
        service.last += UInt64(contents.count)
        keep(service)
        return Arrival(service: service.key, last: service.last)
    }

    // MARK: Notices

    /// Tells the owner that a sender was turned away, unless it was told within the hour or has not read the last
    /// notice: a sender that hammers must not fill the owner's service.
    private mutating func notifyOfRefusal(
        _ queue: RelayQueue, _ refusal: QueueNotice.Refusal, at time: Timestamp
    ) throws -> Arrival? {
        guard refusal != .none else { return nil }
        guard let known = try self.queue(row: queue.row), let service = try service(row: queue.service) else {
            return nil
        }
        let isRead = known.notice.position <= service.acknowledged
        let isDue =
            known.notice.position == 0
            || time.seconds >= known.notice.time.seconds &+ limits.secondsBetweenRefusalNotices
            || time < known.notice.time
        guard isRead, isDue else { return nil }
        var told = known
        told.notice.time = min(time, RelayLimits.latestTime)
        return try notify(&told, refusal)
    }

    /// Puts a notice behind everything that waits for the service, in place of the queue's notice before.
    private mutating func notify(_ queue: inout RelayQueue, _ refusal: QueueNotice.Refusal) throws -> Arrival {
        var service = try owner(of: queue)
        let before = queue.notice.position
        let isRead = before <= service.acknowledged
        if !isRead { try tables.deleteNotices(ofService: service.row, in: before...before) }
        queue.notice.refusal = refusal == .none && !isRead ? queue.notice.refusal : refusal
        service.last += 1
        queue.notice.position = service.last
        try tables.insertNotice(queue)
        try keep(queue)
        keep(service)
        return Arrival(service: service.key, last: service.last)
    }

    // MARK: Room

    /// Whose room does not suffice.
    private enum Shortage {
        case service
        case relay

        var outcome: RelayOutcome { self == .service ? .serviceFull : .relayFull }

        /// What the owner of a queue is told when somebody else's bytes were not taken.
        var notice: QueueNotice.Refusal { self == .service ? .serviceFull : .none }
    }

    /// Whose room does not suffice for so many more bytes of a queue; what asks for none always fits.
    ///
    /// What is promised to queues is theirs whatever others have taken, so that nobody can fill the relay for those who
    /// are there.
    private mutating func shortage(of size: Int, in queue: RelayQueue) throws -> Shortage? {
        guard size > 0 else { return nil }
        guard try owner(of: queue).kept + size <= limits.serviceBytes else { return .service }
        let kept = try keptNow()
        let isPromised = queue.size - RelayLimits.queueCost + size <= limits.reservedPerQueue
        let taken = kept.bytes + (isPromised ? 0 : kept.queues * limits.reservedPerQueue)
        return taken + size <= limits.totalBytes ? nil : .relay
    }

    /// Why so many queues more of a service, or of one that is new, are not opened; nil if they are.
    private mutating func refusal(ofNewQueues count: Int, in service: RelayService?) throws -> RelayOutcome? {
        guard count > 0 else { return nil }
        let size = (count + (service == nil ? 1 : 0)) * RelayLimits.queueCost
        guard (service?.kept ?? 0) + size <= limits.serviceBytes else { return .serviceFull }
        let kept = try keptNow()
        let promised = (kept.queues + count) * limits.reservedPerQueue
        let hasRoom = promised <= limits.totalBytes / 2 && kept.bytes + size + promised <= limits.totalBytes
        return hasRoom ? nil : .relayFull
    }

    /// What the relay keeps with what this transaction has changed.
    private mutating func keptNow() throws -> RelayKept {
        let before = try kept ?? tables.kept()
        kept = before
        return RelayKept(
            bytes: max(0, before.bytes + growth.bytes), queues: max(0, before.queues + growth.queues))
    }

    /// Counts bytes to what the relay and a service keep.
    private mutating func count(_ size: Int, to row: Int64) throws {
        guard size != 0 else { return }
        growth.bytes += size
        guard var service = try service(row: row) else { return }
        service.kept = max(0, service.kept + size)
        keep(service)
    }

    // MARK: Rows kept

    /// - Parameter row: the service whose losses these are, where its queues need not be read.
    private mutating func subtract(_ losses: [RelayLoss], from row: Int64? = nil) throws {
        var unread = 0
        for loss in losses {
            // To acknowledge a message, nothing else of its queue needs to be read.
            guard var queue = queues[loss.queue] else {
                try tables.subtract(loss)
                unread += loss.bytes + loss.messages * RelayLimits.messageCost
                continue
            }
            queue.subtract(loss)
            try keep(queue)
        }
        if let row { try count(-unread, to: row) } else { growth.bytes -= unread }
    }

    private mutating func owner(of queue: RelayQueue) throws -> RelayService {
        guard let service = try service(row: queue.service) else {
            throw StoreError.corrupted("table queue, row \(queue.row): its service is missing")
        }
        return service
    }

    private mutating func ownQueue(_ id: QueueID, of key: VerificationKey) throws -> RelayQueue? {
        guard let service = try service(key), let queue = try queue(id), queue.service == service.row else {
            return nil
        }
        return queue
    }

    private mutating func service(_ key: VerificationKey) throws -> RelayService? {
        if let row = serviceRows[key] { return services[row] }
        return remember(try tables.service(key))
    }

    private mutating func service(row: Int64) throws -> RelayService? {
        try services[row] ?? remember(tables.service(row: row))
    }

    private mutating func insert(_ key: VerificationKey, after position: UInt64) throws -> RelayService {
        var service = try tables.insert(service: key)
        growth.bytes += RelayLimits.queueCost
        service.kept = RelayLimits.queueCost
        serviceRows[key] = service.row
        service.acknowledged = min(position, RelayLimits.latestPosition)
        service.last = service.acknowledged
        keep(service)
        return service
    }

    private mutating func remember(_ service: RelayService?) -> RelayService? {
        guard let service else { return nil }
        services[service.row] = service
        serviceRows[service.key] = service.row
        return service
    }

    private mutating func keep(_ service: RelayService) {
        services[service.row] = service
        changedServices.insert(service.row)
    }

    private mutating func queue(_ id: QueueID) throws -> RelayQueue? {
        if let row = queueRows[id] { return queues[row] }
        return remember(try tables.queue(id))
    }

    private mutating func queue(row: Int64) throws -> RelayQueue? {
        try queues[row] ?? remember(tables.queue(row: row))
    }

    private mutating func remember(_ queue: RelayQueue?) -> RelayQueue? {
        guard let queue else { return nil }
        queues[queue.row] = queue
        queueRows[queue.id] = queue.row
        return queue
    }

    private mutating func keep(_ queue: RelayQueue) throws {
        let before = queues[queue.row] ?? queue
        try count(queue.size - before.size, to: queue.service)
        if !queue.hasSettingsOf(before) { changedSettings.insert(queue.row) }
        if !queue.hasCountsOf(before) { changedQueues.insert(queue.row) }
        queues[queue.row] = queue
    }
}

extension QueueOpening {
    /// The capability's digest; nil for a knock queue.
    fileprivate var capability: Digest? {
        switch kind {
        case .knock: nil
        case .send(let capability), .sendAnew(let capability): capability
        }
    }

    /// Whether the queue's numbers begin again.
    fileprivate var beginsAnew: Bool {
        if case .sendAnew = kind { true } else { false }
    }
}

extension [PublishedBundle] {
    /// The bundle to show: the one in force, else the last to expire.
    package func inForce(at now: Timestamp) -> PublishedBundle? {
        filter { bundle in bundle.notBefore <= now && now < bundle.expires }.max { $0.expires < $1.expires }
            ?? self.max { $0.expires < $1.expires }
    }
}
