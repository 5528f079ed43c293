internal import Handfast
internal import HandfastCrypto

/// A queue of this node's own, and the capability that its relationship's peer gets.
struct OwnQueue: Hashable, Sendable {
    /// The relay that keeps it.
    let relay: RelayAddress
    /// The service that it belongs to.
    let service: VerificationKey
    /// The queue.
    let id: QueueID
    /// What the peer must show to put into it.
    let capability: SendCapability

    /// What the peer is told.
    var address: Address { Address(relay: relay, queue: id, capability: capability) }

    /// The row's bytes.
    func encoded() throws(NodeError) -> [UInt8] {
        try Row.encode(KeptQueue(service: service.array, capability: capability.digest.array))
    }
}
