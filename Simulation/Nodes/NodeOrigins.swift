internal import Handfast
internal import HandfastChannel
internal import HandfastStore
internal import Synchronization

@testable internal import HandfastNode

/// Disks of two nodes that have met, and of their relay, made once in a process: the handshake would take most of a run.
struct NodeOrigins: Sendable {
    struct Origin: Sendable {
        let disks: NodeWorld.Disks
        let relationship: RelationshipID
        let epoch: UInt64
    }

    private static let count = 4

    private let origins: [Origin]

    init() throws {
        origins = try (0..<Self.count).map { try Self.meet(seed: UInt64($0)) }
    }

    func origin(_ seed: UInt64) -> Origin { origins[Int(seed % UInt64(origins.count))] }

    private static func meet(seed: UInt64) throws -> Origin {
        let world = try NodeWorld(seed: seed, disks: NodeWorld.Disks())
        world.relay.start(seed: world.random.next())
        for node in world.nodes { node.start(seed: world.random.next()) }
        guard let vendor = world.nodes[0].node, let process = world.nodes[0].process,
            let customer = world.nodes[1].node, let other = world.nodes[1].process
        else { throw BrokenPromise(description: "no node") }
        let met = Shared<RelationshipID?>(nil)
        let time = world.time
        process.run {
            guard let invitation = try? await vendor.invite(label: "Customer").invitation else { return }
            other.run {
                // Refused until the relay has the bundles.
                for _ in 0..<100 where met.value == nil {
                    let id = try? await customer.accept(invitation.uri, asksDomain: false)
                    met.set(id)
                    try? await time.pause(.milliseconds(100))
                }
            }
        }
        let isMet = try world.run(for: .seconds(600)) {
            world.nodes.allSatisfy { node in
                node.waiting() == 0 && node.kept().map { $0.relationship.state == .live } ?? false
            }
        }
        guard isMet, let id = met.value else { throw BrokenPromise(description: "the nodes do not meet") }
        try world.run(for: .seconds(30))
        var disks = NodeWorld.Disks()
        for node in world.nodes { node.kill() }
        world.relay.kill()
        disks.vaults = world.nodes.map { $0.copyOfDisk() }
        disks.relay = world.relay.copyOfDisk()
        disks.start = world.time.wall
        let epoch = world.nodes[0].kept()?.policy.epoch ?? 0
        try world.end()
        return Origin(disks: disks, relationship: id, epoch: epoch)
    }
}
