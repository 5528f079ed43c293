/// Which relay hosts, named by a peer, this node connects to.
///
/// A peer that names an address inside our network would have us knock at doors that it cannot reach itself. Literal
/// addresses and `localhost` are judged here; a name that resolves into a private range is not.
///
/// - Source: Spec/03 §3.1
enum AddressVetting {
    /// Whether the host is a literal private, loopback, link-local or unspecified address, or `localhost`.
    static func isPrivate(_ host: String) -> Bool {
        let name = host.lowercased()
        if name == "localhost" || name.hasSuffix(".localhost") { return true }
        if let octets = octets(of: name) { return isPrivate(octets: octets) }
        guard name.contains(":") else { return false }
        if name == "::" || name == "::1" { return true }
        if let embedded = name.split(separator: ":").last.flatMap({ octets(of: String($0)) }) {
            return isPrivate(octets: embedded)
        }
        let first = UInt16(name.prefix { $0 != ":" }, radix: 16) ?? 0
        return (0xfc00...0xfdff).contains(first) || (0xfe80...0xfebf).contains(first)
    }

    private static func octets(of text: String) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        let octets = parts.compactMap { UInt8($0) }
        return octets.count == 4 ? octets : nil
    }

    private static func isPrivate(octets: [UInt8]) -> Bool {
        switch (octets[0], octets[1]) {
        case (0, _), (10, _), (127, _): true
        case (100, 64...127), (169, 254), (172, 16...31), (192, 168): true
        default: octets[0] >= 224
        }
    }
}
