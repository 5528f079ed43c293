import Foundation
import Handfast
import HandfastCrypto
import HandfastEncoding
import HandfastNode
import HandfastRelay
import HandfastStore

/// A vendor with one live relationship and any number of idle ones beside it, in SQLite as any vendor's would be.
///
/// The live one is made by two nodes that meet. Each idle one has the same rows under names of its own, in the vault and
/// at the relay: nothing opens them, which is what makes them idle, so their content need not fit their names. The sample
/// has identities of its own and fits, so that messages can come to it: their channels begin as that of the live one.
final class Crowd {
    /// An idle relationship and the queue by which its messages would come.
    struct Idle {
        let relationship: RelationshipID
        let queue: QueueID
    }

    private static let now = TimeSource.system.now()
    private static let sampleCount = 20_000

    let folder: URL
    let count: Int
    /// Some of the idle ones, picked evenly.
    private(set) var sample: [Idle] = []
    /// The digest of the one send capability that all idle queues have.
    let capability: Digest
    private let customer: Person
    private let shop: RelationshipID
    private let place: RelayPlace
    private var putCounts: [Int: UInt64] = [:]
    /// The sample in the order in which it gets messages, each as often as the others.
    private var turns: [Int] = []
    /// Those who write to the sample.
    private let customers: Correspondents

    var vaultFolder: VaultFolder { VaultFolder(path: folder.appendingPathComponent("vault").path) }
    private var keyFile: String { folder.appendingPathComponent("key").path }

    /// Makes the vendor, its relay and `count` idle relationships below `folder`.
    init(_ count: Int, in folder: URL) async throws {
        self.folder = folder
        self.count = count
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var random = SecureRandom()
        capability = SendCapability.random(using: &random).digest
        place = try await RelayPlace(path: folder.appendingPathComponent("relay.sqlite").path)
        let vault = try SQLiteVaultStore.create(
            in: VaultFolder(path: folder.appendingPathComponent("vault").path),
            protection: .newKeyFile(path: folder.appendingPathComponent("key").path))
        let vendor = try await Person("Vendor", vault: vault, at: place.address)
        _ = try await vendor.node.makePublicIdentity(domain: "vendor.example")
        vendor.start()
        let customerVault = MemoryVaultStore()
        customer = try await Person("Customer", vault: customerVault, at: place.address)
        customer.start()
        let invitation = try await vendor.node.invite().invitation
        try await Self.accept(invitation.uri, by: customer)
        _ = try await customer.node.event(.relationshipLive)
        shop = try await customer.node.find("Vendor")
        for text in ["Hello", "Hello again"] { try await customer.node.send([.text(text)], to: shop) }
        _ = try await vendor.node.event(.recordReceived) { $0.detail.text == "Hello again" }
        await vendor.stop()
        customers = try await Correspondents(like: shop, in: customerVault)
        try await fill(vault)
        await vault.close()
    }

