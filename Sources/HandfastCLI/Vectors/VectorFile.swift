internal import Foundation

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
