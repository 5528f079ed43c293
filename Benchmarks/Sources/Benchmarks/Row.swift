/// One line of the results, as written to JSON: ours beside one peer's.
struct Row: Encodable {
    let name: String
    let unit: String
    let median: Double
    let min: Double
    let max: Double
    let runs: Int
    let beside: String
    let besideMedian: Double
    /// Ours ÷ theirs: the median of the ratios of the pairs.
    let ratio: Double

    enum CodingKeys: String, CodingKey {
        case name, unit, median, min, max, runs, beside, ratio
        case besideMedian = "beside_median"
    }

    /// From pairs of measurements, taken in turns.
    init(_ name: String, unit: String = "ns", beside: String, ours: [Double], theirs: [Double]) {
        self.name = name
        self.unit = unit
        self.beside = beside
        median = Self.median(ours)
        min = ours.min() ?? 0
        max = ours.max() ?? 0
        runs = ours.count
        besideMedian = Self.median(theirs)
        ratio = Self.median(zip(ours, theirs).map { $1 == 0 ? 0 : $0 / $1 })
    }

    private static func median(_ values: [Double]) -> Double {
        values.sorted()[values.count / 2]
    }
}