    /// Accepts as soon as the vendor's bundle is at the relay. Its domain is nobody's, and not asked.
    static func accept(_ uri: String, by customer: Person) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while true {
            do {
                _ = try await customer.node.accept(uri, asksDomain: false)
                return
            } catch NodeError.relay(_) where ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    func openVault() throws -> SQLiteVaultStore {
        try SQLiteVaultStore.open(vaultFolder, unlocking: .keyFile(path: keyFile))
    }

    var relayStore: SQLiteRelayStore { place.store }

    /// Bytes of the vault's files, divided among its relationships.
    func vaultByteCountEach() throws -> Double {
        let size = try FileManager.default.attributesOfItem(atPath: vaultFolder.databasePath)[.size] as? Int
        return Double(size ?? 0) / Double(count + 1)
    }

    /// Puts `count` envelopes into queues of the sample in one transaction.
    func put(_ count: Int) async throws {
        let envelope = [UInt8](repeating: 0x61, count: 1_200)
        try await put((0..<count).map { _ in (Int.random(in: sample.indices), envelope) })
    }

    /// Puts envelopes into queues of the sample in one transaction.
    private func put(_ envelopes: [(index: Int, bytes: [UInt8])]) async throws {
        let writes = envelopes.map { index, envelope in
            defer { putCounts[index, default: 0] += 1 }
            return RelayWrite.put(
                queue: sample[index].queue, capability: capability, first: putCounts[index, default: 0],
                envelopes: [envelope], at: Self.now)
        }
        for outcome in try await place.store.commit(writes) {
            guard case .put(let result, _) = outcome, result.status == .ok else { throw BenchmarkError.wrongContent }
        }
    }

    func stop() async {
        await customer.stop()
        await place.stop()
    }

    // MARK: Messages to relationships at random

    /// Lets so many signed messages of 900 bytes wait at the relay, each of a relationship of the sample at random, the
    /// same one as seldom as can be, and has a node in a process of its own receive them.
    func receiveAtRandom(_ messages: Int) async throws -> Receiver.Report {
        while turns.count < messages { turns += sample.indices.shuffled() }
        let order = Array(turns.prefix(messages))
        turns.removeFirst(messages)
        let text = try NewRecord(TextMessage(text: String(repeating: "a", count: 900)))
        for start in stride(from: 0, to: messages, by: 500) {
            try await put(
                order[start..<min(start + 500, messages)].map { index in
                    (index, try customers.seal(text, in: sample[index].relationship, at: Self.now))
                })
        }
        return try Receiver.run(vaultFolder, keyFile, at: place.address, count: messages)
    }

    // MARK: A vendor's node of its own process

    /// What such a node told.
    struct Report {
        /// From its start until the first message was in its ledger.
        let startNanoseconds: Double
        /// Its resident memory then.
        let residentByteCount: Double
    }

    /// Runs the vendor's node in a process of its own until it has received a message of the live relationship.
    func runVendor() async throws -> Report {
        try await customer.node.send([.text("Are you there?")], to: shop)
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
        process.arguments = ["--vendor", vaultFolder.path, keyFile, place.address.description]
        process.standardOutput = output
        try process.run()
        process.waitUntilExit()
        let line = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let numbers = line.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        guard numbers.count == 2 else { throw BenchmarkError.peerFailed("a vendor's node") }
        return Report(startNanoseconds: numbers[0], residentByteCount: numbers[1])
    }

    /// The whole life of the process of ``runVendor()``.
    static func liveAsVendor(folder: String, keyFile: String, relay: String) async throws {
        let start = ContinuousClock.now
        let vault = try SQLiteVaultStore.open(VaultFolder(path: folder), unlocking: .keyFile(path: keyFile))
        let vendor = try await Person("Vendor", vault: vault, at: RelayAddress(text: relay))
        let last = vendor.node.lastEvent
        vendor.start()
        _ = try await vendor.node.event(.recordReceived, after: last)
        let time = start.duration(to: .now)
        // Whatever else there is to do at a start has had its time.
        try await Task.sleep(for: .seconds(1))
        let resident = Machine.residentByteCount
        await vendor.stop()
        await vault.close()
        print(Comparison.nanoseconds(time), resident)
    }

    // MARK: Filling

    /// The rows of one relationship.
    private struct Rows {
        let relationship: StoredRelationship
        let identity: [UInt8]
        let queue: [UInt8]
        let invitation: [UInt8]
    }

    /// What a node keeps of a queue.
    private struct QueueShape: Encodable {
        let service: [UInt8]
        let capability: [UInt8]
        let isClosing: Bool
    }

    private func fill(_ vault: SQLiteVaultStore) async throws {
        guard let summary = try await vault.relationships(after: 0, limit: 1).first,
            let relationship = try await vault.relationship(summary.id),
            let identity = try await vault.identities(after: 0, limit: 10).last,
            let invitation = try await vault.invitations(after: 0, limit: 1).first,
            let service = try await vault.services(after: 0, limit: 1).first
        else { throw BenchmarkError.wrongContent }
        let queue = QueueShape(service: service.key.array, capability: capability.array, isClosing: false)
        let rows = Rows(
            relationship: relationship, identity: identity.bytes, queue: try CBOREncoder().encode(queue),
            invitation: invitation.bytes)
        // Large batches: each page of the indices is then written once for many rows.
        let batch = 20_000
        for start in stride(from: 0, to: count, by: batch) {
            var changes: [VaultChange] = []
            var openings: [QueueOpening] = []
            for index in start..<min(start + batch, count) {
                let (idle, plain) = Self.idle(rows)
                var change = plain
                if index % max(1, count / Self.sampleCount) == 0 { try Self.fit(&change, rows) }
                changes.append(change)
                openings.append(QueueOpening(id: idle.queue, kind: .send(capability: capability)))
                if index % max(1, count / Self.sampleCount) == 0 { sample.append(idle) }
            }
            _ = try await vault.commit(changes)
            _ = try await place.store.commit([.open(service: service.key, queues: openings)])
        }
    }

    /// Gives a relationship its own id and identity inside, too.
    private static func fit(_ change: inout VaultChange, _ rows: Rows) throws {
        var random = SecureRandom()
        let secret = try CBORDecoder().decode(IdentityShape.self, from: rows.identity).secret
        let vendor = try Identity.decode(secret.bytes)
        let old = vendor.log
        let own = try Identity.create(at: now, using: &random)
        let (oldInception, inception) = (old.events[0], own.log.events[0])
        guard let id = change.relationship?.id, let oldNext = oldInception.next, let next = inception.next else {
            throw BenchmarkError.wrongContent
        }
        let state = rows.relationship.state.replacing(rows.relationship.id.digest.array, with: id.digest.array)
            .replacing(oldInception.digest.array, with: inception.digest.array)
            .replacing(oldInception.signingKey.array, with: inception.signingKey.array)
            .replacing(oldNext.array, with: next.array)
        change.relationship?.state = .set(state)
        let shape = IdentityShape(use: "pairwise", secret: [UInt8](own.encoded().bytes))
        change.identities = [IdentityRow(id: own.id, bytes: try CBOREncoder().encode(shape))]
    }

    private static func idle(_ rows: Rows) -> (Idle, VaultChange) {
        var random = SystemRandomNumberGenerator()
        let digest = Digest(FixedBytes(random: &random))
        let idle = Idle(relationship: RelationshipID(digest), queue: .random(using: &random))
        var change = VaultChange()
        change.relationship = RelationshipUpdate(
            id: idle.relationship, expectedVersion: nil, state: .set(rows.relationship.state),
            channel: rows.relationship.channel.map { .set($0) } ?? .unchanged,
            auxiliary: rows.relationship.auxiliary.map { .set($0) } ?? .unchanged)
        change.identities = [IdentityRow(id: IdentityID(digest), bytes: rows.identity)]
        change.queues = [QueueRow(id: idle.queue, relationship: idle.relationship, bytes: rows.queue)]
        change.invitations = [InvitationRow(knock: Knock(digest), bytes: rows.invitation)]
        change.spentTickets = [SpentTicket(knock: Knock(digest), relationship: idle.relationship)]
        change.hellos = [
            HelloRow(hash: digest, relationship: idle.relationship, eraseAfter: now.adding(seconds: 7 * 86_400))
        ]
        return (idle, change)
    }
}
