internal import HandfastCrypto
public import HandfastEncoding

/// JSON text of the items that credentials are made of, read strictly: one value, every name once, nesting and size
/// bounded, integers exact.
/// - Source: RFC 8259; Spec/10 §10.5
public enum JSON {
    /// How deep arrays and objects may nest; a scalar alone has depth 0.
    public static let depth = CBORLimits.depth

    /// Decodes the one value that is all of `text`, of at most `maximumSize` bytes of UTF-8.
    ///
    /// Objects become maps with text keys; numbers without fraction and exponent integers of 64 bits, all others doubles.
    /// - Throws: ``JSONError``, each case but ``JSONError/notRepresentable``
    public static func decode(_ text: [UInt8], maximumSize: Int) throws(JSONError) -> CBORValue {
        var reader = try JSONReader(text, maximumSize: maximumSize)
        return try reader.readOnlyValue()
    }

    /// The compact text of an item; names stand in the map's own order.
    /// - Throws: ``JSONError/notRepresentable``, ``JSONError/depthExceeded(at:)``
    public static func encode(_ value: CBORValue) throws(JSONError) -> [UInt8] {
        var writer = JSONWriter()
        try writer.write(value, depth: 0)
        return writer.bytes
    }
}
