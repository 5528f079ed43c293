internal import DeliveryHistory
internal import Handfast
internal import HandfastChannel
internal import HandfastStore

@testable internal import HandfastNode

/// One seeded run of two whole nodes and a relay, under faults, and then without: the code of a node and of a relay as it
/// is, on a simulated network, clock and disk.
///
/// Whatever happens:
/// - every message whose sender was told that it is safe is read, exactly once, and in order (``DeliveryHistory``), unless
///   the sender's vault was taken back and no epoch has begun since;
/// - no key is used twice with one nonce;
/// - every step of ``Audit`` holds when it is taken;
/// - within minutes after the faults cease both sides hold the same ledger and nothing waits, without anybody starting
///   anything anew; where a store was taken back, within days, in the same epoch;
/// - no epoch begins where neither a vault nor the relay was taken back;
/// - nothing of a side that was blocked is read any more;
/// - a relationship freezes only where more than one of vaults and relay were taken back.
struct NodeSimulation {
    /// What happens in a run, beside messages.
    enum Trouble: Int, CaseIterable {
        /// Connections break, fall silent, are slow; nobody reaches anybody for a while.
        case network
        /// Processes are killed, disks are full, flushes fail.
        case crashes
        /// A vault is copied back while its node is down.
        case vaultBack
        /// The relay is restored from an old copy.
        case relayBack
        /// Two nodes are at work on copies of one vault.
        case copies
        /// All of these.
        case everything
        /// One side blocks the other.
        case block
    }

    /// A fault of the programs themselves, to see that a run finds it.
    enum Mutant: String, CaseIterable {
        /// The relay says that what it has not on its disk is stored.
        case relayAnswersBeforeCommit
        /// A node says that what it has not on its disk is committed, and acknowledges it.
        case nodeAnswersBeforeCommit
        /// A vault that was taken back draws the same salts again.
        case saltNotRenewed
    }

    /// What a run came to.
    struct Outcome: Equatable {
        var digest: UInt64 = 0
        var acknowledged = 0
        var read = 0
        var epochs = 0
        var sealed = 0
        var jobs = 0
        var frozen = 0
    }

    /// Rounds of 70 s in which everything arrives where nothing was taken back.
    private static let promptRounds = 9

    private let world: NodeWorld
    private let id: RelationshipID
    private let epoch: UInt64
    private let trouble: Trouble
    private let mutant: Mutant?
    private let setsClocks: Bool
    private let history = Shared(DeliveryHistory())
    private var random: Randomness
    private var messages = [0, 0]
    /// What an application has read, by side.
    private var observed: [[String]] = [[], []]
    /// Messages that nobody knows about whether they were sent.
    private let unanswered = Shared<[[String]]>([[], []])
    private var vaults: [(store: MemoryVaultStore, read: Int)?] = [nil, nil]
    private var entropySeeds: [UInt64] = [0, 0]
    private var oldRelay: MemoryRelayStore?
    private var copies: [SimulatedNode?] = [nil, nil]
    private var wasBack = [false, false]
    /// The epoch in which a side's vault was taken back or copied; what it sends may be lost until a later one stands.
    private var backIn: [UInt64?] = [nil, nil]
    private var relayWasBack = false
    private var blocker: Int?
    private let isBlocked = Shared(false)

    /// Runs a seed.
    ///
    /// - Throws: ``BrokenPromise`` for the first property that does not hold.
    static func run(
        seed: UInt64, origins: NodeOrigins, mutant: Mutant? = nil, isTelling: Bool = false
    ) throws -> Outcome {
        var simulation = try NodeSimulation(seed: seed, origins.origin(seed), mutant, isTelling)
        return try simulation.run()
    }

    private init(seed: UInt64, _ origin: NodeOrigins.Origin, _ mutant: Mutant?, _ isTelling: Bool) throws {
        world = try NodeWorld(seed: seed, disks: origin.disks, isTelling: isTelling)
        id = origin.relationship
        epoch = origin.epoch
        random = Randomness(seed: seed &* 0x9e37_79b9_7f4a_7c15)
        let drawn = Trouble(rawValue: random.below(Trouble.allCases.count)) ?? .network
        trouble = mutant == .saltNotRenewed ? .vaultBack : drawn
        setsClocks = random.once(in: 4)
        self.mutant = mutant
    }

    private mutating func run() throws -> Outcome {
        world.trace.note("begin", trouble.rawValue, text: "\(trouble)")
        world.network.setSlowness(random.once(in: 3) ? 50 : 1)
        startRelay()
        for side in 0...1 { startNode(side) }
        for _ in 0..<4 + random.below(6) {
            try act()
            try observe()
        }
        let outcome = try settle()
        try world.end()
        return outcome
    }

