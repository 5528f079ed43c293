internal import ArgumentParser
internal import Foundation

struct VectorsAnswerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "answer",
        abstract: "Answer operations of vectors that come on standard input, line by line.",
        discussion: """
            Each line is a JSON object with "layer", "op" and "in"; its answer, on a line of its own, has "out", or
            "error" with the class of the refusal, or "fault" where the line asks for nothing that can be answered. Thus a
            program can compare another implementation with this one on inputs of its own.

            EXAMPLES
              echo '{"layer": "cbor", "op": "decode", "in": {"bytes": "8101"}}' | handfast vectors answer
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        while let line = readLine() {
            StandardStream.output.write(VectorValue.object(Self.answer(line)).jsonLine + "\n")
        }
    }

    private static func answer(_ line: String) -> VectorFields {
        do {
            guard case .object(let asked) = try JSONDecoder().decode(VectorValue.self, from: Data(line.utf8)) else {
                throw VectorFault.kind("an object").at("line")
            }
            let (layer, name) = (try asked.text("layer"), try asked.text("op"))
            guard let operation = VectorLayers.layer(layer)?.operations[name] else {
                throw VectorFault.unknownOperation(name).at("op")
            }
            return ["out": .object(try operation(asked.fields("in")))]
        } catch let error as VectorFault.FieldError {
            return ["fault": .text("\(error.field): \(error.fault)")]
        } catch is DecodingError {
            return ["fault": .text("line: it is not JSON")]
        } catch {
            return ["error": .text(VectorErrorClass.name(of: error))]
        }
    }
}
