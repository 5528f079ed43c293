public import HandfastChannel

/// `relationship/revoke`: the end of the sender's identity, in a record signed by the revealed key.
///
/// - Source: Spec/05 §5.3; Spec/02 §2.2
public struct Revocation: RecordBody {
    /// The signed revocation, as it stands in the key log.
    public var event: [UInt8]

    /// The body that carries this event.
    public init(_ event: KeyEvent) {
        self.event = event.encoded()
    }

    /// The type of record that has this body.
    public static var recordType: RecordType { .revoke }

    /// Nothing: the event is checked against the key log.
    public var fault: String? { nil }
}
