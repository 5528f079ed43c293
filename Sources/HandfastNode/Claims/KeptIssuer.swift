internal import Handfast
internal import HandfastEncoding
internal import HandfastStore

/// What the vault keeps of the keys that an issuer publishes.
///
/// - Source: Spec/10 §10.12
struct KeptIssuer: Codable, Hashable, Sendable {
    /// After so many seconds the keys are fetched again.
    static let freshness: UInt64 = 86_400
    /// For so many seconds they are used, however often fetching them again fails.
    static let validity: UInt64 = 7 * 86_400
    /// For so many seconds after a failure, or after an unknown key, the issuer is left alone.
    static let pause: UInt64 = 3_600
    private static let maximumTrouble = 256

    /// Where they were fetched.
    var url: String
    /// The keys, each a JWK in deterministic CBOR.
    var keys: [[UInt8]] = []
    /// When they were fetched, seconds since 1970.
    var fetched: UInt64?
    /// When they were last asked for.
    var tried: UInt64?
    /// Why that failed, in words.
    var trouble: String?
    /// When a key was last wanted that is none of these.
    var wanted: UInt64?
    /// Whether nobody has looked for it since.
    var isWanted = false

    init(url: String) {
        self.url = url
    }

    /// The keys, if they were fetched lately enough to be used.
    func usable(at now: Timestamp) throws(NodeError) -> [IssuerKey] {
        isUsable(at: now) ? try issuerKeys() : []
    }

    /// Whether the keys were fetched lately enough to be used.
    func isUsable(at now: Timestamp) -> Bool { fetched.map { now.seconds < $0 + Self.validity } ?? false }

    /// The keys, however old.
    func issuerKeys() throws(NodeError) -> [IssuerKey] {
        try NodeError.reading("keys of an issuer") {
            try keys.map { bytes in
                guard case .map(let jwk) = try CBORValue(decoding: bytes) else {
                    throw CredentialError.malformed(.key)
                }
                return try IssuerKey(jwk: jwk)
            }
        }
    }

    /// Whether it is time to fetch them.
    func isDue(at now: Timestamp) -> Bool {
        if isWanted { return true }
        let isStale = fetched.map { $0 + Self.freshness <= now.seconds } ?? true
        return isStale && tried.map { $0 + Self.pause <= now.seconds } ?? true
    }

    /// Notes that a key is wanted that is none of these.
    ///
    /// - Returns: Whether the issuer is asked for it; once an hour it is.
    mutating func want(at now: Timestamp) -> Bool {
        if isWanted { return true }
        if let wanted, now.seconds < wanted + Self.pause { return false }
        wanted = now.seconds
        isWanted = true
        return true
    }

    /// Takes what came of asking.
    mutating func take(_ answer: Result<[IssuerKey], NodeError>, at now: Timestamp) throws(NodeError) {
        tried = now.seconds
        isWanted = false
        switch answer {
        case .success(let found):
            keys = try found.map { key throws(NodeError) in
                try NodeError.reading("key of an issuer") { try CBORValue.map(key.jwk).encoded() }
            }
            fetched = now.seconds
            trouble = nil
        case .failure(let error):
            trouble = String(error.description.prefix(Self.maximumTrouble))
        }
    }
}

extension WalletKey {
    /// The row of the keys that an issuer publishes.
    static func issuer(_ name: String) -> WalletKey { WalletKey(.issuer, digest(of: name)) }
}
