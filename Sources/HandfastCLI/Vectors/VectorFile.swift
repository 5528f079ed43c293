internal import Foundation

/// One vector: an operation, its input, and either its outputs or the class of its refusal.
struct Vector: Hashable {
    let name: String
    let comment: String?
    let operation: String
    let input: VectorFields
    let expectation: Expectation

    enum Expectation: Hashable {
        case output(VectorFields)
        case error(String)
    }

    init(
        name: String, comment: String?, operation: String, input: VectorFields, expectation: Expectation
    ) {
        self.name = name
        self.comment = comment
        self.operation = operation
        self.input = input
        self.expectation = expectation
    }

    init(_ fields: VectorFields) throws {
        name = try fields.text("name")
        comment = try fields.optionalText("comment")
        operation = try fields.text("op")
        input = try fields.fields("in")
        if let error = try fields.optionalText("error") {
            guard fields["out"] == nil else {
                throw VectorFault.kind("alone: a vector has \"out\" or \"error\"").at("out")
            }
            expectation = .error(error)
        } else {
            expectation = .output(try fields.fields("out"))
        }
    }

    var fields: VectorFields {
        switch expectation {
        case .output(let output):
            [
                "name": .text(name), "comment": comment.map { .text($0) }, "op": .text(operation), "in": .object(input),
                "out": .object(output),
            ]
        case .error(let error):
            [
                "name": .text(name), "comment": comment.map { .text($0) }, "op": .text(operation), "in": .object(input),
                "error": .text(error),
            ]
        }
    }
}

/// A file of vectors of one layer.
struct VectorFile: Hashable {
    static let format = 1
    static let maximumByteCount = 16 << 20
    static let maximumVectorCount = 10_000

    let layer: String
    /// Inputs that every vector has unless it brings its own.
    let common: VectorFields
    let vectors: [Vector]

    init(layer: String, common: VectorFields, vectors: [Vector]) {
        self.layer = layer
        self.common = common
        self.vectors = vectors
    }

    init(_ data: Data, file: String) throws {
        guard data.count <= Self.maximumByteCount else {
            throw VectorError.tooLarge(file: file, limit: Self.maximumByteCount)
        }
        let value: VectorValue
        do {
            value = try JSONDecoder().decode(VectorValue.self, from: data)
        } catch {
            throw VectorError.malformed(file: file, reason: "it is not JSON")
        }
        guard case .object(let fields) = value else {
            throw VectorError.malformed(file: file, reason: "an object is expected")
        }
        var name = "(file)"
        do {
            let format = try fields.count("format")
            guard format == Self.format else { throw VectorError.unknownFormat(file: file, format: format) }
            layer = try fields.text("layer")
            var common = try fields.optionalFields("common") ?? [:]
            common.path = "common."
            self.common = common
            let list = try fields.fieldsList("vectors")
            guard list.count <= Self.maximumVectorCount else {
                throw VectorError.tooMany(file, limit: Self.maximumVectorCount)
            }
            var vectors: [Vector] = []
            for var item in list {
                name = (try? item.text("name")) ?? "vector \(vectors.count + 1)"
                item.path = ""
                vectors.append(try Vector(item))
            }
            self.vectors = vectors
        } catch let error as VectorFault.FieldError {
            throw VectorError.vector(file: file, vector: name, field: error.field, error.fault)
        }
    }

    var jsonText: String {
        let fields: VectorFields = [
            "format": .number(Self.format), "layer": .text(layer),
            "common": common.entries.isEmpty ? nil : .object(common),
            "vectors": .list(vectors.map { .object($0.fields) }),
        ]
        return VectorValue.object(fields).jsonText() + "\n"
    }
}
