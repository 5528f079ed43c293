internal import Metrics
internal import Synchronization

/// Keeps what the process counts, and writes it as Prometheus reads it.
///
/// - Source: Prometheus text exposition format 0.0.4
final class PrometheusMetrics: MetricsFactory {
    /// The media type of ``text()``.
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    private struct Series: Hashable {
        let name: String
        let labels: String
    }

    private let figures = Mutex<[Series: any PrometheusFigure]>([:])

    /// All figures, sorted by name, a line each.
    func text() -> String {
        let sorted = figures.withLock { Array($0) }
            .sorted { ($0.key.name, $0.key.labels) < ($1.key.name, $1.key.labels) }
        var text = ""
        var last = ""
        for (series, figure) in sorted {
            if series.name != last { text += "# TYPE \(series.name) \(figure.type)\n" }
            last = series.name
            for sample in figure.samples() {
                let labels = [series.labels, sample.label].filter { !$0.isEmpty }.joined(separator: ",")
                text += series.name + sample.suffix + (labels.isEmpty ? "" : "{\(labels)}") + " \(sample.value)\n"
            }
        }
        return text
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        figure(label, dimensions) { PrometheusCounter() }
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        figure(label, dimensions) { PrometheusGauge() }
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        figure(label, dimensions) { PrometheusGauge() }
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        figure(label, dimensions) { PrometheusHistogram() }
    }

    // A figure is kept for the life of the process: what counted once is read until the end.
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}

    /// The figure of a series, made at its first use; one that is there as another type counts apart, unread.
    private func figure<Figure: PrometheusFigure>(
        _ label: String, _ dimensions: [(String, String)], _ make: () -> Figure
    ) -> Figure {
        let labels = dimensions.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
        let series = Series(name: Self.name(label), labels: labels)
        return figures.withLock { figures in
            if let known = figures[series] { return known as? Figure ?? make() }
            let new = make()
            figures[series] = new
            return new
        }
    }

    private static func name(_ label: String) -> String {
        String(label.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }

    private static func escaped(_ value: String) -> String {
        value.reduce(into: "") { text, character in
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.append(character)
            }
        }
    }
}
