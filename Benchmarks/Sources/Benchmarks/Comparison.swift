import CPeers

/// Two pieces of work measured in turns, so that a change of the machine's speed meets both alike.
///
/// What counts is the processor time of this thread: a busy machine makes runs longer, not the figures.
enum Comparison {
    static let runs = 41
    private static let runNanoseconds = 1_500_000.0

    /// Measures both, run by run in turns.
    ///
    /// - Parameters:
    ///   - maximumRepeats: The most iterations of one run.
    ///   - prepareOurs: Done before each of our runs, outside its time.
    ///   - ours: Does the work as often as it is told.
    ///   - prepareTheirs: Done before each of the peer's runs, outside its time.
    ///   - theirs: Does the peer's work as often as it is told.
    static func measure(
        _ name: String, beside: String, maximumRepeats: Int = 1_000, prepareOurs: (Int) throws -> Void = { _ in },
        ours: (Int) throws -> Void, prepareTheirs: (Int) throws -> Void = { _ in }, theirs: (Int) throws -> Void
    ) throws -> Row {
        let ourRepeats = try repeats(maximumRepeats, prepareOurs, ours)
        let theirRepeats = try repeats(maximumRepeats, prepareTheirs, theirs)
        var mine: [Double] = []
        var peers: [Double] = []
        for _ in 0..<runs {
            mine.append(try nanoseconds(ourRepeats, prepareOurs, ours))
            peers.append(try nanoseconds(theirRepeats, prepareTheirs, theirs))
        }
        return Row(name, beside: beside, ours: mine, theirs: peers)
    }

    /// As many iterations as fill one run, from a first try that also warms caches.
    private static func repeats(
        _ maximum: Int, _ prepare: (Int) throws -> Void, _ work: (Int) throws -> Void
    ) throws -> Int {
        _ = try nanoseconds(min(maximum, 8), prepare, work)
        let once = try nanoseconds(min(maximum, 8), prepare, work)
        return max(1, min(maximum, Int(runNanoseconds / max(once, 1))))
    }

    /// Elapsed time of one of `repeats` iterations.
    static func elapsedNanoseconds(_ repeats: Int, _ work: (Int) async throws -> Void) async throws -> Double {
        let start = ContinuousClock.now
        try await work(repeats)
        return nanoseconds(start.duration(to: .now)) / Double(repeats)
    }

    static func nanoseconds(_ duration: Duration) -> Double {
        duration / .nanoseconds(1)
    }

    static func nanoseconds(
        _ repeats: Int, _ prepare: (Int) throws -> Void, _ work: (Int) throws -> Void
    ) throws -> Double {
        try prepare(repeats)
        let start = cpu_nanoseconds()
        try work(repeats)
        return Double(cpu_nanoseconds() - start) / Double(repeats)
    }
}
