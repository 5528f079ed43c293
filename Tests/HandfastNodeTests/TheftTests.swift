import Foundation
import Handfast
import HandfastCrypto
import HandfastRelay
import Testing

@testable import HandfastNode
@testable import HandfastStore

/// What a thief of a whole vault can still do at the relays once the recovery words were used: nothing.
@Suite(.serialized) struct TheftTests {
    /// What the thief has of one side.
    private struct Loot: Sendable {
        let service: [UInt8]
        let address: Address

        init(of person: Person, _ id: RelationshipID) async throws {
            let kept = try #require(try await person.node.keeper.kept(id))
            let stored = try #require(try await person.store.service(kept.service))
            service = try Row.decode(KeptService.self, stored.bytes).seed
            address = try #require(kept.peerAddress)
        }

        func attach(_ client: RelayClient) async throws {
            _ = try await client.attach(SigningKey(seed: SecretBytes(copying: service.bytes)))
        }
    }

    private static func promise(
        _ root: borrowing RecoveryRoot, _ random: inout SecureRandom
    ) throws -> RecoveryAction.Promise {
        let promise = try root.promise(using: &random)
        return .init(salt: promise.salt.array, commitment: promise.commitment.array)
    }

    @Test(arguments: [false, true]) func aThiefsKeysAreWorthNothingAtTheRelays(ownerIsVendor: Bool) async throws {
        let relay = try await LoopbackRelay()
        let owner = try await Person("Owner", at: relay.address)
        let peer = try await Person("Peer", at: relay.address)
        if ownerIsVendor { _ = try await owner.node.makePublicIdentity(domain: "shop.example") }
        owner.start()
        peer.start()
        let id = try await (ownerIsVendor ? meet(owner, peer) : meet(peer, owner))
        var random = SecureRandom()
        let root = RecoveryRoot.random(using: &random)
        var promises: [RecoveryAction.Promise] = []
        for _ in 0..<8 { promises.append(try Self.promise(root, &random)) }
        _ = try await owner.node.keep(promises, ofRoot: root.name.array, isNew: true)
        try await until("all identities are the words'", owner, peer) {
            try await owner.node.adoptIntoRecovery(limit: 9).inVault == 0
        }
        let loot = try await Loot(of: owner, id)
        let before = try #require(try await peer.node.keeper.kept(id)).queue

        var keys: [RecoveryAction.Key] = []
        for identity in try await owner.node.recovery().identities {
            let seed = [UInt8](try root.nextKey(FixedBytes(copying: identity.salt)).seed)
            keys.append(.init(identity: identity, seed: seed, promise: try Self.promise(root, &random)))
        }
        let report = try await owner.node.rotate(revealing: keys, ofRoot: root.name.array)
        #expect(report.rotated == keys.count && report.refusals.isEmpty, "\(report.refusals)")
        for (person, other) in [(owner, peer), (peer, owner)] {
            try await until("leave to speak", owner, peer) {
                _ = try await person.node.send([.text("still me")], to: id, idempotencyKey: person.name)
                return true
            }
            try await until("the word at \(other.name)", owner, peer) { try await other.texts() == ["still me"] }
        }
        try await until("old queues that are closed", owner, peer) {
            for person in [owner, peer] {
                let places = try await person.node.keeper.kept(id)?.places
                guard places?.leaving.isEmpty == true, places?.mustTellAgain == false else { return false }
            }
            return true
        }

        let now = try #require(try await owner.node.keeper.kept(id))
        let theirs = try #require(try await peer.node.keeper.kept(id))
        #expect(theirs.queue != before && now.peerAddress?.queue == theirs.queue)
        #expect(theirs.peerAddress?.queue == now.queue)
        let thief = try await RelayClient.connect(to: relay.address)
        try await loot.attach(thief)
        // Nothing of the owner's can be closed, paused or opened for somebody else.
        await #expect(throws: RelayError.refused(.refused)) { try await thief.close([now.queue]) }
        await #expect(throws: RelayError.refused(.refused)) {
            try await thief.setPolicies([PolicySetting(id: now.queue, policy: .standard)])
        }
        await #expect(throws: RelayError.refused(.refused)) {
            try await thief.open([
                QueueOpening(id: now.queue, kind: .sendAnew(capability: loot.address.capability.digest))
            ])
        }
        // Nothing can be put into the peer's queues.
        for queue in [loot.address.queue, theirs.queue] {
            let item = PutItem(queue: queue, capability: loot.address.capability, first: 0, envelopes: [])
            let result = try #require(try await thief.put([item]).first)
            #expect(result.status == .closed || result.status == .refused)
        }
        await thief.shutDown()
        if ownerIsVendor {
            let (invitation, _) = try await owner.node.invite(label: "Next")
            let (again, _) = try await owner.node.invite(label: "After")
            #expect(invitation.knockQueue == again.knockQueue)
        }
        await owner.stop()
        await peer.stop()
        await relay.stop()
    }
}
