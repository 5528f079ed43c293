internal import HandfastCrypto

/// Seals a file chunk by chunk and gives the body of the record that names it, in memory of one chunk.
///
/// ```swift
/// var sealer = AttachmentSealer(contentSize: size, using: &entropy)
/// while sealer.nextSize != nil { file.append(try sealer.seal(next(sealer.nextSize))) }
/// let attachment = try sealer.finish(name: "photo.jpg")
/// ```
///
/// - Source: Spec/09 §9.2
public struct AttachmentSealer: ~Copyable {
    /// The chunk size that fills envelopes best: 59 KiB.
    public static let chunkSize = LedgerLimits.chunk.upperBound

    private var attachment: AttachmentMessage
    private var stream: SecretStreamSealer
    private var hash = LabelledHash(.attachment)
    private var next: UInt64 = 0

    /// Begins with a fresh key and header.
    ///
    /// - Parameters:
    ///   - contentSize: the size of the file in bytes, known before its first byte is sealed.
    ///   - chunkSize: 256 to 60,416 bytes.
    /// - Throws: ``RelationshipError/malformedBody(_:reason:)`` for sizes out of bounds
    public init(
        contentSize: UInt64, chunkSize: Int = Self.chunkSize, using random: inout some RandomNumberGenerator
    ) throws(RelationshipError) {
        attachment = AttachmentMessage(
            name: "-", contentSize: contentSize, chunkSize: chunkSize, key: FixedBytes(random: &random),
            header: FixedBytes(random: &random), digest: .zero)
        if let fault = attachment.fault { throw .malformedBody(.attachment, reason: fault) }
        stream = SecretStreamSealer(SecretStreamKey(attachment.key), header: attachment.header)
        hash.absorb(attachment.header.bytes)
    }

    /// The bytes of the file that the next chunk takes; nil after the last.
    public var nextSize: Int? {
        next < attachment.chunkCount
            ? attachment.sealedSize(ofChunk: next) - SecretStreamSealer.overhead : nil
    }

    /// Seals the next bytes of the file, exactly ``nextSize`` of them.
    /// - Throws: ``RelationshipError/chunk(_:_:)``
    public mutating func seal(_ chunk: RawSpan) throws(RelationshipError) -> [UInt8] {
        guard let nextSize else { throw .chunk(next, .beyondEnd) }
        guard chunk.byteCount == nextSize else { throw .chunk(next, .wrongLength) }
        var sealed = [UInt8](repeating: 0, count: nextSize + SecretStreamSealer.overhead)
        var output = sealed.mutableBytes
        do {
            try stream.seal(chunk, next == attachment.chunkCount - 1 ? .final : .message, into: &output)
        } catch {
            throw .chunk(next, .beyondEnd)
        }
        hash.absorb(sealed)
        next += 1
        return sealed
    }

    /// The body of the record, once the last chunk is sealed.
    /// - Throws: ``RelationshipError/chunk(_:_:)`` when chunks are missing, ``RelationshipError/malformedBody(_:reason:)``
    public consuming func finish(
        name: String, encodingFormat: String? = nil, text: String? = nil, language: String? = nil
    ) throws(RelationshipError) -> AttachmentMessage {
        guard nextSize == nil else { throw .chunk(next, .missing) }
        var result = attachment
        result.name = name
        result.encodingFormat = encodingFormat
        result.text = text
        result.language = language
        result.digest = hash.digest().value
        if let fault = result.fault { throw .malformedBody(.attachment, reason: fault) }
        return result
    }
}
