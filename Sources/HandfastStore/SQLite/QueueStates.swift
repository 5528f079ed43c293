internal import GRDB
internal import HandfastChannel
internal import HandfastCrypto
internal import Synchronization

/// What messages change about a relay's queues: in memory, in pages of neighbouring queues, and in a log.
///
/// A message comes to any of a million queues, so that a row for each would cost a page to read and to write at every
/// put and every acknowledgement. A transaction appends what it changes to the log instead. Once the log is as long as
/// the pages that it changes, they are written in their order, some with each transaction, and then the log's beginning
/// is deleted. All of it stays in memory, read once when the store is opened: 72 bytes for each queue, and up to 130
/// more where it is found by its name.
///
/// Only the writer may use it.
///
/// - Source: Spec/08 §8.4
final class QueueStates: Sendable {
    /// States in one row of the table, which fill a page of 4 KiB.
    static let perPage = 56
    static let pageByteCount = perPage * QueueState.byteCount
    /// The log is left alone while it is shorter, in bytes.
    private static let shortLog = 1 << 20
    private static let entryByteCount = 8 + QueueState.byteCount
    private static let entriesPerRow = 1_024
    /// What one transaction writes back, or deletes, besides its own changes.
    private static let pagesPerTransaction = 256
    private static let logRowsPerTransaction: Int64 = 64

    private struct Memory {
        /// What is committed.
        var pages: [Int64: [UInt8]] = [:]
        /// Pages that the table has not.
        var changed: Set<Int64> = []
        /// The numbers of the log's first and last rows.
        var log: ClosedRange<Int64>?
        /// Bytes of the log from which nothing is being written back yet.
        var logByteCount = 0
        var writing: WritingBack?
        /// Queues by name, but for those whose owners have set something about them, and some that are new.
        var known: [QueueID: KnownQueue] = [:]
        /// What the transaction under way has changed.
        var pending: [Int64: QueueState] = [:]
        /// What it has found.
        var found: [QueueID: KnownQueue] = [:]
    }

    /// Where a queue is whose owner has set nothing about it.
    private struct KnownQueue {
        let row: Int64
        let service: Int64
        let capability: Digest
    }

    /// Pages being written, after which the log up to a row is not needed any more.
    private struct WritingBack {
        var pages: ArraySlice<Int64>
        let through: Int64
    }

    private let memory = Mutex(Memory())

    /// Reads everything that the last process left.
    func load(from database: Database) throws {
        try memory.withLock { memory in
            memory = Memory()
            try Self.readQueues(into: &memory, from: database)
            try Self.readPages(into: &memory, from: database)
            try Self.readLog(into: &memory, from: database)
        }
    }

    private static func readQueues(into memory: inout Memory, from database: Database) throws {
        let count = try database.row("SELECT count(*) FROM queue")?.number(0, of: "queue") ?? 0
        memory.known.reserveCapacity(Int(count))
        let statement = try DirectStatement(
            """
            SELECT id, row, service, capability FROM queue WHERE capability IS NOT NULL AND closed IS NULL
            AND (knocks, published, paused, rate, burst, waiting_bytes, message_bytes, retention) = (0, 0, 0, 0, 0, 0, 0, 0)
            AND (expired, refusal, noticed, noticed_at) = (0, 0, 0, 0)
            """, of: "queue", in: database)
        while try statement.step() {
            memory.known[QueueID(try statement.fixed(0))] = KnownQueue(
                row: try statement.number(1), service: try statement.number(2),
                capability: Digest(try statement.fixed(3)))
        }
    }

    /// A transaction begins; what one before it changed and did not commit is forgotten.
    func begin() {
        memory.withLock { memory in
            memory.pending.removeAll(keepingCapacity: true)
            memory.found.removeAll(keepingCapacity: true)
        }
    }

    /// A queue that was asked for before, if its row says nothing about it that is not known here.
    func known(_ id: QueueID) -> RelayQueue? {
        memory.withLock { memory in
            memory.known[id].map { known in
                RelayQueue(row: known.row, id: id, service: known.service, capability: known.capability)
            }
        }
    }

    /// The transaction under way has read a queue's row.
    func remember(_ queue: RelayQueue) {
        let plain = RelayQueue(id: queue.id, service: queue.service, capability: queue.capability)
        guard let capability = queue.capability, queue.hasSettingsOf(plain) else { return }
        memory.withLock { memory in
            memory.found[queue.id] = KnownQueue(row: queue.row, service: queue.service, capability: capability)
        }
    }

    /// The transaction under way changes a queue's row, or deletes it.
    func forget(_ id: QueueID) {
        memory.withLock { memory in
            memory.known[id] = nil
            memory.found[id] = nil
        }
    }

    /// What messages have made of a queue.
    func state(ofQueue row: Int64) throws(StoreError) -> QueueState {
        try memory.withLock { memory throws(StoreError) in
            if let state = memory.pending[row] { return state }
            guard let page = memory.pages[Self.page(of: row)] else { return QueueState() }
            guard let state = QueueState(page, at: Self.offset(of: row)) else {
                throw StoreError.corrupted("table queue_state, queue \(row)")
            }
            return state
        }
    }

    /// Changes it in the transaction under way.
    func set(_ state: QueueState, ofQueue row: Int64) {
        memory.withLock { $0.pending[row] = state }
    }

