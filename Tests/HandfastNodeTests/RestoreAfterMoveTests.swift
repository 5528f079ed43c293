import Foundation
import HandfastCrypto
import HandfastRelay
import Testing

@testable import Handfast
@testable import HandfastNode
@testable import HandfastStore

/// A vault from before a move finds its peer again, as long as one of them can reach the other.
@Suite(.serialized) struct RestoreAfterMoveTests {
    /// A node on a store of any kind.
    private final class Member: Sendable {
        let name: String
        let store: any VaultStore
        let node: Node
        private let running: Task<Void, any Error>

        init(_ name: String, at relay: RelayAddress, on store: any VaultStore) async throws {
            self.name = name
            self.store = store
            var configuration = NodeConfiguration(relay: relay, name: name)
            configuration.delivery.firstPause = .milliseconds(5)
            configuration.delivery.longestPause = .milliseconds(50)
            configuration.delivery.knockPause = .milliseconds(200)
            configuration.delivery.failOverPause = .milliseconds(20)
            let node = try await Node.open(configuration, store: store)
            self.node = node
            running = Task { try await node.run() }
        }

        func stop() async {
            running.cancel()
            _ = await running.result
        }

        func events(_ kind: NodeEvent.Kind) async throws -> [NodeEvent] {
            try await node.events(after: 0, limit: 10_000).filter { $0.kind == kind }
        }

        func texts() async throws -> [String] { try await events(.recordReceived).compactMap(\.detail.text) }
    }

    /// Whose vault is restored.
    enum Side: CaseIterable, Sendable {
        case inviter, invitee
    }

    /// One whose vault is backed up, restored and elsewhere called `lost`, and its peer.
    private final class Scene: Sendable {
        private static let passphrase = Array("of the backup".utf8)
        let folder = "\(NSTemporaryDirectory())/hf-\(UUID().uuidString)"
        let lostRelay: LoopbackRelay
        let peerRelay: LoopbackRelay
        let newRelay: LoopbackRelay
        let lost: Member
        let peer: Member
        let id: RelationshipID

        init(_ side: Side, domain: String? = nil) async throws {
            lostRelay = try await LoopbackRelay()
            peerRelay = try await LoopbackRelay()
            newRelay = try await LoopbackRelay()
            let vault = try SQLiteVaultStore.create(
                in: VaultFolder(path: folder), protection: .newKeyFile(path: "\(folder).key"))
            let lost = try await Member("Lost", at: lostRelay.address, on: vault)
            let peer = try await Member("Peer", at: peerRelay.address, on: MemoryVaultStore())
            (self.lost, self.peer) = (lost, peer)
            let (inviter, invitee) = side == .inviter ? (lost, peer) : (peer, lost)
            if let domain { _ = try await inviter.node.makePublicIdentity(domain: domain) }
            let (invitation, _) = try await inviter.node.invite(label: invitee.name)
            try await until("publication") {
                _ = try await invitee.node.accept(invitation.uri, asksDomain: false)
                return true
            }
            let id = try RelationshipID(text: try #require(try await invitee.node.relationships().first).id)
            self.id = id
            try await until("introductions") {
                let ends = (try await lost.node.relationship(id), try await peer.node.relationship(id))
                return [ends.0, ends.1].allSatisfy { $0.state == "live" && $0.peerRecords > 0 }
            }
        }

        func backUp() async throws {
            var random = SecureRandom()
            _ = try await lost.node.backUp(
                to: "\(folder)/backup", passphrase: Self.passphrase, parameters: .interactive(using: &random))
        }

        /// The vault as the backup has it, at work.
        func restore(at relay: RelayAddress? = nil) async throws -> Member {
            await lost.stop()
            let store = MemoryVaultStore()
            let backup = try BackupReader(path: "\(folder)/backup", passphrase: Self.passphrase)
            _ = try await Node.restore(backup, into: store) { _, _ in }
            return try await Member("Restored", at: relay ?? lostRelay.address, on: store)
        }

        func move(_ member: Member) async throws {
            _ = try await member.node.move(id, to: [newRelay.address])
            try await until("a move that is done") { try await !member.events(.moveDone).isEmpty }
        }

        func say(_ text: String, _ member: Member, to other: Member) async throws {
            try await until("leave to say \(text)") {
                _ = try await member.node.send([.text(text)], to: self.id, idempotencyKey: "\(member.name) \(text)")
                return true
            }
            try await until("\(text) at \(other.name)") { try await other.texts().contains(text) }
        }

        /// Both ends hold the same records.
        func agree(_ restored: Member) async throws {
            try await until("agreement") {
                let (one, other) = (
                    try await restored.node.relationship(self.id), try await self.peer.node.relationship(self.id)
                )
                return one.ownRecords == other.peerRecords && other.ownRecords == one.peerRecords
                    && one.trouble == nil && other.trouble == nil && one.moving == nil && other.moving == nil
            }
            _ = try await restored.node.exportLedger(id).verify()
        }

        func end(_ restored: Member) async {
            for member in [lost, peer, restored] { await member.stop() }
            await lost.store.close()
            for relay in [lostRelay, peerRelay, newRelay] { await relay.stop() }
            for path in [folder, "\(folder).key"] { try? FileManager.default.removeItem(atPath: path) }
        }
    }

