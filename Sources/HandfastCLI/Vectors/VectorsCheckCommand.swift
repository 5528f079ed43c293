internal import ArgumentParser
internal import HandfastNode

struct VectorsCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check the vectors of a folder against this program.",
        discussion: """
            Reads every file of the folder that ends in .json, stops at the first vector that does not hold, and names
            file, vector and field.

            EXAMPLES
              handfast vectors check Interop/vectors
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The folder with the vectors.", completion: .directory)
    var folder: String

    func run() async throws {
        let reports: [VectorCheck.Report]
        do {
            reports = try VectorCheck.folder(folder)
        } catch let error as VectorError {
            throw Failure(.badData, error.description)
        }
        let (accepted, refused) = (reports.reduce(0) { $0 + $1.accepted }, reports.reduce(0) { $0 + $1.refused })
        global.output.write([
            "files": .list(
                reports.map {
                    [
                        "file": .text($0.file), "layer": .text($0.layer), "accepted": .number($0.accepted),
                        "refused": .number($0.refused),
                    ]
                })
        ]) {
            let lines = reports.map {
                Printable.text("\($0.file): \($0.accepted) accepted, \($0.refused) refused, as they should be")
            }
            return (lines + ["\(accepted + refused) vectors in \(reports.count) files hold"]).joined(separator: "\n")
        }
    }
}
