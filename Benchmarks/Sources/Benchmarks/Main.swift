import Foundation

/// Measures the channel beside its limit and other protocols; writes the table, `latest.json` and `chart.svg`.
///
/// `Benchmarks FOLDER PYTHON` writes into FOLDER; PYTHON is that of the tests (`Scripts/python-venv`). Names of questions after them leave out the others.
/// `Benchmarks --repeat seal+open 1024 10000` only carries messages, for a profiler to count.
@main
struct Main {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.count == 4, arguments[0] == "--repeat", let size = Int(arguments[2]), let count = Int(arguments[3])
        {
            try carry(arguments[1], byteCount: size, count: count)
            return
        }
        if arguments.count == 4, arguments[0] == "--vendor" {
            try await Crowd.liveAsVendor(folder: arguments[1], keyFile: arguments[2], relay: arguments[3])
            return
        }
        if arguments.count == 5, arguments[0] == "--receive", let count = Int(arguments[4]) {
            try await Receiver.live(folder: arguments[1], keyFile: arguments[2], relay: arguments[3], count: count)
            return
        }
        if arguments.count == 3, arguments[0] == Strangers.argument, let count = Int(arguments[2]) {
            return try await Strangers.run(count, at: arguments[1])
        }
        let questions = arguments.dropFirst(2).map(Suite.Question.init)
        guard arguments.count >= 2, !questions.contains(nil) else { throw BenchmarkError.usage }
        let folder = URL(fileURLWithPath: arguments[0], isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)

        var rows: [Row] = []
        print(Table.head)
        for question in questions.isEmpty ? Suite.Question.allCases : questions.compactMap(\.self) {
            try await Suite.answer(question, python: arguments[1], folder: folder) { row in
                rows.append(row)
                print(Table.line(row))
            }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let results = folder.appendingPathComponent("latest.json")
        let chart = folder.appendingPathComponent("chart.svg")
        try encoder.encode(rows).write(to: results)
        try Data(Chart(rows, machine: Machine.kind).svg.utf8).write(to: chart)
        // Goals are told; of what `make flood` asks alone, it also depends how the program ends.
        if questions == [.flood], let kept = rows.first(where: { $0.name == Suite.floodRow })?.ratio {
            print("The relay keeps \(Int(kept * 100)) % of its throughput; promised are 80 %.")
            guard kept >= 0.8 else { throw BenchmarkError.promiseBroken(share: kept) }
        }
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
