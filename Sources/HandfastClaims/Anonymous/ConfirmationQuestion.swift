internal import HandfastCrypto
internal import HandfastEncoding

/// What a partner asks the issuer about a presentation: Ā and B̄, 64 bytes that show nothing of the credential.
///
/// - Source: Spec/11 §11.8
public struct ConfirmationQuestion: Hashable, Sendable {
    /// The largest question, in bytes.
    public static let maximumEncodedCount = 80

    /// Ā.
    let signature: RistrettoPoint
    /// B̄.
    let product: RistrettoPoint

    init(signature: RistrettoPoint, product: RistrettoPoint) {
        self.signature = signature
        self.product = product
    }

    /// The question as CBOR.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter()
        writer.writeMap { writer in
            writer.writeKey(1)
            writer.writeBytes(signature.array + product.array)
        }
        return writer.bytes
    }

    /// Decodes what ``encoded()`` gives.
    /// - Throws: ``AnonymousClaimError``
    public init(decoding bytes: RawSpan) throws(AnonymousClaimError) {
        self = try AnonymousClaimError.decoding("question", bytes, maximum: Self.maximumEncodedCount) { reader in
            var map = try reader.readIntegerMap(maximum: 1)
            try map.requireKey(1, &reader)
            let points = try reader.readBytes(count: 2 * RistrettoPoint.count)
            try map.finish(&reader)
            return ConfirmationQuestion(
                signature: try AnonymousClaimError.point(points.extracting(0..<32), named: "Ā"),
                product: try AnonymousClaimError.point(points.extracting(32..<64), named: "B̄"))
        }
    }
}
