import Foundation
import HandfastTestSupport
import Testing

@testable import HandfastCLI

/// `handfast vectors` over the committed vectors, over fresh ones, and over damaged ones.
@Suite struct VectorTests {
    private static let folder = RepositoryFile.root.appending(path: "Interop/vectors").path

    @Test func committedVectorsHold() throws {
        let reports = try VectorCheck.folder(Self.folder)
        #expect(Set(reports.map(\.layer)) == Set(VectorLayers.all.map { $0.name }))
        #expect(reports.allSatisfy { $0.file == $0.layer + ".json" && $0.accepted > 0 && $0.refused > 0 })
    }

    /// What was released holds for ever; `Interop/vectors/README.md` says what to do where it cannot.
    @Test func releasedVectorsHold() throws {
        let released = Self.folder + "/released"
        let versions = try FileManager.default.contentsOfDirectory(atPath: released)
        #expect(versions.contains("0.1.0"))
        for version in versions {
            let reports = try VectorCheck.folder("\(released)/\(version)")
            #expect(reports.count >= 22 && reports.allSatisfy { $0.accepted > 0 })
        }
    }

    @Test(arguments: VectorLayers.all.map { $0.name })
    func freshVectorsHoldAndDifferFromTheCommittedOnes(name: String) throws {
        let layer = try #require(VectorLayers.layer(name))
        let text = try VectorMaker.file(of: layer).jsonText
        let fresh = try VectorFile(Data(text.utf8), file: name)
        let report = try VectorCheck.check(fresh, file: name)
        let committed = try Self.committed(name)
        #expect(report.accepted + report.refused == committed.vectors.count)
        #expect(fresh.vectors.map(\.name) == committed.vectors.map(\.name))
        #expect(fresh != committed)
    }

    /// Every class of the specification that a message can meet, beside those that only one's own program can cause.
    @Test func committedVectorsShowEveryClassOfRefusal() throws {
        var shown: Set<String> = []
        for layer in VectorLayers.all {
            for vector in try Self.committed(layer.name).vectors {
                Self.collect(.object(vector.fields), into: &shown)
            }
        }
        let own = [
            "identity", "inconsistent", "recordNotAtHand", "reservedType", "malformedPart", "wrongPublicIdentity",
        ]
        for (chapter, section) in [
            ("00-overview", "## 0.5"), ("01-encoding", "## 1.6"), ("05-ledger", "## 5.8"),
            ("09-attachments", "## 9.3"),
        ] {
            let text = String(decoding: try RepositoryFile.contents("Spec/\(chapter).md"), as: UTF8.self)
            let start = try #require(text.range(of: section))
            let rest = text[start.upperBound...]
            let names = rest[..<(rest.range(of: "\n## ")?.lowerBound ?? rest.endIndex)].split(separator: "`")
                .enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
            #expect(names.count > 5)
            for name in names where !own.contains(name) {
                #expect(shown.isSuperset(of: name.split(separator: "/").map(String.init)), "no refusal as \(name)")
            }
        }
    }

    // MARK: Damage

    @Test func changedOutputIsNamed() throws {
        let file = try Self.changing("primitives", vector: "chain of nine") { fields in
            var messages = try fields.fields("out").fieldsList("messages")
            messages[2] = messages[2].with("messageKey", .text("00"))
            return fields.with("out", .object(["messages": .list(messages.map { .object($0) })]))
        }
        let error = try #require(throws: VectorError.self) { try VectorCheck.check(file, file: "a.json") }
        guard case .vector("a.json", "chain of nine", "out.messages[2].messageKey", .differs(#""00""#, _)) = error
        else {
            Issue.record("\(error)")
            return
        }
    }

    @Test func acceptedRefusalIsNamed() throws {
        let file = try Self.changing("cbor", vector: "undefined") { $0.with("in", .object(["bytes": .text("f6")])) }
        #expect(
            throws: VectorError.vector(
                file: "a.json", vector: "undefined", field: "error", .accepted(expected: "unsupported"))
        ) { try VectorCheck.check(file, file: "a.json") }
    }

    @Test func anotherClassIsNamed() throws {
        let file = try Self.changing("cbor", vector: "undefined") { $0.with("error", .text("truncated")) }
        #expect(
            throws: VectorError.vector(
                file: "a.json", vector: "undefined", field: "error",
                .wrongClass(expected: "truncated", actual: "unsupported"))
        ) { try VectorCheck.check(file, file: "a.json") }
    }

