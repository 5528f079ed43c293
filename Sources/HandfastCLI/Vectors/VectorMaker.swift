internal import HandfastCrypto

/// Collects a layer's vectors: runs each operation once and writes down what came of it.
struct VectorMaker {
    let layer: any VectorLayer.Type
    var entropy = SystemEntropy()
    private(set) var common: VectorFields = [:]
    private(set) var vectors: [Vector] = []

    init(_ layer: any VectorLayer.Type) {
        self.layer = layer
    }

    /// Makes a whole file.
    static func file(of layer: any VectorLayer.Type) throws -> VectorFile {
        var maker = VectorMaker(layer)
        try layer.make(&maker)
        return VectorFile(layer: layer.name, common: maker.common, vectors: maker.vectors)
    }

    /// Sets an input of all vectors that bring none of that name.
    mutating func share(_ name: String, _ value: VectorValue) {
        common = common.with(name, value)
    }

    /// Adds a vector that works, without the outputs that are too large to be worth their place.
    ///
    /// - Returns: Its outputs.
    @discardableResult
    mutating func accept(
        _ name: String, _ operation: String, _ input: VectorFields, comment: String? = nil, without large: [String] = []
    ) throws -> VectorFields {
        let output: VectorFields
        do {
            output = try run(operation, input)
        } catch let error as VectorFault.FieldError {
            throw failure(name, error.field, error.fault)
        } catch {
            throw failure(name, "", .refused(VectorErrorClass.name(of: error)))
        }
        let written = large.reduce(output) { $0.with($1, nil) }
        vectors.append(
            Vector(name: name, comment: comment, operation: operation, input: input, expectation: .output(written)))
        return output
    }

    /// Adds a vector that must be refused for one reason.
    mutating func refuse(
        _ name: String, _ operation: String, _ input: VectorFields, _ expected: String, comment: String? = nil
    ) throws {
        do {
            _ = try run(operation, input)
        } catch let error as VectorFault.FieldError {
            throw failure(name, error.field, error.fault)
        } catch {
            let actual = VectorErrorClass.name(of: error)
            guard actual == expected else {
                throw failure(name, "", .wrongClass(expected: expected, actual: actual))
            }
            vectors.append(
                Vector(name: name, comment: comment, operation: operation, input: input, expectation: .error(expected)))
            return
        }
        throw failure(name, "", .accepted(expected: expected))
    }

    /// Fresh random bytes.
    mutating func random(_ count: Int) -> [UInt8] {
        entropy.bytes(count)
    }

    private func run(_ operation: String, _ input: VectorFields) throws -> VectorFields {
        guard let function = layer.operations[operation] else {
            throw VectorFault.unknownOperation(operation).at("op")
        }
        return try function(input.over(common))
    }

    private func failure(_ name: String, _ field: String, _ fault: VectorFault) -> VectorError {
        .vector(file: layer.name + ".json", vector: name, field: field, fault)
    }
}