    // MARK: Processes

    private mutating func startRelay(on other: MemoryRelayStore? = nil) {
        guard world.relay.process == nil else { return }
        var faults = StoreFaults()
        if mutant == .relayAnswersBeforeCommit { faults.loseFrom = 1 + random.below(12) }
        if trouble == .crashes || trouble == .everything, random.once(in: 6) { fail(&faults) }
        world.trace.note("relay starts")
        world.relay.start(on: other, faults: faults, seed: random.next())
    }

    private mutating func startNode(_ side: Int, on other: MemoryVaultStore? = nil) {
        guard world.nodes[side].process == nil else { return }
        var faults = StoreFaults()
        if mutant == .nodeAnswersBeforeCommit { faults.loseFrom = 1 + random.below(12) }
        if trouble == .crashes || trouble == .everything, random.once(in: 6) { fail(&faults) }
        let seed = random.next()
        if mutant != .saltNotRenewed || other == nil { entropySeeds[side] = seed }
        world.trace.note("node starts", side)
        world.nodes[side].start(on: other, faults: faults, seed: entropySeeds[side])
    }

    /// One of the next commits fails: without a trace, or with its flush, on the disk or not.
    private mutating func fail(_ faults: inout StoreFaults) {
        let commit = 1 + random.below(10)
        switch random.below(3) {
        case 0: faults.failBefore = [commit]
        case 1: faults.failAfter = [commit]
        default: faults.failSync = [commit]
        }
    }

    // MARK: What happens

    private mutating func act() throws {
        let side = random.below(2)
        switch random.below(10) {
        case 0...3: send(1 + random.below(3), from: side)
        case 4: if random.once(in: 3) { retry(side) } else { send(1, from: side) }
        case 5: disturbNetwork()
        default: try disturb(side)
        }
        if setsClocks, random.once(in: 4) { setClock() }
        // What follows comes while this is under way, or later.
        switch random.below(3) {
        case 0: try world.run(steps: random.below(120), within: .seconds(5))
        case 1: try world.run(for: .milliseconds(random.below(500)))
        default: try world.run(for: .seconds(random.below(40)))
        }
        if world.relay.process == nil, random.once(in: 2) { startRelay() }
        for side in 0...1 where world.nodes[side].process == nil && random.once(in: 2) { startNode(side) }
    }

    private func setClock() {
        var random = random
        let seconds = Int64(random.below(7_200)) - 1_800
        world.trace.note("clock", Int(seconds))
        world.time.setWall(by: seconds)
    }

    private mutating func disturbNetwork() {
        switch random.below(4) {
        case 0: world.network.partition(for: .seconds(random.below(60)))
        case 1: world.network.disturb(silently: true)
        default: world.network.disturb(silently: false)
        }
    }

    private mutating func disturb(_ side: Int) throws {
        switch trouble {
        case .network: disturbNetwork()
        case .crashes: try crash(side)
        case .vaultBack: try takeVaultBack(side == 0 && random.once(in: 4) ? 0 : 1)
        case .relayBack: takeRelayBack()
        case .copies: copy(1)
        case .everything:
            switch random.below(4) {
            case 0: try crash(side)
            case 1: try takeVaultBack(side)
            case 2: takeRelayBack()
            default: copy(side)
            }
        case .block: if blocker == nil { block(side) } else { try crash(side) }
        }
    }

    private mutating func crash(_ side: Int) throws {
        switch random.below(6) {
        case 0:
            world.trace.note("relay killed")
            world.relay.kill()
        case 1...2:
            world.trace.note("node killed", side)
            world.nodes[side].kill()
        case 3:
            world.trace.note("commit fails", side)
            world.nodes[side].disk?.failOnce()
            world.relay.disk?.failOnce()
        default:
            let disk = random.once(in: 2) ? world.nodes[side].disk : world.relay.disk
            world.trace.note("disk full", side)
            disk?.setFull(true)
            send(1, from: side)
            try world.run(for: .seconds(random.below(20)))
            disk?.setFull(false)
        }
    }

    /// A vault is saved, or its node is killed and finds the saved one.
    private mutating func takeVaultBack(_ side: Int) throws {
        guard copies[side] == nil else { return }
        guard let saved = vaults[side], random.once(in: 2) else {
            world.trace.note("vault saved", side)
            try observe()
            vaults[side] = (world.nodes[side].copyOfDisk(), observed[side].count)
            return
        }
        world.trace.note("vault back", side)
        world.nodes[side].kill()
        wentBack(side, to: saved.read)
        startNode(side, on: saved.store)
    }

