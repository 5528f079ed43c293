/// A place to listen at, `host:port`; an IPv6 host in brackets.
struct Endpoint: Equatable {
    let host: String
    let port: UInt16

    /// Reads the written form; `nil` when it is none. A port of 0 takes a free one.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, host.allSatisfy({ $0.isASCII && !$0.isWhitespace && $0 != "/" }) else { return nil }
        self.host = String(host)
        self.port = port
    }
}
