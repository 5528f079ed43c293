public import HandfastChannel

/// `relationship/endorse`: a rotation or revocation of the public identity that vouches for the sender.
///
/// - Source: Spec/05 §5.3, §5.9
public struct Endorsement: RecordBody {
    /// The signed key event, as it stands in the public identity's log.
    public var event: [UInt8]

    /// The body that carries this event.
    public init(_ event: KeyEvent) {
        self.event = event.encoded()
    }

    /// The type of record that has this body.
    public static var recordType: RecordType { .endorse }

    /// Nothing: the event is checked against the key log.
    public var fault: String? { nil }
}
