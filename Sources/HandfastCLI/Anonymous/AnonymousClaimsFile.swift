internal import HandfastClaims
internal import HandfastEncoding
internal import HandfastNode

/// The claims that an issuer vouches for, in a JSON object.
struct AnonymousClaimsFile {
    private static let maximumSize = 1 << 14

    private let path: String
    private let claims: CBORMap

    /// Reads a file.
    ///
    /// - Throws: ``Failure``
    init(at path: String) throws {
        self.path = InputFile.name(of: path)
        let bytes = try InputFile.read(path, maximum: Self.maximumSize)
        do {
            guard case .map(let map) = try JSON.decode(bytes, maximumSize: Self.maximumSize) else {
                throw Failure(.badData, "\(self.path) holds no JSON object of claims")
            }
            claims = map
        } catch let error as JSONError {
            throw Failure(.badData, "\(self.path) is not the JSON of claims: \(error)")
        }
    }

    /// A value for each attribute, in its order.
    ///
    /// - Throws: ``Failure`` where one is missing, of no attribute, or of another kind.
    func values(of schema: AnonymousSchema) throws -> [AnonymousValue] {
        for entry in claims.entries {
            guard case .text(let name) = entry.key, !schema.attributes.contains(name) else { continue }
            throw Failure(
                .badData, "the key issues no attribute \(name)",
                hint: "it has \(schema.attributes.joined(separator: ", "))")
        }
        return try schema.attributes.map { name in
            switch claims[name] {
            case .text(let text): return .text(text)
            case .unsigned(let number) where number <= UInt64(Int64.max): return .integer(Int64(number))
            case .negative(let number) where number <= UInt64(Int64.max): return .integer(~Int64(number))
            case nil: throw Failure(.badData, "\(path) has no value for \(name)", hint: "give one for each attribute")
            default: throw Failure(.badData, "\(name) in \(path) is neither a text nor a whole number")
            }
        }
    }
}