    /// Writes what the transaction has changed, as its last step.
    func write(to database: Database) throws {
        try memory.withLock { memory in
            guard !memory.pending.isEmpty || !memory.found.isEmpty || memory.writing != nil else { return }
            let log = try Self.appendToLog(memory.pending, after: memory.log, in: database)
            let start = memory.writing ?? Self.beginning(of: memory)
            let (writing, kept) = try Self.writeBack(start, memory.pages, log: log, in: database)
            let begins = memory.writing == nil && start != nil
            database.afterNextTransaction { [self] database in
                self.memory.withLock { memory in
                    if begins { (memory.changed, memory.logByteCount) = ([], 0) }
                    (memory.log, memory.writing) = (kept, writing)
                    Self.commit(&memory)
                }
            }
        }
    }

    // MARK: Log

    private static func readLog(into memory: inout Memory, from database: Database) throws {
        let rows = try database.rows("SELECT row, states FROM queue_change ORDER BY row")
        while let row = try rows.next() {
            let (number, bytes) = (try row.number(0, of: "queue_change"), try row.bytes(1, of: "queue_change"))
            guard bytes.count.isMultiple(of: entryByteCount) else {
                throw StoreError.corrupted("table queue_change, row \(number)")
            }
            for start in stride(from: 0, to: bytes.count, by: entryByteCount) {
                let queue = bytes[start..<start + 8].reduce(0) { $0 << 8 | Int64($1) }
                guard queue > 0, let state = QueueState(bytes, at: start + 8) else {
                    throw StoreError.corrupted("table queue_change, row \(number)")
                }
                store(state, ofQueue: queue, in: &memory)
            }
            memory.log = (memory.log?.lowerBound ?? number)...number
            memory.logByteCount += bytes.count
        }
    }

    private static func appendToLog(
        _ states: [Int64: QueueState], after log: ClosedRange<Int64>?, in database: Database
    ) throws -> ClosedRange<Int64>? {
        var log = log
        var bytes: [UInt8] = []
        func append() throws {
            var statement = try DirectStatement(
                "INSERT INTO queue_change (states) VALUES (?)", of: "queue_change", in: database)
            try statement.bind(bytes)
            try statement.run()
            let row = database.lastInsertedRowID
            log = (log?.lowerBound ?? row)...row
            bytes.removeAll(keepingCapacity: true)
        }
        bytes.reserveCapacity(min(states.count, entriesPerRow) * entryByteCount)
        for (queue, state) in states {
            let start = bytes.count
            for shift in stride(from: Int64(56), through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: queue >> shift))
            }
            bytes.append(contentsOf: repeatElement(0, count: QueueState.byteCount))
            state.write(to: &bytes, at: start + 8)
            if bytes.count >= entriesPerRow * entryByteCount { try append() }
        }
        if !bytes.isEmpty { try append() }
        return log
    }

    private static func commit(_ memory: inout Memory) {
        for (queue, state) in memory.pending { store(state, ofQueue: queue, in: &memory) }
        memory.logByteCount += memory.pending.count * entryByteCount
        memory.pending.removeAll(keepingCapacity: true)
        for (id, queue) in memory.found { memory.known[id] = queue }
        memory.found.removeAll(keepingCapacity: true)
    }

    // MARK: Pages

    private static var emptyPage: [UInt8] { [UInt8](repeating: 0, count: pageByteCount) }

    private static func page(of queue: Int64) -> Int64 { queue / Int64(perPage) }

    private static func offset(of queue: Int64) -> Int { Int(queue % Int64(perPage)) * QueueState.byteCount }

    private static func readPages(into memory: inout Memory, from database: Database) throws {
        let rows = try database.rows("SELECT page, states FROM queue_state")
        while let row = try rows.next() {
            let (number, page) = (try row.number(0, of: "queue_state"), try row.bytes(1, of: "queue_state"))
            guard page.count == pageByteCount else {
                throw StoreError.corrupted("table queue_state, page \(number)")
            }
            memory.pages[number] = page
        }
    }

    /// Puts a state into its page.
    private static func store(_ state: QueueState, ofQueue queue: Int64, in memory: inout Memory) {
        let page = page(of: queue)
        state.write(to: &memory.pages[page, default: emptyPage], at: offset(of: queue))
        memory.changed.insert(page)
    }

    // MARK: Writing back

    private static func beginning(of memory: Memory) -> WritingBack? {
        let enough = max(shortLog, memory.changed.count * pageByteCount)
        guard let log = memory.log, memory.logByteCount >= enough else { return nil }
        return WritingBack(pages: memory.changed.sorted()[...], through: log.upperBound)
    }

    /// Writes some pages as they were before this transaction, whose own changes the log has; once all are written,
    /// deletes some of the log.
    private static func writeBack(
        _ writing: WritingBack?, _ pages: [Int64: [UInt8]], log: ClosedRange<Int64>?, in database: Database
    ) throws -> (WritingBack?, log: ClosedRange<Int64>?) {
        guard var writing, let log else { return (nil, log) }
        if !writing.pages.isEmpty {
            for number in writing.pages.prefix(pagesPerTransaction) {
                guard let page = pages[number] else { continue }
                var statement = try DirectStatement(
                    """
                    INSERT INTO queue_state (page, states) VALUES (?, ?)
                    ON CONFLICT (page) DO UPDATE SET states = excluded.states
                    """, of: "queue_state", in: database)
                try statement.bind(number)
                try statement.bind(page)
                try statement.run()
            }
            writing.pages = writing.pages.dropFirst(pagesPerTransaction)
            return (writing, log)
        }
        let last = min(writing.through, log.lowerBound + logRowsPerTransaction - 1)
        try database.run("DELETE FROM queue_change WHERE row <= ?", [last])
        let left = last < log.upperBound ? last + 1...log.upperBound : nil
        return (last < writing.through ? writing : nil, left)
    }
}
