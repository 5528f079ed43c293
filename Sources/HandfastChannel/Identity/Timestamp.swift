/// A moment in whole seconds since 1970-01-01T00:00:00Z, as the protocol writes it.
///
/// The core reads no clock: every operation that needs the time takes one of these.
public struct Timestamp: Hashable, Comparable, Sendable, Codable {
    /// Seconds since the epoch, leap seconds not counted.
    public let seconds: UInt64

    /// Makes a moment from seconds since the epoch.
    public init(seconds: UInt64) {
        self.seconds = seconds
    }

    /// The moment a number of seconds later; stays at the last representable moment rather than overflow.
    public func adding(seconds more: UInt64) -> Timestamp {
        let (sum, overflow) = seconds.addingReportingOverflow(more)
        return Timestamp(seconds: overflow ? .max : sum)
    }

    /// The moment a number of seconds earlier; stays at the epoch rather than underflow.
    public func subtracting(seconds less: UInt64) -> Timestamp {
        Timestamp(seconds: seconds > less ? seconds - less : 0)
    }

    /// Earlier moments sort first.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.seconds < right.seconds
    }

    /// Reads the number of seconds from a single value.
    public init(from decoder: any Decoder) throws {
        self.init(seconds: try decoder.singleValueContainer().decode(UInt64.self))
    }

    /// Writes the number of seconds as a single value.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(seconds)
    }
}
