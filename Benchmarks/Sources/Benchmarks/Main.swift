import Foundation

/// Measures the channel beside its limit and other protocols; writes the table, `latest.json` and `chart.svg`.
///
/// `Benchmarks FOLDER` writes into FOLDER. `Benchmarks --repeat seal+open 1024 10000` only carries messages, for a
/// profiler to count.
@main
struct Main {
    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.count == 4, arguments[0] == "--repeat", let size = Int(arguments[2]), let count = Int(arguments[3])
        {
            try carry(arguments[1], byteCount: size, count: count)
            return
        }
        let folder = URL(fileURLWithPath: arguments.first ?? "results", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)

        var rows: [Row] = []
        print(Table.head)
        try Suite.run { row in
            rows.append(row)
            print(Table.line(row))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let results = folder.appendingPathComponent("latest.json")
        let chart = folder.appendingPathComponent("chart.svg")
        try encoder.encode(rows).write(to: results)
        try Data(Chart(rows, machine: Machine.kind).svg.utf8).write(to: chart)
        print("\(Machine.kind)\nwritten to \(results.path) and \(chart.path)")
    }

    private static func carry(_ what: String, byteCount: Int, count: Int) throws {
        var stream = try Stream.established(byteCount: byteCount)
        for _ in 0..<count {
            switch what {
            case "seal": try stream.seal()
            case "turn": try stream.turn()
            default: try stream.sealAndOpen()
            }
        }
    }
}
