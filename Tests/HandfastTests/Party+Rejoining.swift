import HandfastCrypto
import HandfastTestSupport

@testable import Handfast
@testable import HandfastChannel

extension Party {
    /// A copy of the vault, as a backup or a second machine has it.
    func copy() throws -> Party {
        Party(
            identity: try Identity.decode(identity.encoded().bytes), relationship: relationship, proof: proof,
            ownEntries: ownEntries, peerEntries: peerEntries, random: SeededEntropy(seed: clock ^ 0x77),
            clock: Timestamp(seconds: clock + 1_000))
    }

    /// The peer's whole key log.
    var peerKeyLog: KeyLog {
        get throws {
            let direction = relationship.role.other
            return try relationship.keyLog(of: direction, inception: proof.inception(of: direction))
        }
    }

    func heads() throws(RelationshipError) -> LedgerHeads {
        let own = ownEntries
        return try relationship.heads { number in own[Int(number) - 1].hash }
    }

    func reconcile(with theirs: LedgerHeads) throws(RelationshipError) -> Reconciliation {
        let (own, peer) = (ownEntries, peerEntries)
        return try relationship.reconcile(
            with: theirs, ownHash: { own[Int($0) - 1].hash }, peerHash: { peer[Int($0) - 1].hash })
    }

    func entries(of plan: Reconciliation) throws -> [Entry] {
        func slice(_ numbers: ClosedRange<UInt64>?, _ entries: [Entry]) -> [Entry] {
            numbers.map { Array(entries[Int($0.lowerBound) - 1...Int($0.upperBound) - 1]) } ?? []
        }
        return RecordContent.merged(own: slice(plan.resent, ownEntries), peer: slice(plan.returned, peerEntries))
    }

    @discardableResult
    func receiveReturned(_ entry: Entry) throws(RelationshipError) -> ReturnedOutcome {
        let (own, peer) = (ownEntries, peerEntries)
        func find(_ number: UInt64, _ entries: [Entry]) -> Entry? {
            number >= 1 && number <= UInt64(entries.count) ? entries[Int(number) - 1] : nil
        }
        let outcome = try relationship.receiveReturned(
            entry, ownEntry: { find($0, own) }, peerEntry: { find($0, peer) })
        switch outcome {
        case .peer(.accepted): peerEntries.append(entry)
        case .restored(let void):
            if let void { ownEntries.removeLast(own.count - Int(void.lowerBound) + 1) }
            ownEntries.append(entry)
        case .peer, .known, .forked: break
        }
        return outcome
    }

    func restateRotation() throws(RelationshipError) -> Entry? {
        let entry = try relationship.restateRotation(at: now, with: identity, using: &random)
        if let entry { ownEntries.append(entry) }
        return entry
    }
}
