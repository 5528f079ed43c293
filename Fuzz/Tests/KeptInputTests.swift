import Foundation
import HandfastTestSupport
import Testing

/// Runs what the fuzzers begin with and what they once found, without a fuzzer.
@Suite struct KeptInputTests {
    @Test(arguments: FuzzTarget.all.map(\.name))
    func keepsItsPromises(target name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        for folder in ["Corpus", "Regressions"] {
            for file in try Self.files(in: "Fuzz/\(folder)/\(name)") {
                let input = [UInt8](try Data(contentsOf: file))
                #expect(throws: Never.self, "\(file.path)") { try target.run(input) }
            }
        }
        for (number, seed) in try target.seeds().enumerated() {
            #expect(throws: Never.self, "seed \(number)") { try target.run(seed) }
        }
    }

    @Test func everyKeptInputHasATarget() throws {
        for folder in ["Fuzz/Corpus", "Fuzz/Regressions"] {
            for file in try Self.files(in: folder) {
                #expect(FuzzTarget.all.contains { $0.name == file.lastPathComponent }, "\(file.path)")
            }
        }
    }

    /// What is in a folder; nothing if it is missing.
    private static func files(in path: String) throws -> [URL] {
        let folder = RepositoryFile.root.appending(path: path)
        guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: nil, options: .skipsHiddenFiles)
    }
}