    @Test func refusedInputIsNamed() throws {
        let file = try Self.changing("cbor", vector: "null") { $0.with("in", .object(["bytes": .text("f7")])) }
        #expect(
            throws: VectorError.vector(file: "a.json", vector: "null", field: "", .refused("unsupported"))
        ) { try VectorCheck.check(file, file: "a.json") }
    }

    @Test(arguments: [
        ("in", VectorValue.object([:]), "bytes", VectorFault.missing),
        ("in", .object(["bytes": .text("F7")]), "bytes", .kind("hexadecimal text")),
        ("in", .object(["bytes": .number(7)]), "bytes", .kind("hexadecimal text")),
        ("op", .text("encode"), "op", .unknownOperation("encode")),
        ("out", .object(["other": .null]), "out.other", .unknownOutput),
        ("out", .object(["value": .object(["array": .list([])])]), "out.value.array", .unknownOutput),
    ])
    func faultyFieldIsNamed(name: String, value: VectorValue, field: String, fault: VectorFault) throws {
        let file = try Self.changing("cbor", vector: "null") { $0.with(name, value) }
        let error = try #require(throws: VectorError.self) { try VectorCheck.check(file, file: "a.json") }
        guard case .vector("a.json", "null", let place, let found) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(place.hasSuffix(field) && found == fault)
    }

    @Test(arguments: [
        ("", VectorError.malformed(file: "a", reason: "it is not JSON")),
        ("[]", .malformed(file: "a", reason: "an object is expected")),
        (#"{"format": 2}"#, .unknownFormat(file: "a", format: 2)),
        (#"{"format": 1}"#, .vector(file: "a", vector: "(file)", field: "layer", .missing)),
        (
            #"{"format": 1, "layer": "cbor", "vectors": [{"name": "n", "op": "decode"}]}"#,
            .vector(file: "a", vector: "n", field: "in", .missing)
        ),
        (
            #"{"format": 1, "layer": "cbor", "vectors": [{"name": "n", "op": "decode", "in": {}, "out": {}, "error": "x"}]}"#,
            .vector(file: "a", vector: "n", field: "out", .kind("alone: a vector has \"out\" or \"error\""))
        ),
    ])
    func malformedFileIsRefused(text: String, expected: VectorError) {
        #expect(throws: expected) { try VectorFile(Data(text.utf8), file: "a") }
    }

    @Test func unknownLayerIsRefused() {
        #expect(throws: VectorError.unknownLayer(file: "a", layer: "telepathy")) {
            try VectorCheck.check(VectorFile(layer: "telepathy", common: [:], vectors: []), file: "a")
        }
    }

    @Test func largeFileIsRefused() {
        #expect(throws: VectorError.tooLarge(file: "a", limit: VectorFile.maximumByteCount)) {
            try VectorFile(Data(count: VectorFile.maximumByteCount + 1), file: "a")
        }
    }

    @Test func foldersWithoutVectorsAreRefused() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "vectors-\(UUID().uuidString)")
        #expect(throws: VectorError.noFolder(folder.path)) { try VectorCheck.folder(folder.path) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(throws: VectorError.empty(folder.path)) { try VectorCheck.folder(folder.path) }
        try Data("{".utf8).write(to: folder.appending(path: "b.json"))
        #expect(throws: VectorError.malformed(file: "b.json", reason: "it is not JSON")) {
            try VectorCheck.folder(folder.path)
        }
    }

    // MARK: Support

    private static func committed(_ layer: String) throws -> VectorFile {
        try VectorFile(RepositoryFile.contents("Interop/vectors/\(layer).json"), file: layer)
    }

    /// A committed file that holds one of its vectors only, changed.
    private static func changing(
        _ layer: String, vector name: String, _ change: (VectorFields) throws -> VectorFields
    ) throws -> VectorFile {
        let file = try committed(layer)
        let vector = try #require(file.vectors.first { $0.name == name })
        return VectorFile(layer: layer, common: file.common, vectors: [try Vector(change(vector.fields))])
    }

    /// The parts of every class that a vector names, in its steps as well.
    private static func collect(_ value: VectorValue, into names: inout Set<String>) {
        switch value {
        case .object(let fields):
            for entry in fields.entries {
                if entry.name == "error", case .text(let name) = entry.value {
                    names.formUnion(name.split(separator: "/").map(String.init))
                }
                collect(entry.value, into: &names)
            }
        case .list(let items): for item in items { collect(item, into: &names) }
        default: break
        }
    }
}
