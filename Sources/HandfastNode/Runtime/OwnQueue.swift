internal import Handfast
internal import HandfastCrypto
internal import HandfastStore

/// A queue of this node's own, and the capability that its relationship's peer gets.
struct OwnQueue: Sendable {
    /// The relay that keeps it.
    let relay: RelayAddress
    /// The service that it belongs to.
    let service: VerificationKey
    /// The queue.
    let id: QueueID
    /// What the peer must show to put into it.
    let capability: SendCapability

    /// Whether its service looks after it at the relay from now on; what was opened there once stays open.
    var isTended: Bool
    /// The row of the service, where it is stored with the queue.
    var newService: ServiceRow?

    /// What the peer is told.
    var address: Address { Address(relay: relay, queue: id, capability: capability) }

    /// The vault's row.
    func row(of relationship: RelationshipID) throws(NodeError) -> QueueRow {
        QueueRow(
            id: id, relationship: relationship, tendedBy: isTended ? service : nil,
            bytes: try Row.encode(KeptQueue(service: service.array, capability: capability.digest.array)))
    }
}
