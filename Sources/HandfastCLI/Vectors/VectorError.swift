/// What `vectors check` found wrong, and where.
enum VectorError: Error, Equatable {
    /// The folder cannot be listed.
    case noFolder(String)
    /// The folder holds no file that ends in `.json`.
    case empty(String)
    case tooMany(String, limit: Int)
    case unreadable(file: String)
    case tooLarge(file: String, limit: Int)
    /// The file is no JSON of this form.
    case malformed(file: String, reason: String)
    case unknownLayer(file: String, layer: String)
    case unknownFormat(file: String, format: Int)
    /// One vector is wrong; the field is empty when the vector as a whole is meant.
    case vector(file: String, vector: String, field: String, VectorFault)
}

/// What is wrong with one field or one vector.
enum VectorFault: Error, Equatable {
    case missing
    case kind(String)
    case length(expected: Int, actual: Int)
    case unknownOperation(String)
    /// The value is another one.
    case differs(expected: String, actual: String)
    /// The list has another length.
    case count(expected: Int, actual: Int)
    /// An output was named that this operation does not have.
    case unknownOutput
    /// It must work, and was refused.
    case refused(String)
    /// It must be refused, and worked.
    case accepted(expected: String)
    /// It was refused for another reason.
    case wrongClass(expected: String, actual: String)

    func at(_ field: String) -> FieldError { FieldError(field: field, fault: self) }

    /// A fault with its field, before file and vector are known.
    struct FieldError: Error, Equatable {
        let field: String
        let fault: VectorFault
    }
}

extension VectorError: CustomStringConvertible {
    var description: String {
        switch self {
        case .noFolder(let path): "the folder \(path) cannot be read; check the path"
        case .empty(let path): "the folder \(path) holds no vectors; files that end in .json are expected"
        case .tooMany(let what, let limit): "\(what) holds more than \(limit); split it"
        case .unreadable(let file): "\(file) cannot be read; check its mode"
        case .tooLarge(let file, let limit): "\(file) is larger than \(limit) bytes"
        case .malformed(let file, let reason): "\(file) is not a file of vectors: \(reason)"
        case .unknownLayer(let file, let layer):
            "\(file) is for the layer \"\(layer)\", which this program does not know"
        case .unknownFormat(let file, let format):
            "\(file) has format \(format), which this program does not read; a newer release may"
        case .vector(let file, let vector, let field, let fault):
            field.isEmpty ? "\(file): \(vector): \(fault)" : "\(file): \(vector): \(field): \(fault)"
        }
    }
}

extension VectorFault: CustomStringConvertible {
    var description: String {
        switch self {
        case .missing: "is missing"
        case .kind(let expected): "is not \(expected)"
        case .length(let expected, let actual): "has \(actual) bytes, not \(expected)"
        case .unknownOperation(let name): "there is no operation \"\(name)\" in this layer"
        case .differs(let expected, let actual): "is \(actual) here, the vector says \(expected)"
        case .count(let expected, let actual): "has \(actual) items here, the vector says \(expected)"
        case .unknownOutput: "is no output of this operation"
        case .refused(let name): "was refused as \(name), and should work"
        case .accepted(let expected): "was accepted, and should be refused as \(expected)"
        case .wrongClass(let expected, let actual): "was refused as \(actual), and should be as \(expected)"
        }
    }
}
