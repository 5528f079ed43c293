/// How far this node has come in receiving what an own relay holds for it.
public struct ReceivingReport: Codable, Hashable, Sendable {
    /// The own relay, `host:port`.
    public var relay: String
    /// Whether messages are being received from it now.
    public var isConnected: Bool
    /// Since when they are not, seconds since 1970; at the earliest since the node's start.
    public var disconnectedSince: UInt64?
    /// Messages that the relay held and that were not received when it told last: at each connection, then every two
    /// minutes. Those of all relationships that receive by the same service count.
    public var behind: UInt64
    /// Why the relay cannot be reached, in words; `nil` while it can.
    public var trouble: String?
}

extension Sequence<ReceivingReport> {
    /// One report for each relay: connected where all are, and as far behind as they are together.
    func byRelay() -> [ReceivingReport] {
        var reports: [String: ReceivingReport] = [:]
        for report in self {
            guard var known = reports[report.relay] else {
                reports[report.relay] = report
                continue
            }
            known.isConnected = known.isConnected && report.isConnected
            known.disconnectedSince =
                [known.disconnectedSince, report.disconnectedSince].compactMap(\.self).min()
            known.behind += report.behind
            known.trouble = known.trouble ?? report.trouble
            reports[report.relay] = known
        }
        return reports.values.sorted { $0.relay < $1.relay }
    }
}
