internal import HandfastChannel
internal import HandfastCrypto

/// What is confirmed of each queue of a relationship, joined with the last envelope that waits for it.
package struct OutboxHeads {
    private let relationship: RelationshipPlace
    private let seal: VaultSeal
    private var heads: [[UInt8]: OutboxHead] = [:]

    package init(of relationship: RelationshipPlace, _ seal: VaultSeal) {
        self.relationship = relationship
        self.seal = seal
    }

    /// Takes a row with the columns queue, version and sealed of table confirmed. All of them come first.
    package mutating func take(confirmed row: some EngineRow) throws(StoreError) {
        let name = try row.bytes(0, of: "confirmed")
        let next = try row.count(1, of: "confirmed")
        let place = RowPlace(
            "confirmed", name: relationship.name + name, version: try row.number(1, of: "confirmed"))
        var head = Payload(try seal.open(row.bytes(2, of: "confirmed"), at: place), of: place)
        let (queue, chain) = (try head.queue(), try head.digest())
        heads[name] = OutboxHead(queue: queue, confirmed: next, confirmedChain: chain, next: next, chain: chain)
    }

    /// Takes the row of a queue's last envelope, with the columns queue, number and sealed of table outbox.
    package mutating func take(waiting row: some EngineRow) throws(StoreError) {
        let name = try row.bytes(0, of: "outbox")
        let number = try row.count(1, of: "outbox")
        let place = RowPlace.outbox(relationship.name, name, number)
        var item = Payload(try seal.open(row.bytes(2, of: "outbox"), at: place), of: place)
        let (queue, chain) = (try item.queue(), try item.digest())
        heads[name] = OutboxHead(
            queue: queue, confirmed: heads[name]?.confirmed ?? 0,
            confirmedChain: heads[name]?.confirmedChain ?? QueueChain.start, next: number + 1, chain: chain)
    }

    /// The heads by the names of their queues.
    package var inOrder: [OutboxHead] {
        heads.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
    }
}
