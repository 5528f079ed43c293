/// An `https` address: host, port and path, without user, query and fragment.
///
/// - Source: RFC 3986 §3; RFC 9110 §4.2.2
public struct WebAddress: Hashable, Sendable, CustomStringConvertible {
    /// The longest text, in bytes.
    public static let maximumCount = 2_048

    /// The host name, in lower case.
    public let host: String
    /// The port.
    public let port: UInt16
    /// The path, beginning with a slash.
    public let path: String

    /// `https://host/path` at the usual port.
    public init(host: String, path: String) {
        self.host = host.lowercased()
        port = 443
        self.path = path
    }

    /// Reads `https://host[:port][/path]`.
    /// - Throws: ``WebError/badURL(_:)``
    public init(_ text: String) throws(WebError) {
        guard text.utf8.count <= Self.maximumCount, text.hasPrefix("https://") else { throw .badURL(text) }
        let rest = text.dropFirst("https://".count)
        let authority = rest.prefix { $0 != "/" }
        let path = rest.dropFirst(authority.count)
        let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        var port: UInt16 = 443
        if parts.count == 2 {
            guard let number = UInt16(parts[1]), number > 0, parts[1].utf8.first != UInt8(ascii: "+") else {
                throw .badURL(text)
            }
            port = number
        }
        let host = parts[0].lowercased()
        let isName = host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
        let isPath = path.utf8.allSatisfy {
            (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#")
        }
        guard !host.isEmpty, host.utf8.count <= 253, isName, isPath else { throw .badURL(text) }
        self.host = host
        self.port = port
        self.path = path.isEmpty ? "/" : String(path)
    }

    /// Where a `Location` header at this address leads.
    func following(_ location: String) throws(WebError) -> WebAddress {
        guard location.hasPrefix("/"), !location.hasPrefix("//") else { return try WebAddress(location) }
        let suffix = port == 443 ? "" : ":\(port)"
        return try WebAddress("https://\(host)\(suffix)\(location)")
    }

    /// `https://host[:port]/path`.
    public var description: String { "https://\(host)\(port == 443 ? "" : ":\(port)")\(path)" }
}
