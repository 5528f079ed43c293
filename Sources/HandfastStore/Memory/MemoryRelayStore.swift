public import HandfastChannel
public import HandfastCrypto
internal import Synchronization

/// A relay's store in memory with the semantics of the durable one, that fails on demand; for simulation and tests.
public final class MemoryRelayStore: RelayStore {
    private let tables: Mutex<FaultyTables<MemoryRelayTables>>
    private let limits: RelayLimits
    private let probe: CommitProbe<RelayWrite>?
    private let readings = Atomic(0)

    /// Makes an empty store.
    public convenience init(limits: RelayLimits = .standard, faults: StoreFaults = StoreFaults()) {
        self.init(MemoryRelayTables(), limits: limits, faults: faults, probe: nil)
    }

    private init(
        _ rows: MemoryRelayTables, limits: RelayLimits, faults: StoreFaults, probe: CommitProbe<RelayWrite>?
    ) {
        tables = Mutex(FaultyTables(rows, faults: faults))
        self.limits = limits
        self.probe = probe
    }

    /// What a process that starts now, with other limits or the same, finds on the pretended disk; this store refuses
    /// everything from then on.
    public func reopened(limits: RelayLimits? = nil, faults: StoreFaults = StoreFaults()) -> MemoryRelayStore {
        tables.withLock { tables in
            tables.close()
            return MemoryRelayStore(tables.onDisk, limits: limits ?? self.limits, faults: faults, probe: nil)
        }
    }

    /// A copy of the pretended disk, as made while nobody wrote; this store goes on.
    func copy(faults: StoreFaults = StoreFaults(), probe: CommitProbe<RelayWrite>? = nil) -> MemoryRelayStore {
        tables.withLock { MemoryRelayStore($0.onDisk, limits: limits, faults: faults, probe: probe) }
    }

    /// How many commits were tried.
    public var commitCount: Int { tables.withLock { $0.commitCount } }

    /// How many times it was asked for messages.
    package var readingCount: Int { readings.load(ordering: .relaxed) }

    /// Sets the failures to come, in place of those given before.
    public func inject(_ faults: StoreFaults) {
        tables.withLock { $0.faults = faults }
    }

    /// Applies the requests of many connections: all of them, or none.
    public func commit(_ writes: [RelayWrite]) async throws(StoreError) -> [RelayOutcome] {
        guard !writes.isEmpty else { return [] }
        try await probe?.before(writes)
        let outcomes = try transact { transaction in try writes.map { write in try transaction.apply(write) } }
        await probe?.after()
        return outcomes
    }

    /// Deletes messages that were stored before a moment, the oldest first.
    public func expire(storedBefore moment: Timestamp, at now: Timestamp, limit: Int) async throws(StoreError) -> Expiry
    {
        try transact { transaction in
            try transaction.expire(storedBefore: moment, at: now, limit: ReadLimit.rows(limit))
        }
    }

    /// Messages of a service above a position, in order of position.
    public func deliveries(
        to service: VerificationKey, after position: UInt64, limit: Int, bytes: Int
    ) async throws(StoreError) -> [Delivery] {
        readings.add(1, ordering: .relaxed)
        return try read { rows in
            guard let owner = rows.service(service) else { return [] }
            let start = max(position, owner.acknowledged)
            var deliveries: [Delivery] = []
            var size = 0
            for message in rows.messages where message.service == owner.row && message.position > start {
                guard deliveries.count < ReadLimit.rows(limit), size < max(bytes, 1) else { break }
                guard let queue = rows.queue(row: message.queue) else { continue }
                size += message.bytes.count
                deliveries.append(Delivery(position: message.position, queue: queue.id, bytes: message.bytes))
            }
            return deliveries.merging(
                rows.notices(ofService: owner.row, after: start), limit: ReadLimit.rows(limit),
                isCut: size >= max(bytes, 1))
        }
    }

    /// The bundle that a queue shows at a time, or nil.
    public func bundle(of queue: QueueID, at now: Timestamp) async throws(StoreError) -> [UInt8]? {
        try read { rows in
            rows.queue(queue).flatMap { queue in rows.bundles(queue: queue.row).inForce(at: now)?.bytes }
        }
    }

    /// What the relay keeps altogether.
    public func kept() async throws(StoreError) -> RelayKept {
        try read { rows in rows.kept() }
    }

    /// Ends the use of the store.
    public func close() async {
        tables.withLock { $0.close() }
    }

    private func transact<Value: Sendable>(
        _ body: (inout RelayTransaction<MemoryRelayTables>) throws -> Value
    ) throws(StoreError) -> Value {
        let result = tables.withLock { tables in
            Result { () throws(StoreError) in
                try tables.commit { rows throws(StoreError) in
                    var transaction = RelayTransaction(rows, limits: limits)
                    do {
                        let value = try body(&transaction)
                        try transaction.finish()
                        rows = transaction.tables
                        return value
                    } catch let error as StoreError {
                        throw error
                    } catch {
                        throw .inputOutput("\(error)")
                    }
                }
            }
        }
        return try result.get()
    }

    func read<Value: Sendable>(_ body: (MemoryRelayTables) -> Value) throws(StoreError) -> Value {
        let result = tables.withLock { tables in
            Result { () throws(StoreError) in
                try tables.requireOpen()
                return body(tables.tables)
            }
        }
        return try result.get()
    }
}
