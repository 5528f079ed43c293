public import HandfastChannel

/// `relationship/rotate`: a rotation of the sender's keys, in a record signed by the new key.
///
/// - Source: Spec/05 §5.3; Spec/02 §2.2
public struct Rotation: RecordBody {
    /// The signed rotation, as it stands in the key log.
    public var event: [UInt8]

    /// The body that carries this event.
    public init(_ event: KeyEvent) {
        self.event = event.encoded()
    }

    /// The type of record that has this body.
    public static var recordType: RecordType { .rotate }

    /// Nothing: the event is checked against the key log.
    public var fault: String? { nil }
}
