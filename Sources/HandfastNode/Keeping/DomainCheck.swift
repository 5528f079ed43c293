internal import HandfastChannel
internal import HandfastEncoding

/// What came of asking a domain whether it stands for the public identity of a peer.
///
/// - Source: Spec/02 §2.3
struct DomainCheck: Hashable, Sendable {
    /// How long a domain that could not be asked is left alone.
    static let pause: UInt64 = 3_600
    /// The longest text of a fault, in bytes.
    private static let maximumFault = 1_024

    /// When the domain last confirmed the identity.
    var confirmed: Timestamp?
    /// What the domain said against the identity after that, in words.
    var fault: String?
    /// When it is to be asked again; `nil` where nothing has happened since.
    var due: Timestamp?

    /// Writes `[confirmed / null, fault / null, due / null]`.
    func write(to writer: inout CBORWriter) {
        writer.writeArrayHeader(3)
        Self.write(confirmed, to: &writer)
        if let fault { writer.writeText(fault) } else { writer.writeNull() }
        Self.write(due, to: &writer)
    }

    /// Reads what ``write(to:)`` writes.
    init(reading reader: inout CBORReader) throws {
        try reader.readArrayHeader(count: 3)
        confirmed = try Self.time(&reader)
        fault = try reader.readNullIfPresent() ? nil : reader.readText(maximum: Self.maximumFault)
        due = try Self.time(&reader)
    }

    /// A domain that confirmed the identity, or has not been asked.
    init(confirmed: Timestamp?) {
        self.confirmed = confirmed
    }

    /// Takes the domain's answer.
    mutating func answered(_ fault: DomainTie.Fault?, at now: Timestamp) {
        due = nil
        self.fault = fault.map { String($0.description.prefix(Self.maximumFault / 4)) }
        if fault == nil { confirmed = now }
    }

    private static func write(_ time: Timestamp?, to writer: inout CBORWriter) {
        if let time { writer.writeUnsigned(time.seconds) } else { writer.writeNull() }
    }

    private static func time(_ reader: inout CBORReader) throws -> Timestamp? {
        try reader.readNullIfPresent() ? nil : Timestamp(seconds: reader.readUnsigned())
    }
}
