import Foundation
import HandfastCrypto
import HandfastEncoding
import HandfastRelay
import Testing

@testable import Handfast
@testable import HandfastNode
@testable import HandfastStore

/// Backups of a node: what they hold, what they never hold, and what comes of it when they are restored.
@Suite(.serialized) struct BackupTests {
    private static let passphrase = Array("of the backup".utf8)

    private static func backUp(_ node: Node, to path: String) async throws -> BackupReport {
        var random = SecureRandom()
        return try await node.backUp(to: path, passphrase: passphrase, parameters: .interactive(using: &random))
    }

    /// A customer whose vault lies in a file, in a relationship with the vendor of a world.
    private final class Customer: Sendable {
        let folder = "\(NSTemporaryDirectory())/hf-\(UUID().uuidString)"
        let store: SQLiteVaultStore
        let node: Node
        private let running: Task<Void, any Error>

        init(in world: World) async throws {
            store = try SQLiteVaultStore.create(
                in: VaultFolder(path: folder), protection: .newKeyFile(path: "\(folder).key"))
            let node = try await Node.open(Self.configuration(world), store: store)
            self.node = node
            running = Task { try await node.run() }
        }

        static func configuration(_ world: World) -> NodeConfiguration {
            var configuration = NodeConfiguration(relay: world.relay.address, name: "Customer")
            configuration.delivery.firstPause = .milliseconds(5)
            configuration.delivery.longestPause = .milliseconds(50)
            return configuration
        }

        func stop() async {
            running.cancel()
            _ = await running.result
        }

        func end() async {
            await stop()
            await store.close()
            for path in [folder, "\(folder).key"] { try? FileManager.default.removeItem(atPath: path) }
        }
    }

    private static func secrets(inItem item: [UInt8]) throws -> [[UInt8]] {
        secrets(in: try CBORValue(decoding: item.bytes))
    }

