/// `relationship/end`: the sender ends the relationship, or agrees to its end.
///
/// - Source: Spec/05 §5.3, §5.5
public struct Ending: RecordBody {
    /// What the sender wants to say about it, at most 1,024 bytes without control characters.
    public var reason: String?

    /// An end, for this reason if one is given.
    public init(reason: String? = nil) {
        self.reason = reason
    }

    /// The type of record that has this body.
    public static var recordType: RecordType { .end }

    /// Why the reason is out of bounds.
    public var fault: String? {
        reason.flatMap { TextRule.fault(in: $0, named: "reason", maximum: LedgerLimits.reason) }
    }
}
