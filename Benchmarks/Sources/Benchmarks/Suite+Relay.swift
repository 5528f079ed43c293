import Foundation

/// Our relay beside other servers that store and forward, and beside the database alone.
extension Suite {
    private static let runs = 3
    private static let messages = 30_000
    private static let rounds = 500
    /// As many as the relay delivers without reading them again.
    private static let waiting = 50_000

    static func relay(in folder: URL, _ report: (Row) -> Void) async throws {
        let place = folder.appendingPathComponent("relay-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        try await besidePeers(in: place, report)
        try await byQueueCount(in: place, report)
    }

    private static func besidePeers(in place: URL, _ report: (Row) -> Void) async throws {
        let relay = try await RelayCarrier(in: place)
        var peers: [any Carrier] = []
        for kind in Broker.Kind.allCases { peers.append(try await Broker(kind, in: place)) }
        peers.append(BareDatabase(in: place))

        var all: [CarrierWork: [String: [CarrierRun]]] = [:]
        var flushes: [Double] = []
        for run in 0...runs {
            for work in CarrierWork.allCases {
                for carrier in [relay] + peers {
                    let whole = work == .round ? rounds : messages
                    let before = try relay.counts()
                    let result = try await carrier.run(work, count: max(20, Int(Double(whole) * carrier.share)))
                    // The first run warms caches and files.
                    guard run > 0 else { continue }
                    all[work, default: [:]][carrier.name, default: []].append(result)
                    if carrier === relay, work == .stream {
                        let after = try relay.counts()
                        flushes.append((after.flushes - before.flushes) / (after.commits - before.commits))
                    }
                }
            }
        }
        await relay.stop()
        for peer in peers { await peer.stop() }
        let size = CarrierLoad.messageBytes
        func compare(_ name: String, _ work: CarrierWork, unit: String, _ value: (CarrierRun) -> Double) {
            for peer in peers {
                guard let ours = all[work]?[relay.name], let theirs = all[work]?[peer.name] else { continue }
                report(
                    Row(
                        "relay/\(name)/\(size)", unit: unit, beside: peer.name, ours: ours.map(value),
                        theirs: theirs.map(value)))
            }
        }
        compare("stream", .stream, unit: "msg/s", \.perSecond)
        compare("store", .store, unit: "msg/s", \.perSecond)
        compare("drain", .drain, unit: "msg/s", \.perSecond)
        compare("cpu", .stream, unit: "ns") { $0.each($0.server) }
        compare("clients", .stream, unit: "ns") { $0.each($0.clients) }
        compare("p50", .round, unit: "ns") { $0.round(percentile: 50) }
        compare("p99", .round, unit: "ns") { $0.round(percentile: 99) }
        report(
            Row(
                "relay/flushes/\(size)", unit: "flushes", beside: "relay/commits/\(size)", ours: flushes,
                theirs: flushes.map { _ in 1 }))
    }

    /// Messages to queues at random: what one costs, and how long a service takes to have what waits in them.
    private static func byQueueCount(in place: URL, _ report: (Row) -> Void) async throws {
        let (few, many) = (1_000, 1_000_000)
        let carriers = [
            try await RelayCarrier(queues: few, in: place), try await RelayCarrier(queues: many, in: place),
        ]
        var stored = [[CarrierRun]](repeating: [], count: 2)
        var drained = stored
        for run in 0...3 {
            for (index, carrier) in carriers.enumerated() {
                let runs = (
                    try await carrier.run(.store, count: waiting), try await carrier.run(.drain, count: waiting)
                )
                guard run > 0 else { continue }
                stored[index].append(runs.0)
                drained[index].append(runs.1)
            }
        }
        for carrier in carriers { await carrier.stop() }
        func compare(_ name: String, _ runs: [[CarrierRun]], unit: String = "ns", _ value: (CarrierRun) -> Double) {
            report(
                Row(
                    "relay/\(name)/\(many)", unit: unit, beside: "relay/\(name)/\(few)", ours: runs[1].map(value),
                    theirs: runs[0].map(value)))
        }
        compare("queues/store", stored) { $0.each($0.elapsed) }
        compare("queues/store/cpu", stored) { $0.each($0.server) }
        compare("queues/drain", drained) { $0.each($0.elapsed) }
        compare("queues/drain/cpu", drained) { $0.each($0.server) }
        compare("resume", drained, unit: "ns", \.whole)
    }
}
