internal import HandfastCrypto

/// Opens an attachment chunk by chunk, in memory of one chunk. Nothing is the file before ``finish()`` says so.
///
/// - Source: Spec/09 §9.3
public struct AttachmentOpener: ~Copyable, @unchecked Sendable {
    private let attachment: AttachmentMessage
    private var stream: SecretStreamOpener
    private var hash = LabelledHash(.attachment)
    /// The number of the next chunk, from 0.
    public private(set) var next: UInt64 = 0

    /// Begins with the body of a record.
    public init(_ attachment: AttachmentMessage) {
        self.attachment = attachment
        stream = SecretStreamOpener(SecretStreamKey(attachment.key), header: attachment.header)
        hash.absorb(attachment.header.bytes)
    }

    /// Whether every chunk has been opened.
    public var isComplete: Bool { next == attachment.chunkCount }

    /// Opens the next chunk.
    ///
    /// - Parameter content: is made to hold the chunk's bytes of the file; its memory is used again.
    /// - Throws: ``RelationshipError/chunk(_:_:)``; the next chunk is then the same as before
    public mutating func open(_ sealed: RawSpan, into content: inout [UInt8]) throws(RelationshipError) {
        guard !isComplete else { throw .chunk(next, .beyondEnd) }
        let size = attachment.sealedSize(ofChunk: next)
        guard sealed.byteCount == size else { throw .chunk(next, .wrongLength) }
        content.resize(to: size - SecretStreamSealer.overhead)
        var output = content.mutableBytes
        let tag: SecretStreamTag?
        do {
            tag = try stream.open(sealed, into: &output)
        } catch {
            throw .chunk(next, .notAuthentic)
        }
        guard tag == (next == attachment.chunkCount - 1 ? .final : .message) else { throw .chunk(next, .wrongTag) }
        hash.absorb(sealed)
        next += 1
    }

    /// Says that the chunks are all there and are those that were signed.
    /// - Throws: ``RelationshipError/chunk(_:_:)`` naming the first that is missing,
    ///   ``RelationshipError/attachmentDigestMismatch``
    public consuming func finish() throws(RelationshipError) {
        guard isComplete else { throw .chunk(next, .missing) }
        let expected = attachment.digest
        guard hash.digest().value == expected else { throw .attachmentDigestMismatch }
    }
}

extension [UInt8] {
    /// Makes the array this long, without allocating where it was as long before.
    fileprivate mutating func resize(to count: Int) {
        if self.count > count {
            removeLast(self.count - count)
        } else if self.count < count {
            append(contentsOf: repeatElement(0, count: count - self.count))
        }
    }
}
