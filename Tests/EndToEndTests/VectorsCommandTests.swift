import Foundation
import Testing

extension EndToEndTests {
    /// The vectors' commands, as an implementer in another language uses them.
    @Suite(.serialized)
    struct VectorsCommandTests {
        @Test func answersLineByLine() async throws {
            try await Scene.play { scene in
                let lines = [
                    #"{"layer": "cbor", "op": "decode", "in": {"bytes": "8101"}}"#,
                    #"{"layer": "cbor", "op": "decode", "in": {"bytes": "1800"}}"#,
                    #"{"layer": "cbor", "op": "read", "in": {}}"#, "no JSON",
                    #"{"layer": "relay", "op": "request", "in": {"frame": "820b01"}}"#,
                ]
                let answered = try await Tool.run(
                    ["vectors", "answer"], in: scene, input: lines.joined(separator: "\n"))
                #expect(answered.status == 0 && answered.errors.isEmpty)
                #expect(
                    answered.output.split(separator: "\n") == [
                        #"{"out":{"value":{"array":[{"int":"1"}]},"encoded":"8101"}}"#, #"{"error":"nonMinimal"}"#,
                        #"{"fault":"op: there is no operation \"read\" in this layer"}"#,
                        #"{"fault":"line: it is not JSON"}"#,
                        #"{"out":{"request":1,"encoded":"820b01","verb":"ping"}}"#,
                    ])
            }
        }

        @Test func madeFolderHoldsAndADamagedOneIsNamed() async throws {
            try await Scene.play { scene in
                let folder = "\(scene.folder)/vectors"
                let made = try await Tool.run(["vectors", "make", folder], in: scene)
                #expect(made.status == 0 && made.output.contains("ratchet.json"))
                let checked = try await Tool.run(["vectors", "check", folder], in: scene)
                #expect(checked.status == 0 && checked.output.contains(" files hold"))

                let file = URL(fileURLWithPath: "\(folder)/cbor.json")
                let text = try String(contentsOf: file, encoding: .utf8)
                let damaged = text.replacing(
                    #""error": "depthExceeded""#, with: #""error": "truncated""#, maxReplacements: 1)
                try Data(damaged.utf8).write(to: file)
                let refused = try await Tool.run(["vectors", "check", folder], in: scene)
                #expect(refused.status == 65 && refused.output.isEmpty)
                #expect(
                    refused.errors
                        == "handfast: cbor.json: 17 levels: error: was refused as depthExceeded, and should be as truncated\n"
                )
                try Data(text.dropLast(20).utf8).write(to: file)
                let cut = try await Tool.run(["vectors", "check", "--json", folder], in: scene)
                #expect(cut.status == 65)
                #expect(
                    try cut.json(Tool.Failure.self).error.message
                        == "cbor.json is not a file of vectors: it is not JSON")
            }
        }
    }
}
