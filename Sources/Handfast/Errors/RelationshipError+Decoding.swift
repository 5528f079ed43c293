internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

extension RelationshipError {
    /// Decodes one CBOR item that is the whole of `bytes`, which are at most `maximum`, and names the structure in
    /// whatever is wrong with it.
    static func decoding<R>(
        _ structure: String, _ bytes: RawSpan, maximum: Int, _ body: (inout CBORReader) throws -> R
    ) throws(RelationshipError) -> R {
        do {
            var reader = CBORReader(bytes, limits: CBORLimits(size: maximum))
            let value = try body(&reader)
            try reader.finish()
            return value
        } catch let error as RelationshipError {
            throw error
        } catch let error as CBORError {
            throw .malformed(structure, error)
        } catch let error as ChannelError {
            throw .malformedPart(structure, error)
        } catch {
            throw .inconsistent("\(structure): \(error)")
        }
    }
}
