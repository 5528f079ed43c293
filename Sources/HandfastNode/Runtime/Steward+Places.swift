internal import Handfast
internal import HandfastCrypto
internal import HandfastStore

extension Steward {
    /// A new queue at each of some relays, with the service that is to receive it there.
    ///
    /// - Parameter isShared: whether all relationships of this node receive by one service at each relay.
    func newQueues(at relays: [RelayAddress], isShared: Bool) async throws(NodeError) -> [OwnQueue] {
        guard !relays.isEmpty else { return [] }
        let shared = isShared ? try await services().filter(\.kept.isForAll) : []
        var queues: [OwnQueue] = []
        for relay in relays {
            if let known = shared.first(where: { $0.kept.relay == relay.description }) {
                queues.append(await keeper.newQueue(at: relay, service: known.stored.key, isTended: true))
            } else {
                let made = try await newService(at: relay, knockQueue: nil, signer: nil, isShared: isShared)
                var queue = await keeper.newQueue(at: relay, service: made.key, isTended: true)
                queue.newService = ServiceRow(key: made.key, bytes: try Row.encode(made.kept))
                queues.append(queue)
            }
        }
        return queues
    }

    /// New queues at the node's other relays, to be named to a peer beside one at `relay`.
    func alternatives(to relay: RelayAddress, isShared: Bool) async throws(NodeError) -> [OwnQueue] {
        let others = keeper.relays.current.filter { $0 != relay }
        return try await newQueues(at: Array(others.prefix(Address.maximumCount - 1)), isShared: isShared)
    }

    /// The relay of a service, `host:port/key`.
    func relay(of service: VerificationKey) async throws(NodeError) -> String? {
        try await self.service(service)?.kept.relay
    }
}

extension KeptService {
    /// Whether every relationship of the node may receive by it from now on.
    var isForAll: Bool { isShared && !isClosed && isReplaced != true }
}
