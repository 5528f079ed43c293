import Foundation
import Testing

extension EndToEndTests {
    /// What the Python package made, which was written from the specification alone.
    @Suite(.serialized)
    struct PythonVectorTests {
        @Test func vectorsOfThePythonPackageHold() async throws {
            try await Scene.play { scene in
                let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                    .appendingPathComponent("../../Interop/python/vectors").standardizedFileURL
                let result = try await Tool.run(["vectors", "check", folder.path], in: scene)
                #expect(result.status == 0, "\(result.output)\(result.errors)")
                let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
                #expect(result.output.contains("\(files.count { $0.hasSuffix(".json") }) files hold"))
            }
        }
    }
}
