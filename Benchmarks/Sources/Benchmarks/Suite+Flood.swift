import Foundation

/// What a relationship that stands keeps of a relay at which 10,000 strangers knock, a thousand a second.
///
/// They all come from this machine, which may make a thousand connections a second: nobody who shows a cookie is turned
/// away, as if each came from an address of its own.
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
        let relay = try await RelayCarrier(in: place)
        let each = Self.strangers / pairs + 1
        let strangers = try Strangers(pairs * each, at: relay.address, in: place)
        // As many messages as keep a processor busy with the calm relay while that many strangers come: however busy the
        // machine is, what they take is compared with a whole processor's work.
        _ = try await relay.run(.stream, count: 60_000)
        let warm = try await relay.run(.stream, count: 60_000)
        let messages = Int(Double(each) / Self.strangersPerSecond * 1e9 / warm.each(warm.server))

        var calm: [CarrierRun] = []
        var flooded: [CarrierRun] = []
        var knocks = Strangers.Knocks()
        let before = try relay.counts().handshakes
        let ownTime = try strangers.processorNanoseconds()
        for _ in 0..<pairs {
            calm.append(try await relay.run(.stream, count: messages))
            flooded.append(
                try await relay.run(
                    .stream, count: messages, beside: { try strangers.come(each) },
                    until: { knocks += try strangers.haveCome() }))
        }
        let came = zip(before, try relay.counts().handshakes).map { $1 - $0 }
        func microsecondsEach(_ time: Double) -> Int { Int(time / Double(pairs * each) / 1_000) }
        let ownShare = microsecondsEach(try strangers.processorNanoseconds() - ownTime)
        let cost = microsecondsEach(zip(flooded, calm).reduce(0) { $0 + $1.0.server - $1.1.server })
        strangers.stop()
        await relay.stop()
        print(
            "\(pairs * each) strangers beside \(pairs * messages) messages: \(Int(came[1])) times asked for a cookie, "
                + "\(Int(came[0])) answered, \(Int(came[2])) turned away; \(knocks.admitted) knocks admitted, "
                + "\(knocks.refused) refused, \(knocks.failed) failed; "
                + "each took the relay \(cost) us, and itself \(ownShare)")
        // The ratio is the share of the relay's throughput that is left.
        func compare(_ name: String, _ value: (CarrierRun) -> Double) {
            report(
                Row(name, beside: "with strangers", ours: calm.map(value), theirs: flooded.map(value)))
        }
        compare(floodRow) { $0.each($0.server) }
        compare("relay/flood/elapsed/1024") { $0.each($0.elapsed) }
    }
}
