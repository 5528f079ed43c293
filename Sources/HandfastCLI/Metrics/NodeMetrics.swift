internal import HandfastChannel
internal import HandfastNode
internal import Metrics

/// What a node tells of how far it has come in receiving, for whoever operates it; nothing in it names a relay.
struct NodeMetrics: Sendable {
    private let relays = Meter(label: "handfast_node_relays")
    private let connected = Meter(label: "handfast_node_relays_connected")
    private let disconnectedSeconds = Meter(label: "handfast_node_disconnected_seconds")
    private let behind = Meter(label: "handfast_node_behind_messages")

    /// Takes over how it is now.
    func set(_ reports: [ReceivingReport], at now: Timestamp) {
        relays.set(reports.count)
        connected.set(reports.count { $0.isConnected })
        let since = reports.compactMap(\.disconnectedSince).min()
        disconnectedSeconds.set(Int64(since.map { now.seconds > $0 ? now.seconds - $0 : 0 } ?? 0))
        behind.set(Int64(clamping: reports.reduce(0) { $0 + $1.behind }))
    }
}
