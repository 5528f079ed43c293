/// What a verifier asked for and when it looks at the answer.
/// - Source: draft-ietf-spice-sd-cwt-07 §9; RFC 9901 §7.3; Spec/10 §10.4
public struct VerificationContext: Hashable, Sendable {
    /// How far clocks may differ unless said otherwise, in seconds.
    public static let defaultClockSkew: UInt64 = 60
    /// How long ago a holder may have signed unless said otherwise, in seconds.
    public static let defaultMaximumAge: UInt64 = 600

    /// The verifier's name, which the holder must have signed.
    public let audience: String
    /// The request's nonce, which the holder must have signed.
    public let nonce: [UInt8]
    /// The time, in seconds since 1970.
    public let now: UInt64
    /// How far clocks may differ, in seconds.
    public let clockSkew: UInt64
    /// How long ago the holder may have signed, in seconds.
    public let maximumAge: UInt64

    /// What is expected of a presentation.
    public init(
        audience: String, nonce: [UInt8], now: UInt64, clockSkew: UInt64 = defaultClockSkew,
        maximumAge: UInt64 = defaultMaximumAge
    ) {
        self.audience = audience
        self.nonce = nonce
        self.now = now
        self.clockSkew = clockSkew
        self.maximumAge = maximumAge
    }

    /// The earliest time at which the holder may have signed, in seconds since 1970.
    var oldestKeyBinding: UInt64 {
        let (age, overflow) = maximumAge.addingReportingOverflow(clockSkew)
        return overflow || age > now ? 0 : now - age
    }
}
