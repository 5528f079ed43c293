internal import HandfastEncoding

/// The three times of a credential or of a key binding, in seconds since 1970, and the rules between them.
///
/// Numbers are kept as they came, so that a fraction of a second decides as it stands.
/// - Source: draft-ietf-spice-sd-cwt-07 §6.2, §9
struct CredentialTimes: Hashable, Sendable {
    /// The largest number of seconds: up to here a floating-point number is exact.
    static let maximum = 0x1p53

    /// When it was issued.
    var issuedAt: Double?
    /// From when it holds.
    var notBefore: Double?
    /// Until when it holds.
    var expires: Double?

    /// A number of seconds from 0 to 2^53; nil if the item is none.
    static func seconds(_ value: CBORValue) -> Double? {
        switch value {
        case .unsigned(let integer) where integer <= UInt64(maximum): Double(integer)
        case .double(let number) where (0...maximum).contains(number): number
        default: nil
        }
    }

    /// When it was issued, rounded down.
    var issuedAtSeconds: UInt64? { issuedAt.map { UInt64($0) } }

    /// From when it holds, rounded up.
    var notBeforeSeconds: UInt64? { notBefore.map { UInt64($0.rounded(.up)) } }

    /// Until when it holds, rounded down.
    var expiresSeconds: UInt64? { expires.map { UInt64($0) } }

    /// Refuses times that contradict each other.
    /// - Throws: ``CredentialError/contradictoryTimes(rule:)``
    func checkOrder() throws(CredentialError) {
        try Self.require(notBefore, atMost: issuedAt, "nbf ≤ iat")
        try Self.require(notBefore, before: expires, "nbf < exp")
        try Self.require(issuedAt, before: expires, "iat < exp")
    }

    /// Refuses times of a key binding that contradict each other or those of its credential.
    /// - Throws: ``CredentialError/contradictoryTimes(rule:)``
    func checkOrder(within credential: CredentialTimes) throws(CredentialError) {
        try checkOrder()
        guard issuedAt != nil || (expires == nil && notBefore == nil) else {
            throw .contradictoryTimes(rule: "a key binding with exp or nbf has iat")
        }
        try Self.require(expires, atMost: credential.expires, "exp of the key binding ≤ exp")
        try Self.require(credential.notBefore, atMost: notBefore, "nbf of the key binding ≥ nbf")
        try Self.require(credential.issuedAt, atMost: issuedAt, "iat of the key binding ≥ iat")
        try Self.require(notBefore, before: credential.expires, "nbf of the key binding < exp")
        try Self.require(issuedAt, before: credential.expires, "iat of the key binding < exp")
        try Self.require(credential.notBefore, atMost: issuedAt, "iat of the key binding ≥ nbf")
    }

    /// Refuses what has ended, has not begun or was issued in the future.
    /// - Throws: ``CredentialError/expired(at:in:)``, ``CredentialError/notYetValid(from:in:)``,
    ///   ``CredentialError/issuedInFuture(at:in:)``
    func check(now: UInt64, clockSkew: UInt64, part: CredentialError.Part) throws(CredentialError) {
        let (now, skew) = (Double(now), Double(clockSkew))
        if let expires, now >= expires + skew { throw .expired(at: UInt64(expires), in: part) }
        if let notBefore, now + skew < notBefore {
            throw .notYetValid(from: UInt64(notBefore.rounded(.up)), in: part)
        }
        if let issuedAt, now + skew < issuedAt { throw .issuedInFuture(at: UInt64(issuedAt), in: part) }
    }

    private static func require(
        _ first: Double?, atMost second: Double?, _ rule: String
    ) throws(CredentialError) {
        if let first, let second, first > second { throw .contradictoryTimes(rule: rule) }
    }

    private static func require(
        _ first: Double?, before second: Double?, _ rule: String
    ) throws(CredentialError) {
        if let first, let second, first >= second { throw .contradictoryTimes(rule: rule) }
    }
}