    private mutating func wentBack(_ side: Int, to read: Int) {
        goBack(side)
        observed[side] = Array(observed[side].prefix(read))
        unanswered.withLock { $0[side] = [] }
        history.withLock { history in
            history.readerWentBack(to: read, in: queue(to: side))
            for number in 0..<messages[side] { history.mayLose(message(number, from: side)) }
        }
    }

    private mutating func goBack(_ side: Int) {
        wasBack[side] = true
        let nodes = world.nodes + copies.compactMap { $0 }
        backIn[side] = nodes.compactMap { $0.kept()?.policy.epoch }.max() ?? epoch
    }

    private mutating func end(_ other: SimulatedNode, of side: Int) {
        other.kill()
        // What it said in an epoch that began meanwhile may yet show, and end that epoch.
        goBack(side)
        copies[side] = nil
    }

    /// Forgets that a vault was taken back once both sides are in a later epoch.
    private mutating func noteEpoch() {
        guard copies.allSatisfy({ $0 == nil }), backIn.contains(where: { $0 != nil }), inOneEpoch() else { return }
        let now = world.nodes[0].kept()?.policy.epoch ?? 0
        for side in 0...1 where backIn[side].map({ $0 < now }) ?? false { backIn[side] = nil }
    }

    private mutating func takeRelayBack() {
        guard let old = oldRelay, random.once(in: 2) else {
            world.trace.note("relay saved")
            oldRelay = world.relay.copyOfDisk()
            return
        }
        world.trace.note("relay back")
        world.relay.kill()
        relayWasBack = true
        startRelay(on: old)
    }

    /// A second node begins on a copy of the vault, or one of the two ends.
    private mutating func copy(_ side: Int) {
        if let other = copies[side] {
            world.trace.note("copy ends", side)
            end(other, of: side)
            return
        }
        world.trace.note("copied", side)
        // All that either of them sends from now on may lose against the other, and be said again by it.
        goBack(side)
        vaults[side] = nil
        let underWay = unanswered.withLock { unanswered in
            defer { unanswered[side] = [] }
            return unanswered[side]
        }
        history.withLock { history in for text in underWay { history.mayLose(text) } }
        let other = SimulatedNode(name: "Copy", store: world.nodes[side].copyOfDisk(), in: world.place)
        other.start(seed: random.next())
        copies[side] = other
        send(1, from: side, by: other)
    }

    private mutating func block(_ side: Int) {
        guard let node = world.nodes[side].node, let process = world.nodes[side].process else { return }
        blocker = side
        world.trace.note("block", side)
        world.audit.allowsDrops()
        process.run { [id, history, isBlocked, closed = queue(to: side)] in
            guard (try? await node.block(id)) != nil else { return }
            history.withLock { $0.closes(closed) }
            isBlocked.set(true)
        }
    }

    // MARK: Messages

    private func queue(to side: Int) -> String { side == 0 ? "to vendor" : "to customer" }

    private func message(_ number: Int, from side: Int) -> String { "\(side == 0 ? "V" : "C")\(number)" }

    private mutating func send(_ count: Int, from side: Int, by other: SimulatedNode? = nil) {
        let texts = (0..<count).map { message(messages[side] + $0, from: side) }
        messages[side] += count
        noteEpoch()
        for text in texts { send(text, from: side, by: other ?? world.nodes[side]) }
    }

    /// Sends again, under the same key, what got no answer.
    private func retry(_ side: Int) {
        let texts = unanswered.withLock { unanswered in
            defer { unanswered[side] = [] }
            return unanswered[side]
        }
        for text in texts { send(text, from: side, by: world.nodes[side]) }
    }

    private func send(_ text: String, from side: Int, by sender: SimulatedNode) {
        let mayBeLost = backIn[side] != nil
        guard let node = sender.node, let process = sender.process else { return }
        unanswered.withLock { $0[side].append(text) }
        history.withLock { history in
            history.tries(text, in: queue(to: 1 - side))
            if mayBeLost { history.mayLose(text) }
        }
        process.run { [id, history, unanswered, trace = world.trace] in
            do {
                try await node.send([.text(text)], to: id, idempotencyKey: text)
                guard process.isAlive else { return }
                trace.note("sent", side, text: text)
                history.withLock { $0.acknowledged(text) }
                unanswered.withLock { $0[side].removeAll { $0 == text } }
            } catch {
                trace.note("not sent", side, text: "\(text): \(error)")
            }
        }
    }

