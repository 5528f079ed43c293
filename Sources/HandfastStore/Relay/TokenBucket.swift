package import HandfastChannel

/// How fast messages, or anything else that a relay counts, may come.
package struct MessageRate: Hashable, Sendable {
    /// Messages an hour, at least 1.
    let perHour: Int
    /// Messages at once after a silence, at least 1.
    let burst: Int

    package init(perHour: Int, burst: Int) {
        self.perHour = perHour
        self.burst = burst
    }
}

/// What a queue has used of its rate. It is kept in the queue's row, so that a new connection, another sender's
/// connection or a restart of the relay fills nothing.
///
/// It counts in 3,600ths of a message, so that whole numbers do for every rate.
package struct TokenBucket: Hashable, Sendable {
    private static let perMessage = 3_600

    /// What is used up, in 3,600ths of a message.
    package var used = 0
    /// As of when.
    package var time = Timestamp(seconds: 0)

    package init(used: Int = 0, time: Timestamp = Timestamp(seconds: 0)) {
        self.used = used
        self.time = time
    }

    /// Fills by what has passed. A clock that goes back fills nothing, and does not stop the filling either.
    package mutating func settle(at now: Timestamp, by rate: MessageRate) {
        let passed = now.seconds > time.seconds ? now.seconds - time.seconds : 0
        // After a lower burst was set, the sender waits for one message, not for all that it had used before.
        used = min(used, rate.burst * Self.perMessage)
        let whole = UInt64(used / rate.perHour + 1)
        used = passed >= whole ? 0 : max(0, used - rate.perHour * Int(passed))
        time = min(now, RelayLimits.latestTime)
    }

    /// How many messages fit now.
    package func room(in rate: MessageRate) -> Int {
        rate.burst - (used + Self.perMessage - 1) / Self.perMessage
    }

    /// Seconds until one message fits; 0 if one fits now.
    func wait(by rate: MessageRate) -> Int {
        let missing = used + Self.perMessage - rate.burst * Self.perMessage
        return missing <= 0 ? 0 : (missing + rate.perHour - 1) / rate.perHour
    }

    /// Uses up so many messages' worth.
    package mutating func take(_ count: Int) {
        used += count * Self.perMessage
    }
}
