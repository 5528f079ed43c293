/// Failures that an in-memory store is to suffer, by the number of the commit (from 1).
public struct StoreFaults: Sendable, Equatable {
    /// These commits fail and store nothing; the store goes on.
    public var failBefore: Set<Int> = []
    /// These commits are durable and yet reported as failed, as when the answer of the flush is lost. The store refuses
    /// everything afterwards; what is reopened has the commit.
    public var failAfter: Set<Int> = []
    /// The flush of these commits fails and they are not on the disk, as when the power goes. The store refuses everything
    /// afterwards; what is reopened has none of them.
    public var failSync: Set<Int> = []
    /// From this commit on nothing reaches the disk although it is acknowledged: what is reopened has none of it. This
    /// is what a copied-back database or a lying disk looks like.
    public var loseFrom: Int?

    /// No failures.
    public init() {}
}

/// Tables in memory under a commit protocol that fails on demand.
struct FaultyTables<Tables: Sendable>: Sendable {
    private(set) var tables: Tables
    /// How many commits were tried.
    private(set) var commitCount = 0
    /// The failures to come.
    var faults: StoreFaults
    /// What is on the pretended disk, when it is not `tables`.
    private var durable: Tables?
    private var ending: StoreError?

    init(_ tables: Tables, faults: StoreFaults) {
        self.tables = tables
        self.faults = faults
    }

    /// What a process that starts now would find.
    var onDisk: Tables { durable ?? tables }

    func requireOpen() throws(StoreError) {
        if let ending { throw ending }
    }

    mutating func close() {
        ending = ending ?? .closed
    }

    /// Runs one commit: all of it, or nothing.
    mutating func commit<Value>(
        _ body: (inout Tables) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        try requireOpen()
        commitCount += 1
        guard !faults.failBefore.contains(commitCount) else {
            throw .inputOutput("injected before commit \(commitCount)")
        }
        let before = tables
        // A commit may have come between whoever counted them and the fault.
        if durable == nil, let first = faults.loseFrom, commitCount >= first { durable = before }
        let value: Value
        do throws(StoreError) {
            value = try body(&tables)
        } catch {
            tables = before
            throw error
        }
        guard !faults.failSync.contains(commitCount) else {
            tables = before
            let error = StoreError.syncFailed("injected at commit \(commitCount)")
            ending = error
            throw error
        }
        guard !faults.failAfter.contains(commitCount) else {
            let error = StoreError.syncFailed("injected after commit \(commitCount)")
            ending = error
            throw error
        }
        return value
    }
}
