/// The names that SD-JWT keeps for itself.
/// - Source: RFC 9901 §4.1
enum SDJWTName {
    /// The digests of an object's members.
    static let digests = "_sd"
    /// The digest of an array's element.
    static let element = "..."
    /// The hash of all digests.
    static let hash = "_sd_alg"

    static func isReserved(_ name: String) -> Bool {
        name == digests || name == element || name == hash
    }
}
