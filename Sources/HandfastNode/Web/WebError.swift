/// Why something could not be fetched over HTTPS.
public enum WebError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The text is no `https` URL with a host name and nothing that a fetch must not carry.
    case badURL(String)
    /// The name leads to no address.
    case unknownHost(String)
    /// The name leads to a private or otherwise not public address.
    case addressRefused(host: String)
    /// No connection, no trusted certificate, or no answer in time; the reason in words.
    case unreachable(host: String, reason: String)
    /// The server answered with this status.
    case status(Int, url: String)
    /// The server sent us to another host.
    case redirectedElsewhere(from: String, to: String)
    /// The server redirected more than three times.
    case tooManyRedirects(url: String)
    /// The answer is larger than this many bytes.
    case tooLarge(url: String, maximum: Int)

    /// What was wrong, and what to do next.
    public var description: String {
        switch self {
        case .badURL(let text): "\"\(text)\" is no https address with a host name"
        case .unknownHost(let host): "\(host) has no address; check the name, and this machine's network"
        case .addressRefused(let host):
            "\(host) leads to a private address, where nothing is fetched from; web.allowPrivate in the configuration allows it"
        case .unreachable(let host, let reason): "\(host) gave no answer: \(reason)"
        case .status(let status, let url): "\(url) answered with status \(status)"
        case .redirectedElsewhere(let from, let to):
            "\(from) sends us to another host, \(to), which is not followed: it must answer itself"
        case .tooManyRedirects(let url): "\(url) redirects without end"
        case .tooLarge(let url, let maximum): "\(url) answers with more than \(maximum) bytes"
        }
    }
}
