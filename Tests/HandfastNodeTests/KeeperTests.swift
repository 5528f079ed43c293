import Handfast
import HandfastCrypto
import HandfastStore
import Synchronization
import Testing

@testable import HandfastNode
@testable import HandfastStore

/// The one owner of a vault's state.
@Suite struct KeeperTests {
    /// Operations that share a commit read each other's rows, but not those of one that failed.
    @Test func whatAFailedOperationKeptIsNotReadByTheNext() async throws {
        let node = try await Node.open(NodeConfiguration(), store: MemoryVaultStore())
        let keeper = node.keeper
        let key = WalletKey(.recovery, Array("row".utf8))
        try await keeper.perform { keeper, draft in try keeper.keep(UInt64(1), at: key, draft) }
        // While this one works the others come, so that they are done together.
        async let first: Void = keeper.perform { _, _ in for _ in 0..<500 { await Task.yield() } }
        let failing = Task {
            try await keeper.perform { keeper, draft in
                try keeper.keep(UInt64(2), at: key, draft)
                try keeper.removeWalletRow(at: key, draft)
                throw NodeError.badData("on purpose")
            }
        }
        async let reading = keeper.perform { keeper, _ in try await keeper.walletRow(UInt64.self, key) }
        try await first
        await #expect(throws: NodeError.badData("on purpose")) { try await failing.value }
        let read = try await reading
        #expect(read == 1)
        #expect(try await keeper.walletRow(UInt64.self, key) == 1)
    }

    // MARK: Beside a commit

    private static let firstKey = WalletKey(.recovery, Array("first".utf8))
    private static let secondKey = WalletKey(.recovery, Array("second".utf8))

    @Test func messagesAreOpenedBesideACommitAndEverythingElseAfterIt() async throws {
        let gate = CommitGate()
        let keeper = try await Node.open(NodeConfiguration(), store: gate.store()).keeper
        gate.close()
        let ran = Mutex<[String]>([])
        let first = await keeper.begin { keeper, draft in try keeper.keep(UInt64(1), at: Self.firstKey, draft) }
        await gate.reached()
        let ahead = await keeper.begin(runsAhead: true) { keeper, draft in
            ran.withLock { $0.append("ahead") }
            try keeper.keep(UInt64(2), at: Self.secondKey, draft)
        }
        let reading = await keeper.begin(runsAhead: true) { keeper, _ in
            ran.withLock { $0.append("reads") }
            await keeper.settled()
            ran.withLock { $0.append("has read") }
            return try await keeper.walletRow(UInt64.self, Self.firstKey)
        }
        let other = await keeper.begin { _, _ in ran.withLock { $0.append("other") } }
        try await until("beginning") { ran.withLock { $0.count } == 2 }
        #expect(ran.withLock { $0 } == ["ahead", "reads"])
        gate.open()
        try await first.value
        try await ahead.value
        #expect(try await reading.value == 1)
        try await other.value
        #expect(ran.withLock { $0 } == ["ahead", "reads", "has read", "other"])
        #expect(try await keeper.walletRow(UInt64.self, Self.secondKey) == 2)
    }

    @Test func whatWasDoneBesideACommitThatFailsFallsWithIt() async throws {
        let gate = CommitGate()
        let store = gate.store()
        let keeper = try await Node.open(NodeConfiguration(), store: store).keeper
        gate.close()
        let first = await keeper.begin { keeper, draft in try keeper.keep(UInt64(1), at: Self.firstKey, draft) }
        await gate.reached()
        let ran = Mutex(0)
        let done = await keeper.begin(runsAhead: true) { keeper, draft in
            try keeper.keep(UInt64(2), at: Self.secondKey, draft)
            ran.withLock { $0 += 1 }
        }
        let halfDone = await keeper.begin(runsAhead: true) { keeper, draft in
            ran.withLock { $0 += 1 }
            await keeper.settled()
            try keeper.keep(UInt64(3), at: Self.secondKey, draft)
        }
        try await until("beginning") { ran.withLock { $0 } == 2 }
        gate.open(failing: .inputOutput("on purpose"))
        await #expect(throws: NodeError.store(.inputOutput("on purpose"))) { try await first.value }
        await #expect(throws: NodeError.store(.inputOutput("on purpose"))) { try await done.value }
        await #expect(throws: NodeError.interrupted) { try await halfDone.value }
        #expect(try await keeper.perform { keeper, _ in try await keeper.walletRow(UInt64.self, Self.firstKey) } == nil)
        #expect(try await store.walletRow(Self.secondKey) == nil)
        try await keeper.perform { keeper, draft in try keeper.keep(UInt64(4), at: Self.secondKey, draft) }
        #expect(try await keeper.walletRow(UInt64.self, Self.secondKey) == 4)
    }

