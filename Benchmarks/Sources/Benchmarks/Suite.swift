import CPeers
import Foundation
import Handfast

/// Everything that is measured; each function gives the rows of one question.
enum Suite {
    static let byteCounts = [64, 256, 1_024, 16_384, 61_440]

    /// What is asked, in order.
    enum Question: String, CaseIterable {
        case streams, turns, handshake, overhead, records, cbor, claims, relay, flood, receive, idle
    }

    /// - Parameters:
    ///   - python: An interpreter that has the peers of `Interop/python/pyproject.toml`.
    ///   - folder: Where large files may lie for a while.
    static func answer(
        _ question: Question, python: String, folder: URL, _ report: (Row) -> Void
    ) async throws {
        switch question {
        case .streams: try streams(report)
        case .turns: try turns(report)
        case .handshake: try handshake(report)
        case .overhead: try overhead(report)
        case .records: try records(report)
        case .cbor: try cbor(python: python, report)
        case .claims:
            let peer = try CredentialPeer(python: python)
            try credentials(beside: peer, report)
            try sdJWT(beside: peer, report)
            try peer.stop()
            try anonymousClaims(python: python, report)
            try statusLists(report)
        case .relay: try await relay(in: folder, report)
        case .flood: try await flood(in: folder, report)
        case .receive: try await receive(in: folder, report)
        case .idle: try await idle(in: folder, report)
        }
    }

    private static func streams(_ report: (Row) -> Void) throws {
        for byteCount in byteCounts {
            for kind in [AEADOnly.Kind.limit, .noise, .signed] {
                try streams({ AEADOnly(kind, byteCount: byteCount) }, byteCount, report)
            }
            for kind in OtherProtocol.Kind.allCases {
                try streams({ try OtherProtocol(kind, byteCount: byteCount) }, byteCount, report)
            }
        }
    }

    private static func overhead(_ report: (Row) -> Void) throws {
        for byteCount in byteCounts {
            for kind in OtherProtocol.Kind.allCases {
                try overhead(byteCount, kind, report)
                try heap(byteCount, kind, report)
            }
        }
    }

    /// Seal, open and both of a stream of messages in one direction.
    private static func streams<Peer: Exchange>(
        _ makePeer: () throws -> Peer, _ byteCount: Int, _ report: (Row) -> Void
    ) throws {
        var peer = try makePeer()
        var sealing = try Stream.established(byteCount: byteCount)
        let name = peer.name
        report(
            try Comparison.measure(
                "channel/stream/seal/\(byteCount)", beside: name + "/seal",
                ours: { for _ in 0..<$0 { try sealing.seal() } }, theirs: { for _ in 0..<$0 { try peer.seal() } }))
        var stream = try Stream.established(byteCount: byteCount)
        // What was sealed above is lost, more than a receiver would skip.
        peer = try makePeer()
        report(
            try Comparison.measure(
                "channel/stream/open/\(byteCount)", beside: name + "/open", maximumRepeats: 500,
                prepareOurs: { try stream.prepare($0) }, ours: { for _ in 0..<$0 { try stream.openPrepared() } },
                prepareTheirs: { try peer.prepare($0) }, theirs: { for _ in 0..<$0 { try peer.openPrepared() } }))
        report(
            try Comparison.measure(
                "channel/stream/seal+open/\(byteCount)", beside: name,
                ours: { for _ in 0..<$0 { try stream.sealAndOpen() } },
                theirs: { for _ in 0..<$0 { try peer.sealAndOpen() } }))
    }