    private static func met(_ world: World) async throws -> (Customer, RelationshipID) {
        let customer = try await Customer(in: world)
        let (invitation, _) = try await world.vendor.node.invite(label: "Customer")
        try await until("publication", world.vendor) {
            _ = try await customer.node.accept(invitation.uri, asksDomain: false)
            return true
        }
        try await world.vendor.event(.relationshipLive)
        let id = try await RelationshipID(text: try #require(customer.node.relationships().first).id)
        try await until("being live", world.vendor) {
            let (own, other) = (
                try await customer.node.relationship(id), try await world.vendor.node.relationship(id)
            )
            return own.state == "live" && own.peerRecords > 0 && other.peerRecords > 0
        }
        return (customer, id)
    }

    /// All byte strings of an item that are long enough to be a key, and each 32 bytes of those that hold several.
    private static func secrets(in value: CBORValue) -> [[UInt8]] {
        switch value {
        case .bytes(let bytes) where bytes.count >= 16:
            [bytes] + stride(from: 0, through: bytes.count - 32, by: 32).map { Array(bytes[$0..<$0 + 32]) }
        case .array(let items): items.flatMap { secrets(in: $0) }
        default: []
        }
    }

    /// The pitfall of element-ios#7480 from the side of a backup: no key for one use is in it, nor any other that seals a
    /// message, so that none can be used again.
    @Test func noKeyOfAChannelOrBundleAndNoTicketIsInABackup() async throws {
        let world = try await World()
        let (customer, id) = try await Self.met(world)
        _ = try await world.vendor.node.send([.text("hello")], to: id, idempotencyKey: nil)
        _ = try await customer.node.send([.text("hello")], to: id, idempotencyKey: nil)
        let (invitation, _) = try await customer.node.invite(label: "Somebody")
        try await until("a bundle", world.vendor) { try await !customer.store.bundles(after: 0, limit: 9).isEmpty }
        await customer.stop()
        let path = "\(customer.folder)/backup"
        _ = try await Self.backUp(customer.node, to: path)

        var secrets: [[UInt8]] = [invitation.ticket.array, Array(invitation.uri.utf8)]
        let stored = try #require(try await customer.store.relationship(id))
        for part in [stored.channel, stored.auxiliary] {
            guard let part else { continue }
            secrets += try Self.secrets(inItem: part)
        }
        for bundle in try await customer.store.bundles(after: 0, limit: 100) {
            secrets.append(try Row.decode(KeptBundle.self, bundle.bytes).seed)
        }
        #expect(secrets.count > 12)

        var plain = Data()
        let file = try BackupFile(path: path, writing: false) { try $0.open(passphrase: Self.passphrase) }
        while let item = try file.next() { plain += item.encoded() }
        for (number, secret) in secrets.enumerated() {
            #expect(plain.firstRange(of: secret) == nil, "secret \(number) of \(secrets.count)")
        }
        // The search would find what is there: the secret from which the next epoch resumes, and the identity.
        let resume = try #require(stored.resume)
        #expect(plain.firstRange(of: resume) != nil)
        let sealed = try #require(FileManager.default.contents(atPath: path))
        #expect(sealed.firstRange(of: resume) == nil && sealed.firstRange(of: Data("hello".utf8)) == nil)
        await customer.end()
        await world.end()
    }

    /// The pitfall of element-ios#2814: a restore rolls the ratchet back. Here it has none to roll back: every peer is asked for a new epoch
    /// before anything is signed, and the old node that still runs repeats nothing under any key.
    @Test func aRestoredVaultNeverSealsUnderAKeyOfTheOldOne() async throws {
        let relayStore = RecordingRelayStore()
        let world = try await World(relay: LoopbackRelay(store: relayStore))
        let (customer, id) = try await Self.met(world)
        _ = try await customer.node.send([.text("known")], to: id, idempotencyKey: nil)
        let path = "\(customer.folder)/backup"
        _ = try await Self.backUp(customer.node, to: path)
        _ = try await customer.node.send([.text("later")], to: id, idempotencyKey: nil)
        try await until("delivery", world.vendor) { try await world.vendor.texts() == ["known", "later"] }

        let store = MemoryVaultStore()
        let backup = try BackupReader(path: path, passphrase: Self.passphrase)
        let report = try await Node.restore(backup, into: store) { _, _ in }
        #expect(report.relationships == 1 && report.asking == 1)
        let restored = try #require(try await store.relationship(id))
        #expect(try KeptRelationship(decoding: restored.state).policy.isWaiting)
        // What is stored in the channel's place opens the answer, and holds nothing of the old channel.
        let old = try #require(try await customer.store.relationship(id)?.channel)
        let waiting = Data(try #require(restored.channel))
        for secret in try Self.secrets(inItem: old) {
            #expect(waiting.firstRange(of: secret) == nil)
        }
        #expect(try await store.bundles(after: 0, limit: 9).isEmpty)
        #expect(try await store.invitations(after: 0, limit: 9).isEmpty)
        let outbox = try await store.outbox(of: id, limit: 9)
        #expect(outbox.count == 1 && outbox.allSatisfy { $0.envelope.first == 2 })

        let node = try await Node.open(Customer.configuration(world), store: store)
        await #expect(throws: NodeError.self) {
            _ = try await node.send([.text("too early")], to: id, idempotencyKey: nil)
        }
        let running = Task { try await node.run() }
        // The old node is still there, and says something, too.
        _ = try? await customer.node.send([.text("from the old one")], to: id, idempotencyKey: nil)
        try await until("an epoch", world.vendor) {
            let report = try await node.relationship(id)
            return report.epoch > 0 && !report.isRejoining
        }
        await customer.stop()
        try await until("sending", world.vendor) {
            _ = try await node.send([.text("from the new one")], to: id, idempotencyKey: "one")
            return true
        }
        try await until("delivery", world.vendor) { try await world.vendor.texts().last == "from the new one" }
        let own = try await node.entries(of: id, sender: .own, after: 0, limit: 100).compactMap(\.text)
        #expect(own.starts(with: ["known", "later"]) && own.last == "from the new one")
        // A tag names a key: of all envelopes that ever reached the relay no two have the same one.
        let tags = relayStore.envelopes.filter { $0.first == 1 }.map { Array($0[1..<17]) }
        #expect(tags.count > 4 && Set(tags).count == tags.count)
        running.cancel()
        _ = await running.result
        await customer.end()
        await world.end()
    }

    /// The pitfall of matrix-rust-sdk#1415: a key that is published before it is stored. The answer to a restored vault's rejoin can be opened
    /// however often the process crashes, since the rejoin is stored with its keys before the relay hears of it.
    @Test func aRestoreThatFailsHalfwayHasToldNobodyAnything() async throws {
        let relayStore = RecordingRelayStore()
        let world = try await World(relay: LoopbackRelay(store: relayStore))
        let (customer, id) = try await Self.met(world)
        let path = "\(customer.folder)/backup"
        _ = try await Self.backUp(customer.node, to: path)
        await customer.stop()
        let backup = try BackupReader(path: path, passphrase: Self.passphrase)
        let before = relayStore.envelopes
        for number in 1...40 {
            var faults = StoreFaults()
            faults.failBefore = [number]
            let store = MemoryVaultStore(faults: faults)
            let outcome = await Task { try await Node.restore(backup, into: store) { _, _ in } }.result
            #expect(relayStore.envelopes == before, "commit \(number)")
            let hasRejoin = try await !store.outbox(of: id, limit: 9).isEmpty
            let isWaiting = try await store.relationship(id).map {
                try KeptRelationship(decoding: $0.state).policy.isWaiting && $0.channel != nil
            }
            #expect(hasRejoin == (isWaiting ?? false), "commit \(number)")
            guard case .failure = outcome else { break }
        }
        await customer.end()
        await world.end()
    }
}