    /// A later position must not be committed where an earlier one was not: its messages would be lost.
    @Test func deliveriesFallWithThoseBeforeThemThoughTheyHaveNothingInCommon() async throws {
        let gate = CommitGate()
        let store = gate.store()
        let keeper = try await Node.open(NodeConfiguration(), store: store).keeper
        gate.close()
        let unrelated = await keeper.begin { keeper, draft in try keeper.keep(UInt64(1), at: Self.firstKey, draft) }
        await gate.reached()
        let failing: OperationResult<Keeper.Received> = await keeper.begin(runsAhead: true) { _, _ in
            throw NodeError.badData("on purpose")
        }
        let following = await keeper.begin(runsAhead: true) { keeper, draft in
            draft.predecessor = failing
            try keeper.keep(UInt64(2), at: Self.secondKey, draft)
            return Keeper.Received()
        }
        gate.open()
        try await unrelated.value
        await #expect(throws: NodeError.badData("on purpose")) { _ = try await failing.value }
        await #expect(throws: NodeError.interrupted) { _ = try await following.value }
        // The one after that is begun when both have been answered.
        let last = await keeper.begin(runsAhead: true) { keeper, draft in
            draft.predecessor = following
            try keeper.keep(UInt64(3), at: Self.secondKey, draft)
            return Keeper.Received()
        }
        await #expect(throws: NodeError.interrupted) { _ = try await last.value }
        #expect(try await store.walletRow(Self.secondKey) == nil)
        #expect(try await store.walletRow(Self.firstKey) != nil)
    }

    /// Another node of a fleet has changed the relationship: what was sealed here must not leave.
    @Test func whatWasDoneBesideACommitThatLostItsRelationshipFallsToo() async throws {
        let world = try await World()
        let id = try await world.meet()
        try await world.settle(id)
        await world.vendor.stop()
        let gate = CommitGate()
        let store = gate.store(copying: world.vendor.store)
        let keeper = try await Node.open(NodeConfiguration(), store: store).keeper
        let another = try await Node.open(NodeConfiguration(), store: store)
        // Both have the same version in memory.
        try await keeper.perform { keeper, _ in _ = try await keeper.load(id) }
        _ = try await another.send([.text("by the other")], to: id)
        let before = try await store.outbox(of: id, limit: 100).count
        gate.close()
        let speak: @Sendable (isolated Keeper, Draft) async throws -> Void = { keeper, draft in
            try keeper.speak(in: try await keeper.load(id), draft)
        }
        let first = await keeper.begin(speak)
        await gate.reached()
        let ahead = await keeper.begin(runsAhead: true, speak)
        // Orders what follows behind it.
        let marker = await keeper.begin(runsAhead: true) { _, _ in }
        gate.open()
        await #expect(throws: NodeError.interrupted) { try await first.value }
        await #expect(throws: NodeError.interrupted) { try await ahead.value }
        try await marker.value
        #expect(try await store.outbox(of: id, limit: 100).count == before)
        try await keeper.perform(speak)
        #expect(try await store.outbox(of: id, limit: 100).count == before + 1)
        await world.end()
    }
}

/// Holds the commits of a store back.
private final class CommitGate: Sendable {
    private struct State {
        var isClosed = false
        var failure: StoreError?
        var held: CheckedContinuation<Void, Never>?
        var watcher: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func store(copying original: MemoryVaultStore = MemoryVaultStore()) -> MemoryVaultStore {
        original.copy(
            probe: CommitProbe(
                before: { _ throws(StoreError) in
                    await withCheckedContinuation { continuation in
                        let watcher = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
                            guard state.isClosed else {
                                continuation.resume()
                                return nil
                            }
                            state.held = continuation
                            defer { state.watcher = nil }
                            return state.watcher
                        }
                        watcher?.resume()
                    }
                    let failure = self.state.withLock { state -> StoreError? in
                        defer { state.failure = nil }
                        return state.failure
                    }
                    if let failure { throw failure }
                }, after: {}))
    }

    /// The next commits wait.
    func close() { state.withLock { $0.isClosed = true } }

    /// Waits until a commit waits.
    func reached() async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state -> Bool in
                if state.held == nil { state.watcher = continuation }
                return state.held != nil
            }
            if isThere { continuation.resume() }
        }
    }

    /// Lets the commit go on that waits, or has it fail, and those that follow.
    func open(failing failure: StoreError? = nil) {
        let held = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.isClosed = false
            state.failure = failure
            defer { state.held = nil }
            return state.held
        }
        held?.resume()
    }
}
