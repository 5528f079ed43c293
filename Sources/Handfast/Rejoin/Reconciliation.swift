/// What a side sends once it knows how far the other has come.
///
/// - Source: Spec/05 §5.10
public struct Reconciliation: Hashable, Sendable {
    /// Own records that the peer lacks.
    public let resent: ClosedRange<UInt64>?
    /// Records of the peer that it may lack itself.
    public let returned: ClosedRange<UInt64>?
}

/// Numbers of stored records that a step will ask for, so that who reads the ledger asynchronously has them at hand.
public struct LedgerLookups: Hashable, Sendable {
    /// Numbers of own records.
    public var own: [UInt64] = []
    /// Numbers of records of the peer.
    public var peer: [UInt64] = []
}

/// What came of a record of either direction that a side received after a rejoin.
///
/// - Source: Spec/05 §5.10
public enum ReturnedOutcome: Hashable, Sendable {
    /// A record of the peer: as if it had come in the ordinary way.
    case peer(RecordOutcome)
    /// An own record that the ledger holds: nothing changed.
    case known
    /// An own record is back: keep it and the changed relationship together, in place of the own records `void`.
    ///
    /// Those were signed by a copy that did not know what had been said already. The peer never accepted them; a person
    /// should see what they said, to say it again.
    case restored(void: ClosedRange<UInt64>?)
    /// The peer holds what two copies of this vault said, and the relationship is frozen: keep the changed relationship,
    /// not the record.
    case forked(ForkEvidence)
}