    @Test(arguments: Side.allCases) func aVaultFromBeforeItsOwnMoveIsReached(side: Side) async throws {
        let scene = try await Scene(side)
        try await scene.say("before", scene.lost, to: scene.peer)
        try await scene.backUp()
        try await scene.move(scene.lost)
        try await scene.say("moved", scene.lost, to: scene.peer)
        try await scene.say("heard", scene.peer, to: scene.lost)
        let restored = try await scene.restore()
        try await scene.say("back", restored, to: scene.peer)
        try await scene.say("welcome back", scene.peer, to: restored)
        #expect(try await restored.node.relationship(scene.id).receivesAt == [scene.lostRelay.address.place])
        try await scene.agree(restored)
        #expect(try await restored.texts() == ["heard", "welcome back"])
        await scene.end(restored)
    }

    @Test(arguments: Side.allCases, [false, true])
    func aVaultFromBeforeThePeersMoveIsFoundByThePeer(side: Side, oldRelayIsGone: Bool) async throws {
        let scene = try await Scene(side)
        try await scene.say("before", scene.lost, to: scene.peer)
        try await scene.backUp()
        try await scene.move(scene.peer)
        try await scene.say("moved", scene.peer, to: scene.lost)
        if oldRelayIsGone { await scene.peerRelay.stop() }
        let restored = try await scene.restore()
        if oldRelayIsGone {
            // Nothing answers for a day.
            try await restored.node.keeper.perform { keeper, draft in
                try await keeper.call(try await keeper.load(scene.id), draft)
            }
        } else {
            try await until("the old queue is found closed") { try await !restored.events(.deliveryRefused).isEmpty }
        }
        try await until("queues that are begun anew") {
            let kept = try await restored.node.keeper.kept(scene.id)
            for place in kept?.receivingPlaces ?? [] {
                let row = try #require(try await restored.store.queue(place.queue))
                if try Row.decode(KeptQueue.self, row.bytes).beginsAnew == true { return false }
            }
            return kept?.hasCalled == true
        }
        try await scene.say("anybody there", scene.peer, to: restored)
        try await scene.say("yes", restored, to: scene.peer)
        try await scene.agree(restored)
        await scene.end(restored)
    }

    /// The node was its own relay, and both are gone.
    @Test(arguments: Side.allCases) func aVaultWhoseRelayIsGoneMovesBeforeAnybodyAnswers(side: Side) async throws {
        let scene = try await Scene(side)
        try await scene.say("before", scene.lost, to: scene.peer)
        try await scene.backUp()
        await scene.lost.stop()
        await scene.lostRelay.stop()
        let restored = try await scene.restore(at: scene.newRelay.address)
        _ = try await restored.node.move(scene.id, to: [scene.newRelay.address])
        try await scene.say("from elsewhere", restored, to: scene.peer)
        try await scene.say("found you", scene.peer, to: restored)
        #expect(try await restored.node.giveUpOldRelays(of: scene.id) == 1)
        try await scene.agree(restored)
        #expect(try await restored.node.relationship(scene.id).receivesAt == [scene.newRelay.address.place])
        await scene.end(restored)
    }
}
