internal import ArgumentParser
internal import Foundation
internal import HandfastNode

struct VectorsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vectors",
        abstract: "Check or make test vectors, for implementers of the protocol.",
        discussion: """
            Vectors show, layer by layer, inputs, intermediate values, outputs and refusals of the protocol. The format is
            described in Interop/vectors/README.md.

            EXAMPLES
              handfast vectors check Interop/vectors
              handfast vectors make fresh && my-implementation check fresh
            """,
        subcommands: [VectorsCheckCommand.self, VectorsMakeCommand.self])
}

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

struct VectorsMakeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make",
        abstract: "Write a fresh set of vectors, with new random values, into a folder.",
        discussion: """
            Files of the same names are replaced.

            EXAMPLES
              handfast vectors make fresh
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The folder; it is made where it is missing.", completion: .directory)
    var folder: String

    func run() async throws {
        var names: [String] = []
        for layer in VectorLayers.all {
            let text: String
            do {
                text = try VectorMaker.file(of: layer).jsonText
            } catch let error as VectorError {
                throw Failure(.failed, error.description)
            }
            let name = layer.name + ".json"
            let path = URL(fileURLWithPath: folder).appendingPathComponent(name).path
            try OutputFile.writeMakingFolder(Array(text.utf8), to: path)
            names.append(name)
        }
        global.output.write(["files": .list(names.map { .text($0) })]) {
            names.joined(separator: "\n")
        }
    }
}
