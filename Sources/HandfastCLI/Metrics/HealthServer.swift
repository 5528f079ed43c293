internal import HandfastNode
internal import Metrics

/// Tells whoever operates this process how it is: `/livez`, `/readyz` and `/metrics`.
struct HealthServer: Sendable {
    private let place: Endpoint
    private let metrics = PrometheusMetrics()

    /// Begins to count for the whole process; `nil` where the configuration names no place to tell it.
    init?(_ settings: Settings) {
        guard let place = settings.metricsListen else { return nil }
        self.place = place
        MetricsSystem.bootstrap(metrics)
    }

    /// Listens.
    ///
    /// - Parameters:
    ///   - isReady: whether the process does its work now.
    ///   - measure: sets what is not counted as it happens, before the figures are read.
    func listen(
        isReady: @escaping @Sendable () async -> Bool, measure: @escaping @Sendable () async -> Void = {}
    ) async throws -> WebServer {
        try await WebServer.listen(host: place.host, port: place.port, certificate: nil) { [metrics] path in
            switch path {
            case "/livez": return Self.page("alive")
            case "/readyz": return await isReady() ? Self.page("ready") : Self.page("not ready", isAvailable: false)
            case "/metrics":
                await measure()
                return WebServer.Document(mediaType: PrometheusMetrics.mediaType, bytes: Array(metrics.text().utf8))
            default: return nil
            }
        }
    }

    private static func page(_ word: String, isAvailable: Bool = true) -> WebServer.Document {
        WebServer.Document(
            isAvailable: isAvailable, mediaType: "text/plain; charset=utf-8", bytes: Array("\(word)\n".utf8))
    }
}
