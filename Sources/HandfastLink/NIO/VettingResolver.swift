internal import NIOCore
internal import NIOPosix
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Resolves one host's name once, and gives back only the addresses that may be connected to: what is connected to is
/// what was judged, whatever the name leads to a moment later.
final class VettingResolver: Resolver, Sendable {
    private let allows: @Sendable (NetworkAddress) -> Bool
    private let ipv4: EventLoopPromise<[SocketAddress]>
    private let ipv6: EventLoopPromise<[SocketAddress]>
    private let refused = Mutex<NetworkAddress?>(nil)

    /// An address that may not be connected to, if the name leads to none that may.
    var refusedAddress: NetworkAddress? { refused.withLock { $0 } }

    init(on loop: any EventLoop, allows: @escaping @Sendable (NetworkAddress) -> Bool) {
        self.allows = allows
        ipv4 = loop.makePromise()
        ipv6 = loop.makePromise()
    }

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        ipv4.futureResult
    }

    // Called first, and asks for both.
    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        NIOThreadPool.singleton.runIfActive(eventLoop: ipv6.futureResult.eventLoop) { try Self.lookUp(host, port) }
            .whenComplete { result in
                switch result {
                case .success(let addresses):
                    let allowed = addresses.filter { NetworkAddress($0).map(self.allows) ?? false }
                    if allowed.isEmpty {
                        self.refused.withLock { $0 = NetworkAddress(addresses.first) }
                    }
                    self.ipv4.succeed(allowed.filter { if case .v4 = $0 { true } else { false } })
                    self.ipv6.succeed(allowed.filter { if case .v6 = $0 { true } else { false } })
                case .failure(let error):
                    self.ipv4.fail(error)
                    self.ipv6.fail(error)
                }
            }
        return ipv6.futureResult
    }

    func cancelQueries() {}

    /// The addresses of a host, as the system finds them; it waits.
    private static func lookUp(_ host: String, _ port: Int) throws -> [SocketAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        unsafe hints.ai_protocol = CInt(IPPROTO_TCP)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            throw LinkError.unreachable("\(host):\(port)", reason: unsafe String(cString: gai_strerror(code)))
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            unsafe next = entry.pointee.ai_next
            guard let address = unsafe entry.pointee.ai_addr else { continue }
            switch unsafe entry.pointee.ai_family {
            case AF_INET:
                addresses.append(
                    unsafe address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                        unsafe SocketAddress($0.pointee, host: host)
                    })
            case AF_INET6:
                addresses.append(
                    unsafe address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                        unsafe SocketAddress($0.pointee, host: host)
                    })
            default: break
            }
        }
        return addresses
    }
}
