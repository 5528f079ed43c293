internal import Foundation

/// Checks folders of vectors against this program.
enum VectorCheck {
    static let maximumFileCount = 64

    /// What was checked.
    struct Report: Hashable {
        let file: String
        let layer: String
        let accepted: Int
        let refused: Int
    }

    /// Checks every file of a folder that ends in `.json`, in the order of their names.
    ///
    /// - Throws: ``VectorError``, the first that is found.
    static func folder(_ path: String) throws -> [Report] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            throw VectorError.noFolder(path)
        }
        let files = names.filter { $0.hasSuffix(".json") }.sorted()
        guard !files.isEmpty else { throw VectorError.empty(path) }
        guard files.count <= maximumFileCount else { throw VectorError.tooMany(path, limit: maximumFileCount) }
        return try files.map { name in
            let place = URL(fileURLWithPath: path).appendingPathComponent(name)
            guard let handle = try? FileHandle(forReadingFrom: place),
                let data = try? handle.read(upToCount: VectorFile.maximumByteCount + 1)
            else { throw VectorError.unreadable(file: name) }
            return try check(VectorFile(data, file: name), file: name)
        }
    }

    /// Checks one file.
    ///
    /// - Throws: ``VectorError``
    static func check(_ contents: VectorFile, file: String) throws -> Report {
        guard let layer = VectorLayers.layer(contents.layer) else {
            throw VectorError.unknownLayer(file: file, layer: contents.layer)
        }
        let operations = layer.operations
        var refused = 0
        for vector in contents.vectors {
            do {
                guard let operation = operations[vector.operation] else {
                    throw VectorFault.unknownOperation(vector.operation).at("op")
                }
                if try check(vector, operation, common: contents.common) { refused += 1 }
            } catch let error as VectorFault.FieldError {
                throw VectorError.vector(file: file, vector: vector.name, field: error.field, error.fault)
            }
        }
        return Report(
            file: file, layer: contents.layer, accepted: contents.vectors.count - refused, refused: refused)
    }

    /// Says whether the vector was one of a refusal.
    private static func check(
        _ vector: Vector, _ operation: (VectorFields) throws -> VectorFields, common: VectorFields
    ) throws -> Bool {
        let output: VectorFields
        do {
            output = try operation(vector.input.over(common))
        } catch let error as VectorFault.FieldError {
            throw error
        } catch {
            let actual = VectorErrorClass.name(of: error)
            guard case .error(let expected) = vector.expectation else { throw VectorFault.refused(actual).at("") }
            guard actual == expected else {
                throw VectorFault.wrongClass(expected: expected, actual: actual).at("error")
            }
            return true
        }
        switch vector.expectation {
        case .output(let expected): try compare(.object(expected), .object(output), at: "out")
        case .error(let expected): throw VectorFault.accepted(expected: expected).at("error")
        }
        return false
    }

    /// Outputs that the vector leaves out are not compared.
    private static func compare(_ expected: VectorValue, _ actual: VectorValue, at place: String) throws {
        switch (expected, actual) {
        case (.object(let expected), .object(let actual)):
            for entry in expected.entries {
                guard let value = actual[entry.name] else {
                    throw VectorFault.unknownOutput.at("\(place).\(entry.name)")
                }
                try compare(entry.value, value, at: "\(place).\(entry.name)")
            }
        case (.list(let expected), .list(let actual)):
            guard expected.count == actual.count else {
                throw VectorFault.count(expected: expected.count, actual: actual.count).at(place)
            }
            for index in expected.indices { try compare(expected[index], actual[index], at: "\(place)[\(index)]") }
        default:
            guard expected == actual else {
                throw VectorFault.differs(expected: short(expected), actual: short(actual)).at(place)
            }
        }
    }

    private static func short(_ value: VectorValue) -> String {
        let text = value.jsonText()
        return text.count > 80 ? text.prefix(76) + "…" : text
    }
}