    /// Turns of a conversation: each message begins a chain. Those that carry a part of an ML-KEM step are longer,
    /// and are shown apart and in the mean of all.
    private static func turns(_ report: (Row) -> Void) throws {
        let byteCount = 1_024
        var stream = try Stream.established(byteCount: byteCount)
        let plainByteCount = try stream.envelopeByteCount()
        var plain: [Double] = []
        var kem: [Double] = []
        var all: [Double] = []
        var sodium: [Double] = []
        for run in 0...Comparison.runs {
            var times: [(isPlain: Bool, nanoseconds: Double)] = []
            // Two whole periods of ML-KEM steps, so that every run has the same share of them.
            for _ in 0..<68 {
                let time = try Comparison.nanoseconds(1, { _ in }, { _ in try stream.turn() })
                times.append((stream.sealedByteCount == plainByteCount, time))
            }
            let turn = try Comparison.nanoseconds(16, { _ in }, { for _ in 0..<$0 { try SodiumTurn.run() } })
            guard run > 0 else { continue }
            plain.append(mean(times.filter(\.isPlain).map(\.nanoseconds)))
            kem.append(mean(times.filter { !$0.isPlain }.map(\.nanoseconds)))
            all.append(mean(times.map(\.nanoseconds)))
            sodium.append(turn)
        }
        report(Row("channel/pingpong/\(byteCount)", beside: SodiumTurn.name, ours: plain, theirs: sodium))
        report(Row("channel/pingpong/\(byteCount)/ml-kem", beside: SodiumTurn.name, ours: kem, theirs: sodium))
        report(Row("channel/pingpong/\(byteCount)/mean", beside: SodiumTurn.name, ours: all, theirs: sodium))
        for kind in OtherProtocol.Kind.allCases {
            var peer = try OtherProtocol(kind, byteCount: byteCount)
            report(
                try Comparison.measure(
                    "channel/pingpong/\(byteCount)/mean", beside: peer.turnName,
                    ours: { for _ in 0..<$0 { try stream.turn() } }, theirs: { for _ in 0..<$0 { try peer.turn() } }))
        }
    }

    private static func handshake(_ report: (Row) -> Void) throws {
        var entropy = SystemEntropy()
        let parties = try Parties.create(using: &entropy)
        let operations = PublicKeyOperations(using: &entropy)
        report(
            try Comparison.measure(
                "handshake", beside: "handshake/public-key-operations",
                ours: { for _ in 0..<$0 { _ = try parties.handshake(using: &entropy) } },
                theirs: { for _ in 0..<$0 { try operations.run(using: &entropy) } }))
    }

    /// Bytes of an envelope beyond its content, as padded and before padding.
    private static func overhead(_ byteCount: Int, _ kind: OtherProtocol.Kind, _ report: (Row) -> Void) throws {
        var stream = try Stream.established(byteCount: byteCount)
        var peer = try OtherProtocol(kind, byteCount: byteCount)
        let theirs = Double(try peer.envelopeByteCount() - byteCount)
        let padded = Double(try stream.envelopeByteCount() - byteCount)
        report(
            Row(
                "channel/overhead/padded/\(byteCount)", unit: "bytes", beside: peer.name, ours: [padded],
                theirs: [theirs]))
        // The same for every size; near the largest there is no room to fill the padding up.
        guard byteCount == 1_024 else { return }
        report(
            Row(
                "channel/overhead/unpadded/\(byteCount)", unit: "bytes", beside: peer.name,
                ours: [Double(try stream.leastOverheadByteCount())], theirs: [theirs]))
    }

    /// Heap allocations of a message in steady state, both ends, counted.
    private static func heap(_ byteCount: Int, _ kind: OtherProtocol.Kind, _ report: (Row) -> Void) throws {
        var stream = try Stream.established(byteCount: byteCount)
        var peer = try OtherProtocol(kind, byteCount: byteCount)
        report(
            Row(
                "channel/allocations/seal+open/\(byteCount)", unit: "allocations", beside: peer.name,
                ours: [try allocations { for _ in 0..<$0 { try stream.sealAndOpen() } }],
                theirs: [try allocations { for _ in 0..<$0 { try peer.sealAndOpen() } }]))
    }

    private static func allocations(_ work: (Int) throws -> Void) rethrows -> Double {
        let count = 1_000
        try work(16)
        let before = heap_allocations()
        try work(count)
        return Double(heap_allocations() - before) / Double(count)
    }

    private static func mean(_ values: [Double]) -> Double {
        values.reduce(0, +) / Double(max(1, values.count))
    }
}
