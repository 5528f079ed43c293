import Foundation

/// Measures the channel beside libsodium and writes the table and `results/latest.json`.
@main
struct Main {
    static func main() throws {
        var rows: [Comparison.Row] = []
        for byteCount in [64, 1_024, 16_384] {
            let repeats = max(200, 4_000_000 / (byteCount + 2_000))
            rows += try measure(byteCount: byteCount, repeats: repeats)
        }
        print(table(rows))
        let folder = URL(fileURLWithPath: CommandLine.arguments.dropFirst().first ?? "results", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("latest.json")
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(rows).write(to: file)
        print("written to \(file.path)")
    }

    static func measure(byteCount: Int, repeats: Int) throws -> [Comparison.Row] {
        var stream = try Stream.established(byteCount: byteCount)
        var sodium = Sodium(byteCount: byteCount)
        let peer = "libsodium/chacha20poly1305/\(byteCount)"
        let both = try Comparison.measure(
            "channel/stream/seal+open/\(byteCount)", beside: peer, repeats: repeats,
            ours: { for _ in 0..<$0 { try stream.sealAndOpen() } },
            theirs: {
                for _ in 0..<$0 {
                    sodium.seal()
                    guard sodium.open() else { throw BenchmarkError.wrongContent }
                }
            })
        let seal = try sealRow(byteCount: byteCount, repeats: repeats, peer: peer)
        let open = try openRow(byteCount: byteCount, repeats: repeats, peer: peer)
        return [seal, open, both]
    }

    private static func sealRow(byteCount: Int, repeats: Int, peer: String) throws -> Comparison.Row {
        var stream = try Stream.established(byteCount: byteCount)
        var sodium = Sodium(byteCount: byteCount)
        let sealed = try Comparison.measure(
            "channel/stream/seal/\(byteCount)", beside: peer + "/seal", repeats: min(repeats, 1_000),
            ours: { for _ in 0..<$0 { try stream.seal() } },
            theirs: { for _ in 0..<$0 { sodium.seal() } })
        return sealed
    }

    /// Messages to open are sealed beforehand, outside the measured time.
    private static func openRow(byteCount: Int, repeats: Int, peer: String) throws -> Comparison.Row {
        var stream = try Stream.established(byteCount: byteCount)
        var sodium = Sodium(byteCount: byteCount)
        let count = min(repeats, 500)
        try stream.prepare(count * (Comparison.runs + 1))
        return try Comparison.measure(
            "channel/stream/open/\(byteCount)", beside: peer + "/open", repeats: count,
            ours: { for _ in 0..<$0 { try stream.openOne() } },
            theirs: { for _ in 0..<$0 { guard sodium.open() else { throw BenchmarkError.wrongContent } } })
    }

    private static func table(_ rows: [Comparison.Row]) -> String {
        var lines = ["\(pad("row", 34))\(pad("ns", 10))\(pad("min", 10))\(pad("max", 10))\(pad("beside", 10))ratio"]
        for row in rows {
            lines.append(
                pad(row.name, 34) + pad(number(row.median), 10) + pad(number(row.min), 10)
                    + pad(number(row.max), 10) + pad(number(row.besideMedian), 10)
                    + String(format: "%.2f × %@", row.ratio, row.beside))
        }
        return lines.joined(separator: "\n")
    }

    private static func number(_ value: Double) -> String { String(Int(value.rounded())) }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
