internal import HandfastChannel
internal import HandfastStore
internal import Synchronization

/// How often each IPv4 address or IPv6 /64 may do something that costs the relay room.
///
/// What an address has used is kept in memory, until it has all of it again.
/// - Source: Spec/07 §7.7
final class AddressLimiter: Sendable {
    /// The most addresses that are known at a time; more only come in as these leave.
    static let maximumOrigins = 65_536

    private let rate: MessageRate
    private let buckets = Mutex<[String: TokenBucket]>([:])

    init(_ rate: MessageRate) {
        self.rate = rate
    }

    /// How many addresses are known.
    var originCount: Int { buckets.withLock { $0.count } }

    /// Takes so much of what an address may do, or nothing.
    func take(_ count: Int, from origin: String, at now: Timestamp) -> Bool {
        buckets.withLock { buckets in
            var bucket = buckets[origin] ?? TokenBucket()
            bucket.settle(at: now, by: rate)
            guard bucket.room(in: rate) >= count else { return false }
            if buckets[origin] == nil, buckets.count >= Self.maximumOrigins {
                buckets = buckets.filter { _, bucket in
                    var settled = bucket
                    settled.settle(at: now, by: rate)
                    return settled.used > 0
                }
                guard buckets.count < Self.maximumOrigins else { return false }
            }
            bucket.take(count)
            buckets[origin] = bucket
            return true
        }
    }
}
