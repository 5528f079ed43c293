public import HandfastCrypto

extension FixedBytes: CBORScalar {
    static var cborType: CBORType { .bytes }

    var cborValue: CBORValue { .bytes(array) }

    init?(cborValue: CBORValue) {
        guard case .bytes(let value) = cborValue else { return nil }
        try? self.init(copying: value)
    }
}

extension FixedBytes: Codable {
    /// Writes a byte string as CBOR and base64url text elsewhere, such as in JSON.
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if encoder is TreeEncoder {
            try container.encode(self)
        } else {
            try container.encode(Base64URL.encode(bytes))
        }
    }

    /// Reads what ``encode(to:)`` writes.
    /// - Throws: `DecodingError`, with the coding path.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if decoder is TreeDecoder {
            self = try container.decode(Self.self)
            return
        }
        let text = try container.decode(String.self)
        do {
            try self.init(copying: Base64URL.decode(text))
        } catch {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "expected \(count) bytes in base64url: \(error)")
        }
    }
}

extension Digest: CBORScalar {
    static var cborType: CBORType { .bytes }

    var cborValue: CBORValue { value.cborValue }

    init?(cborValue: CBORValue) {
        guard let value = FixedBytes<32>(cborValue: cborValue) else { return nil }
        self.init(value)
    }
}

extension Digest: Codable {
    /// Writes a byte string as CBOR and base64url text elsewhere, such as in JSON.
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        try value.encode(to: encoder)
    }

    /// Reads what ``encode(to:)`` writes.
    /// - Throws: `DecodingError`, with the coding path.
    public init(from decoder: any Decoder) throws {
        self.init(try FixedBytes<32>(from: decoder))
    }
}
