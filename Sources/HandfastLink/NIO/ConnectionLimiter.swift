internal import Synchronization

/// Counts connections, altogether and per origin, and keeps few enough of them unfinished.
final class ConnectionLimiter: Sendable {
    private struct Counts {
        var total = 0
        var perOrigin: [String: Int] = [:]
        /// How each connection whose handshake is not finished is closed, by the order in which they came.
        var unfinished: [Int: @Sendable () -> Void] = [:]
        /// The places below are none of `unfinished`.
        var oldest = 0
        var next = 0
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

    /// Takes a place for a connection whose handshake is not finished. Where all are taken the oldest of these is
    /// closed: who sends nothing keeps nobody else out.
    func begin(closing close: @escaping @Sendable () -> Void) -> Int {
        let (place, tooOld) = counts.withLock { counts in
            var tooOld: (@Sendable () -> Void)?
            while counts.unfinished.count >= limits.unfinishedHandshakes, counts.oldest < counts.next {
                tooOld = counts.unfinished.removeValue(forKey: counts.oldest)
                counts.oldest += 1
            }
            defer { counts.next += 1 }
            counts.unfinished[counts.next] = close
            return (counts.next, tooOld)
        }
        tooOld?()
        return place
    }

    /// Gives the place back.
    func finish(_ place: Int) {
        counts.withLock { _ = $0.unfinished.removeValue(forKey: place) }
    }
}
