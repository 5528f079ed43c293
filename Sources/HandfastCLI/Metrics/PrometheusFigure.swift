internal import Metrics
internal import Synchronization

/// One series as Prometheus knows it.
protocol PrometheusFigure: AnyObject, Sendable {
    /// The word of its TYPE line.
    var type: String { get }
    /// Its lines: what follows the name, a label of the line's own, and the value.
    func samples() -> [(suffix: String, label: String, value: String)]
}

/// What only grows.
final class PrometheusCounter: PrometheusFigure, CounterHandler {
    let type = "counter"
    private let count = Atomic<Int64>(0)

    func increment(by amount: Int64) { count.wrappingAdd(amount, ordering: .relaxed) }

    func reset() { count.store(0, ordering: .relaxed) }

    func samples() -> [(suffix: String, label: String, value: String)] {
        [("", "", "\(count.load(ordering: .relaxed))")]
    }
}

/// What rises and falls.
final class PrometheusGauge: PrometheusFigure, MeterHandler, RecorderHandler {
    let type = "gauge"
    private let value = Mutex(0.0)

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) { self.value.withLock { $0 = value } }

    func increment(by amount: Double) { value.withLock { $0 += amount } }

    func decrement(by amount: Double) { value.withLock { $0 -= amount } }

    func record(_ value: Int64) { set(Double(value)) }

    func record(_ value: Double) { set(value) }

    func samples() -> [(suffix: String, label: String, value: String)] {
        [("", "", PrometheusHistogram.text(of: value.withLock { $0 }))]
    }
}

/// How long something takes, in seconds.
final class PrometheusHistogram: PrometheusFigure, TimerHandler {
    let type = "histogram"

    /// Upper ends of the buckets, in seconds: from a flush of a fast disk to a disk that hangs.
    private static let ends = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

    private struct State {
        var counts = [UInt64](repeating: 0, count: PrometheusHistogram.ends.count)
        var all: UInt64 = 0
        var seconds = 0.0
    }

    private let state = Mutex(State())

    func recordNanoseconds(_ duration: Int64) {
        let seconds = Double(duration) / 1e9
        state.withLock { state in
            state.all += 1
            state.seconds += seconds
            if let bucket = Self.ends.firstIndex(where: { seconds <= $0 }) { state.counts[bucket] += 1 }
        }
    }

    func samples() -> [(suffix: String, label: String, value: String)] {
        let state = state.withLock { $0 }
        var sum: UInt64 = 0
        var lines = zip(Self.ends, state.counts).map { end, count in
            sum += count
            return ("_bucket", "le=\"\(Self.text(of: end))\"", "\(sum)")
        }
        lines.append(("_bucket", "le=\"+Inf\"", "\(state.all)"))
        lines.append(("_sum", "", Self.text(of: state.seconds)))
        lines.append(("_count", "", "\(state.all)"))
        return lines
    }

    /// Whole numbers without a point.
    static func text(of value: Double) -> String {
        if let whole = Int64(exactly: value) { "\(whole)" } else { "\(value)" }
    }
}