    /// Reads what has been received since the last time.
    private mutating func observe() throws {
        for side in 0...1 {
            let texts = world.nodes[side].texts()
            try BrokenPromise.unless(
                texts.starts(with: observed[side]), "\(world.nodes[side].name) has forgotten what it had read")
            history.withLock { history in
                for text in texts.dropFirst(observed[side].count) { history.reads(text, in: queue(to: side)) }
            }
            observed[side] = texts
        }
    }

    // MARK: The end

    private mutating func settle() throws -> Outcome {
        world.trace.note("faults cease")
        let startsAnew = random.once(in: 2)
        for side in 0...1 {
            if let other = copies[side] { end(other, of: side) }
            if startsAnew { world.nodes[side].kill() }
        }
        if startsAnew { world.relay.kill() }
        world.relay.disk?.setFull(false)
        startRelay()
        for side in 0...1 {
            startNode(side)
            world.nodes[side].disk?.setFull(false)
        }
        var rounds = 0
        var isFrozen = false
        while true {
            rounds += 1
            // Where both sides were taken back each asks anew about once an hour, until one has the other's epoch.
            try BrokenPromise.unless(
                rounds <= (wasBack == [true, true] ? 200 : 40), "no recovery in \(rounds) rounds: \(report())")
            // A failed flush may still come: the process ends, and whoever looks after it starts it again.
            startRelay()
            for side in 0...1 { startNode(side) }
            if rounds % 4 == 1 { for side in 0...1 { send(1, from: side) } }
            try world.run(for: .seconds(70))
            try observe()
            if blocker != nil {
                if try settleBlock() { break }
                continue
            }
            isFrozen = try areFrozen()
            if isFrozen || agree() { break }
            if wasBack == [false, false], !relayWasBack {
                try BrokenPromise.unless(
                    rounds < Self.promptRounds,
                    "nothing was taken back, and what was sent is not read within minutes: \(report())")
                continue
            }
            world.time.setWall(by: 7_200)
        }
        try observe()
        try check(isOver: blocker == nil && !isFrozen)
        let kept = world.nodes.map { $0.kept() }
        let counts = history.withLock { $0.counts }
        let epochs = Int((kept[0]?.policy.epoch ?? epoch) - epoch)
        if !wasBack[0], !wasBack[1], !relayWasBack, blocker == nil {
            try BrokenPromise.unless(epochs == 0, "an epoch began without cause: \(report())")
        }
        return Outcome(
            digest: world.trace.digest, acknowledged: counts.acknowledged, read: counts.read, epochs: epochs,
            sealed: world.recorder.counts.placed, jobs: world.jobs, frozen: isFrozen ? 1 : 0)
    }

    private func check(isOver: Bool) throws {
        let faults = history.withLock { $0.faults(isOver: isOver) }
        try BrokenPromise.unless(faults.isEmpty, faults.map(\.description).joined(separator: "; "))
    }

    /// Whether the block stands, and all that came before it has been taken.
    private mutating func settleBlock() throws -> Bool {
        guard let blocker else { return true }
        guard isBlocked.value else {
            self.blocker = nil
            block(blocker)
            return false
        }
        try check(isOver: false)
        try BrokenPromise.unless(world.nodes[blocker].kept()?.stop == .blocked, "a block was lifted")
        return true
    }

    private func inOneEpoch() -> Bool {
        let kept = world.nodes.compactMap { $0.kept() }
        guard kept.count == 2 else { return false }
        return kept.allSatisfy { $0.relationship.state == .live && !$0.isRejoining && $0.policy.cause == nil }
            && kept[0].policy.epoch == kept[1].policy.epoch
    }

    private func agree() -> Bool {
        inOneEpoch() && world.nodes.allSatisfy { $0.waiting() == 0 }
            && SenderRole.allCases.allSatisfy { world.nodes[0].records($0) == world.nodes[1].records($0) }
    }

    private func areFrozen() throws -> Bool {
        let kept = world.nodes.compactMap { $0.kept() }
        guard kept.contains(where: { $0.relationship.state == .frozen }) else { return false }
        let isExcused = wasBack == [true, true] || relayWasBack && wasBack.contains(true)
        try BrokenPromise.unless(isExcused, "it froze: \(report())")
        return true
    }

    private func report() -> String {
        world.nodes.map { node in
            guard let kept = node.kept() else { return "\(node.name) has no relationship" }
            return "\(node.name) \(kept.relationship.state) epoch \(kept.policy.epoch) "
                + "\(kept.trouble ?? "without trouble"), \(node.waiting()) waiting, "
                + "\(node.records(.invitee).count) + \(node.records(.inviter).count) records"
        }.joined(separator: "; ")
    }
}
