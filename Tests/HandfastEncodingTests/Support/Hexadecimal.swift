import HandfastCrypto
import HandfastEncoding

/// The bytes of hexadecimal digits, between which there may be spaces.
func bytes(_ hex: String) throws(TextError) -> [UInt8] {
    try Hex.decode(String(hex.lowercased().filter { $0 != " " }))
}

/// What `body` reads from all of the bytes.
func read<T>(
    _ hex: String, limits: CBORLimits = .standard, _ body: (inout CBORReader) throws -> T
) throws -> T {
    let bytes = try bytes(hex)
    var reader = CBORReader(bytes.bytes, limits: limits)
    let value = try body(&reader)
    try reader.finish()
    return value
}

/// The digits of what `body` writes.
func written(_ body: (inout CBORWriter) -> Void) -> String {
    var writer = CBORWriter()
    body(&writer)
    return Hex.encode(writer.bytes)
}
