public import HandfastChannel
internal import Synchronization

/// A vault in memory with the semantics of the durable one, that fails on demand; for simulation and tests.
public final class MemoryVaultStore: VaultStore {
    private let tables: Mutex<FaultyTables<MemoryVaultTables>>
    private let probe: CommitProbe<VaultChange>?

    /// Makes an empty vault.
    public convenience init(faults: StoreFaults = StoreFaults()) {
        self.init(MemoryVaultTables(), faults: faults, probe: nil)
    }

    private init(_ rows: MemoryVaultTables, faults: StoreFaults, probe: CommitProbe<VaultChange>?) {
        tables = Mutex(FaultyTables(rows, faults: faults))
        self.probe = probe
    }

    /// What a process that starts now finds on the pretended disk; this store refuses everything from then on.
    public func reopened(faults: StoreFaults = StoreFaults()) -> MemoryVaultStore {
        tables.withLock { tables in
            tables.close()
            return MemoryVaultStore(tables.onDisk, faults: faults, probe: nil)
        }
    }

    /// A copy of the pretended disk, as made while nobody wrote; this store goes on.
    func copy(faults: StoreFaults = StoreFaults(), probe: CommitProbe<VaultChange>? = nil) -> MemoryVaultStore {
        tables.withLock { MemoryVaultStore($0.onDisk, faults: faults, probe: probe) }
    }

    /// Sets the failures to come, in place of those given before.
    public func inject(_ faults: StoreFaults) {
        tables.withLock { $0.faults = faults }
    }

    /// How many commits were tried so far.
    public var commitCount: Int { tables.withLock { $0.commitCount } }

    /// Applies a batch of changes: all that is reported as committed, or nothing.
    public func commit(_ changes: [VaultChange]) async throws(StoreError) -> [ChangeOutcome] {
        guard !changes.isEmpty else { return [] }
        try await probe?.before(changes)
        let outcomes = try write { rows throws(StoreError) in
            var outcomes: [ChangeOutcome] = []
            for change in changes { outcomes.append(try rows.apply(change)) }
            return outcomes
        }
        await probe?.after()
        return outcomes
    }

    /// Erases what has reached its time.
    public func purge(expiredAt now: Timestamp, limit: Int) async throws(StoreError) -> Int {
        try write { rows in rows.purge(expiredAt: now, limit: limit) }
    }

    /// Ends the use of the store.
    public func close() async {
        tables.withLock { $0.close() }
    }

    private func write<Value: Sendable>(
        _ body: (inout MemoryVaultTables) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        let result = tables.withLock { tables in
            Result { () throws(StoreError) in try tables.commit(body) }
        }
        return try result.get()
    }

    func read<Value: Sendable>(_ body: (MemoryVaultTables) -> Value) throws(StoreError) -> Value {
        let result = tables.withLock { tables in
            Result { () throws(StoreError) in
                try tables.requireOpen()
                return body(tables.tables)
            }
        }
        return try result.get()
    }
}
