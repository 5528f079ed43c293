internal import HandfastCrypto
internal import HandfastEncoding

extension ChannelError {
    /// Runs `body` and names the structure in whatever it throws.
    static func naming<R: ~Copyable>(_ structure: String, _ body: () throws -> R) throws(ChannelError) -> R {
        do {
            return try body()
        } catch let error as ChannelError {
            throw error
        } catch let error as CBORError {
            throw .encoding(error, of: structure)
        } catch let error as COSEError {
            throw .signature(error, of: structure)
        } catch let error as CryptoError {
            throw .cryptography(error, of: structure)
        } catch {
            throw .malformed("\(structure): \(error)")
        }
    }

    /// Decodes one CBOR item that is the whole of `bytes`, which are at most `maximum`.
    static func decoding<R: ~Copyable>(
        _ structure: String, _ bytes: RawSpan, maximum: Int, _ body: (inout CBORReader) throws -> R
    ) throws(ChannelError) -> R {
        guard bytes.byteCount <= maximum else { throw .tooLarge(of: structure, maximum: maximum) }
        return try naming(structure) {
            var reader = CBORReader(bytes)
            let value = try body(&reader)
            try reader.finish()
            return value
        }
    }
}
