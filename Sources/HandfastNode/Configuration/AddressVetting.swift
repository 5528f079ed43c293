internal import HandfastLink

/// Whether a configured host is in a private network, as far as its name tells.
///
/// It decides only whether such addresses are usual here. What a peer names is judged by the address that is reached:
/// a peer that names an address inside our network would have us knock at doors that it cannot reach itself.
///
/// - Source: Spec/06 §6.3
enum AddressVetting {
    /// Whether the host is a literal address that is not public, or `localhost`.
    static func isPrivate(_ host: String) -> Bool {
        let name = host.lowercased()
        if name == "localhost" || name.hasSuffix(".localhost") { return true }
        return NetworkAddress(name).map { !$0.isPublic } ?? false
    }
}
