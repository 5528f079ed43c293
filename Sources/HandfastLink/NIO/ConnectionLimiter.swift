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

    /// Takes a place for a connection; false when there is none.
    ///
    /// - Parameter address: nil for local sockets.
    func enter(from address: NetworkAddress?) -> Bool {
        counts.withLock { counts in
            guard counts.total < limits.connections else { return false }
            if let address {
                let limit = address.isLoopback ? limits.connectionsFromLoopback : limits.connectionsPerAddress
                guard counts.perOrigin[address.origin, default: 0] < limit else { return false }
                counts.perOrigin[address.origin, default: 0] += 1
            }
            counts.total += 1
            return true
        }
    }

    /// Gives the place back.
    func leave(from address: NetworkAddress?) {
        counts.withLock { counts in
            counts.total -= 1
            guard let origin = address?.origin, let count = counts.perOrigin[origin] else { return }
            counts.perOrigin[origin] = count > 1 ? count - 1 : nil
        }
    }
}
