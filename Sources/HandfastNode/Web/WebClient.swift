internal import AsyncHTTPClient
internal import HandfastLink
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// Fetches small public documents over HTTPS: key logs of domains, keys of issuers, status lists.
///
/// Nothing that tells about the asker goes along: no cookies, no stored state, a new connection each time. Redirects stay
/// on the host. The address is looked up here, held against the rule, and then the one connected to.
struct WebClient: Sendable {
    private static let maximumRedirects = 3
    private static let limit = TimeAmount.seconds(15)

    let configuration: NodeConfiguration.Web

    /// Fetches a document.
    ///
    /// - Parameters:
    ///   - accept: the media type to ask for.
    ///   - maximum: the largest answer, in bytes.
    func get(_ address: WebAddress, accept: String, maximum: Int) async throws(WebError) -> [UInt8] {
        var address = address
        for _ in 0...Self.maximumRedirects {
            let answer = try await ask(address, accept: accept, maximum: maximum)
            switch answer {
            case .document(let bytes): return bytes
            case .redirect(let location):
                let next = try address.following(location)
                guard next.host == address.host else {
                    throw .redirectedElsewhere(from: address.host, to: next.host)
                }
                address = next
            }
        }
        throw .tooManyRedirects(url: address.description)
    }

    private enum Answer {
        case document([UInt8])
        case redirect(String)
    }

    private func ask(_ address: WebAddress, accept: String, maximum: Int) async throws(WebError) -> Answer {
        let route = configuration.routes[address.host]
        let target = try await resolve(route?.host ?? address.host, port: route?.port ?? address.port)
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let roots = configuration.roots { tls.additionalTrustRoots = [.file(roots)] }
        var settings = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow,
            timeout: .init(connect: Self.limit, read: Self.limit))
        settings.httpVersion = .http1Only
        settings.dnsOverride = [address.host: target]
        let client = HTTPClient(
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton), configuration: settings)
        let outcome: Result<Answer, WebError>
        do {
            outcome = .success(
                try await answer(of: client, at: address, port: route?.port ?? address.port, accept, maximum))
        } catch let error as WebError {
            outcome = .failure(error)
        } catch {
            outcome = .failure(.unreachable(host: address.host, reason: Self.reason(error)))
        }
        // A client that was used must be shut down; that it had nothing left to close is no failure of the fetch.
        _ = try? await client.shutdown()
        return try outcome.get()
    }

    private func answer(
        of client: HTTPClient, at address: WebAddress, port: UInt16, _ accept: String, _ maximum: Int
    ) async throws -> Answer {
        let suffix = port == 443 ? "" : ":\(port)"
        var request = HTTPClientRequest(url: "https://\(address.host)\(suffix)\(address.path)")
        request.headers.add(name: "host", value: address.host + (address.port == 443 ? "" : ":\(address.port)"))
        request.headers.add(name: "accept", value: accept)
        request.headers.add(name: "user-agent", value: "handfast")
        let response = try await client.execute(request, timeout: Self.limit)
        switch response.status.code {
        case 200:
            do {
                let body = try await response.body.collect(upTo: maximum)
                return .document([UInt8](body.readableBytesView))
            } catch is NIOTooManyBytesError {
                throw WebError.tooLarge(url: address.description, maximum: maximum)
            }
        case 301, 302, 303, 307, 308:
            guard let location = response.headers.first(name: "location") else {
                throw WebError.status(Int(response.status.code), url: address.description)
            }
            return .redirect(location)
        default:
            throw WebError.status(Int(response.status.code), url: address.description)
        }
    }

    /// The literal address to connect to; looked up once, so that what was judged is what is reached.
    private func resolve(_ host: String, port: UInt16) async throws(WebError) -> String {
        let address: SocketAddress
        do {
            address = try await NIOThreadPool.singleton.runIfActive {
                try SocketAddress.makeAddressResolvingHost(host, port: Int(port))
            }
        } catch {
            throw .unknownHost(host)
        }
        guard let literal = address.ipAddress else { throw .unknownHost(host) }
        guard configuration.allowsPrivateAddresses || NetworkAddress(literal)?.isPublic == true else {
            throw .addressRefused(host: host)
        }
        return literal
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError
        where error == .connectTimeout || error == .readTimeout
            || error == .deadlineExceeded:
            "it does not answer"
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: "its certificate is not trusted here (\(error))"
        case is CancellationError: "the fetch was given up"
        default: "\(error)"
        }
    }
}
