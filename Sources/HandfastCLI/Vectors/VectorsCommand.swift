internal import ArgumentParser

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
        subcommands: [VectorsCheckCommand.self, VectorsMakeCommand.self, VectorsAnswerCommand.self])
}
