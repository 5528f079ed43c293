internal import NIOCore
internal import Synchronization

/// Counts connections, altogether and per origin.
final class ConnectionLimiter: Sendable {
    private struct Counts {
        var total = 0
        var perOrigin: [String: Int] = [:]
    }

    private let counts = Mutex(Counts())
    private let limits: LinkLimits

    init(_ limits: LinkLimits) {
        self.limits = limits
    }

    /// Takes a place for a connection; nil when there is none.
    func enter(from origin: String?) -> Bool {
        counts.withLock { counts in
            guard counts.total < limits.connections else { return false }
            if let origin {
                guard counts.perOrigin[origin, default: 0] < limits.connectionsPerAddress else { return false }
                counts.perOrigin[origin, default: 0] += 1
            }
            counts.total += 1
            return true
        }
    }

    /// Gives the place back.
    func leave(from origin: String?) {
        counts.withLock { counts in
            counts.total -= 1
            guard let origin, let count = counts.perOrigin[origin] else { return }
            counts.perOrigin[origin] = count > 1 ? count - 1 : nil
        }
    }

    /// Whom the limit per address counts as one: an IPv4 address or an IPv6 /64; nil for local sockets.
    static func origin(of address: SocketAddress?) -> String? {
        switch address {
        case .v4, nil: return address?.ipAddress
        case .v6:
            return unsafe address?.withSockAddr { start, count in
                // The address stands 8 bytes into a sockaddr_in6.
                let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count).dropFirst(8).prefix(16).map { $0 }
                // An IPv4 address in IPv6 clothes counts as the former.
                let isMapped = bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff])
                let part = isMapped ? bytes.suffix(4) : bytes.prefix(8)
                return part.map { String($0, radix: 16) }.joined(separator: ":")
            }
        case .unixDomainSocket: return nil
        }
    }
}
