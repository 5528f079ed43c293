import Foundation

/// What a relationship that stands keeps of a relay that 10,000 strangers press, a thousand a second.
extension Suite {
    private static let pairs = 11
    private static let strangers = 10_000
    /// Beyond a relay's limit of connections made a second, from when on it has to ask for a cookie.
    private static let strangersPerSecond = 1_000.0

    /// Processor time of the relay for a message, without strangers and with them.
    static let floodRow = "relay/flood/cpu/1024"

    static func flood(in folder: URL, _ report: (Row) -> Void) async throws {
        let place = folder.appendingPathComponent("flood-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        let relay = try await RelayCarrier(treatingLoopbackAsOthers: true, in: place)
        let strangers = try Strangers(at: relay.address, in: place)
        let each = Self.strangers / pairs + 1
        // As many messages as the calm relay carries while that many strangers come.
        var fastest = 0.0
        for _ in 0..<3 { fastest = max(fastest, try await relay.run(.stream, count: 30_000).perSecond) }
        let messages = Int(fastest * Double(each) / strangersPerSecond)

        var calm: [CarrierRun] = []
        var flooded: [CarrierRun] = []
        let before = try relay.counts().handshakes
        let ownTime = try strangers.processorNanoseconds()
        for _ in 0..<pairs {
            calm.append(try await relay.run(.stream, count: messages))
            flooded.append(
                try await relay.run(
                    .stream, count: messages, beside: { try strangers.come(each) }, until: { try strangers.haveCome() })
            )
            // Until the relay lets everybody in again: the next run's clients come from the strangers' address.
            try await Task.sleep(for: .milliseconds(2_500))
        }
        let came = zip(before, try relay.counts().handshakes).map { $1 - $0 }
        let ownShare = (try strangers.processorNanoseconds() - ownTime) / Double(pairs * each) / 1_000
        strangers.stop()
        await relay.stop()
        print(
            "\(pairs * each) strangers beside \(pairs * messages) messages: \(Int(came[1])) times asked for a cookie, "
                + "\(Int(came[0])) answered, \(Int(came[2])) refused; \(Int(ownShare)) us of their own each")
        // The ratio is the share of the relay's throughput that is left.
        func compare(_ name: String, _ value: (CarrierRun) -> Double) {
            report(
                Row(name, beside: "with strangers", ours: calm.map(value), theirs: flooded.map(value)))
        }
        compare(floodRow) { $0.each($0.server) }
        compare("relay/flood/elapsed/1024") { $0.each($0.elapsed) }
    }
}
