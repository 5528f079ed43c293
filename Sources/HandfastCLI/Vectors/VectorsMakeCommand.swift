internal import ArgumentParser
internal import Foundation
internal import HandfastNode

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
