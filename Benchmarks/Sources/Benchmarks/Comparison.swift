/// Two pieces of work measured in turns, so that a change of the machine's speed meets both alike.
struct Comparison {
    /// One line of the results, as written to JSON.
    struct Row: Encodable {
        let name: String
        let unit = "ns"
        let median: Double
        let min: Double
        let max: Double
        let runs: Int
        let beside: String
        let besideMedian: Double
        let ratio: Double

        enum CodingKeys: String, CodingKey {
            case name, unit, median, min, max, runs, beside, ratio
            case besideMedian = "beside_median"
        }
    }

    static let runs = 41

    /// Measures both, run by run in turns; the ratio is the median of the pairs' ratios.
    ///
    /// - Parameters:
    ///   - repeats: Iterations of one run.
    ///   - ours: Does the work `repeats` times.
    ///   - theirs: Does the peer's work `repeats` times.
    static func measure(
        _ name: String, beside: String, repeats: Int, ours: (Int) throws -> Void, theirs: (Int) throws -> Void
    ) rethrows -> Row {
        try ours(repeats)
        try theirs(repeats)
        var mine: [Double] = []
        var peers: [Double] = []
        for _ in 0..<runs {
            mine.append(try nanoseconds(repeats, ours))
            peers.append(try nanoseconds(repeats, theirs))
        }
        let ratios = zip(mine, peers).map { $0 / $1 }
        return Row(
            name: name, median: median(mine), min: mine.min() ?? 0, max: mine.max() ?? 0, runs: runs, beside: beside,
            besideMedian: median(peers), ratio: median(ratios))
    }

    private static func nanoseconds(_ repeats: Int, _ work: (Int) throws -> Void) rethrows -> Double {
        let clock = ContinuousClock()
        let duration = try clock.measure { try work(repeats) }
        let attoseconds = Double(duration.components.seconds) * 1e18 + Double(duration.components.attoseconds)
        return attoseconds / 1e9 / Double(repeats)
    }

    private static func median(_ values: [Double]) -> Double {
        values.sorted()[values.count / 2]
    }
}
