public import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// How far both directions of a ledger have come at one side, as it tells the other in a rejoin and in its answer.
///
/// Either side, or both, may have gone back to an older state. So that one exchange finds the last record that both
/// hold alike, a side names several of its own direction: the latest, and others ever further back.
///
/// - Source: Spec/05 §5.10
public struct LedgerHeads: Hashable, Sendable {
    /// Records of the sender's own direction, the latest first; empty before any.
    public let own: [RecordReference]
    /// The latest record of the receiver's direction that the sender holds; number 0 before any.
    public let peer: RecordReference

    /// The most own records that are named.
    static let maximumCount = 64

    init(own: [RecordReference], peer: RecordReference) {
        self.own = own
        self.peer = peer
    }

    /// The numbers to name of a direction whose latest record is `head`: that one and those 1, 3, 7, 15, … before it.
    public static func numbers(upTo head: UInt64) -> [UInt64] {
        var numbers: [UInt64] = []
        var distance: UInt64 = 0
        while distance < head {
            numbers.append(head - distance)
            guard distance < UInt64.max / 2 else { break }
            distance = distance * 2 + 1
        }
        return numbers
    }

    /// Reads the heads of a rejoin or of its answer.
    ///
    /// - Throws: ``RelationshipError/malformed(_:_:)``, ``RelationshipError/inconsistent(_:)``
    public init(decoding bytes: RawSpan, of relationship: RelationshipID) throws(RelationshipError) {
        let (own, peer) = try RelationshipError.decoding("ledger heads", bytes, maximum: 4_096) { reader in
            try reader.readArrayHeader(count: 2)
            let count = try reader.readArrayHeader(maximum: Self.maximumCount)
            let own = try (0..<count).map { _ in try RecordReference(reading: &reader) }
            return (own, try RecordReference(reading: &reader))
        }
        guard own.allSatisfy({ $0.sequence > 0 }), zip(own, own.dropFirst()).allSatisfy({ $0.sequence > $1.sequence })
        else { throw .inconsistent("the heads of a ledger do not descend") }
        guard peer.sequence > 0 || peer == .start(of: relationship) else {
            throw .inconsistent("the start of a ledger is not this relationship's")
        }
        self.init(own: own, peer: peer)
    }

    /// The wire form, one encoded item.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter()
        writer.writeArrayHeader(2)
        writer.writeArrayHeader(own.count)
        for reference in own { reference.write(to: &writer) }
        peer.write(to: &writer)
        return writer.bytes
    }
}
