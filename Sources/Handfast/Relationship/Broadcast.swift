public import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// Records for many relationships that one signature of a public identity will cover.
///
/// ```swift
/// var broadcast = Broadcast(of: identity)
/// for index in relationships.indices {
///     try relationships[index].append(record, to: &broadcast, at: now, using: &entropy)
/// }
/// let entries = try broadcast.sign(with: identity, using: &entropy)  // in the order of the relationships
/// ```
///
/// Store each entry with the relationship that it left behind, as always. Nothing but a ``PublicIdentity`` makes one.
///
/// - Source: Spec/05 §5.9
public struct Broadcast: Sendable {
    /// The most records under one signature.
    public static let maximumCount = LedgerLimits.batch

    /// The public identity's log at this moment.
    let log: KeyLog
    private var entries: [UnsignedEntry] = []

    /// A broadcast without records.
    public init(of identity: borrowing PublicIdentity) {
        log = identity.log
    }

    /// How many records it holds.
    public var count: Int { entries.count }

    mutating func add(_ entry: UnsignedEntry) throws(RelationshipError) {
        guard entries.count < Self.maximumCount else { throw .tooMany("records in a batch", limit: Self.maximumCount) }
        entries.append(entry)
    }

    /// Signs all records at once and gives their entries, in the order in which they were added.
    ///
    /// - Throws: ``RelationshipError/wrongIdentity(_:)`` when the identity is another or has rotated meanwhile.
    public consuming func sign(
        with identity: borrowing PublicIdentity, using random: inout some RandomNumberGenerator
    ) throws(RelationshipError) -> [Entry] {
        guard identity.log == log else { throw .wrongIdentity(identity.log.id) }
        guard !entries.isEmpty else { return [] }
        return UnsignedEntry.sign(entries, with: identity.identity.signingKey, using: &random)
    }
}
