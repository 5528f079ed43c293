internal import HandfastChannel
internal import HandfastNode

/// The machine's clock, set wrong where a test asks for it.
enum TestClock {
    /// The variable with the number of seconds, negative for a clock that is slow.
    static let variable = "HANDFAST_TEST_CLOCK_OFFSET"

    /// The clock for this process.
    static var time: TimeSource {
        guard let offset = Environment[variable].flatMap({ Int64($0) }) else { return .system }
        return TimeSource(now: {
            Timestamp(seconds: UInt64(clamping: Int64(clamping: TimeSource.system.now().seconds) &+ offset))
        })
    }
}
