public import HandfastCrypto

/// `message/attachment`: a file that travels apart from its record, in chunks sealed under a key of its own.
///
/// Record and body say everything that the chunks must be, so that whoever holds both can prove what was sent.
///
/// - Source: Spec/09 §9.1
public struct AttachmentMessage: RecordBody {
    /// The name that the sender gives the file, 1 to 255 bytes without control characters, `/` and `\`; for people, and
    /// never to be used as a path.
    public var name: String
    /// The media type, such as `image/png`, at most 127 characters; the sender's word.
    public var encodingFormat: String?
    /// The size of the file in bytes, at most 2⁴⁰.
    public var contentSize: UInt64
    /// The bytes of the file in each chunk but the last, 256 to 60,416.
    public var chunkSize: Int
    /// The key of the stream.
    public var key: FixedBytes<32>
    /// The header of the stream.
    public var header: FixedBytes<24>
    /// The digest of header and sealed chunks.
    public var digest: FixedBytes<32>
    /// Words that go with the file.
    public var text: String?
    /// The language of the words as a BCP 47 tag of 2 to 35 characters.
    public var language: String?

    /// A body as its parts say; ``AttachmentSealer`` makes one that fits a file.
    public init(
        name: String, encodingFormat: String? = nil, contentSize: UInt64, chunkSize: Int, key: FixedBytes<32>,
        header: FixedBytes<24>, digest: FixedBytes<32>, text: String? = nil, language: String? = nil
    ) {
        self.name = name
        self.encodingFormat = encodingFormat
        self.contentSize = contentSize
        self.chunkSize = chunkSize
        self.key = key
        self.header = header
        self.digest = digest
        self.text = text
        self.language = language
    }

    /// The type of record that has this body.
    public static var recordType: RecordType { .attachment }

    /// Why a value is out of bounds.
    public var fault: String? {
        if let fault = Self.fault(inName: name) { return fault }
        if let encodingFormat, !Self.isMediaType(encodingFormat) { return "encodingFormat is not a media type" }
        if contentSize > LedgerLimits.attachment { return "contentSize is more than \(LedgerLimits.attachment)" }
        if !LedgerLimits.chunk.contains(chunkSize) {
            return "chunkSize is not \(LedgerLimits.chunk.lowerBound) to \(LedgerLimits.chunk.upperBound)"
        }
        return TextRule.fault(inLanguage: language)
    }

    /// Why a file cannot be sent under this name; nil when it can.
    public static func fault(inName name: String) -> String? {
        if let fault = TextRule.fault(in: name, named: "name", maximum: LedgerLimits.fileName) { return fault }
        let isPath = name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
        return isPath || name == "." || name == ".." ? "name is a path" : nil
    }

    /// Two names of RFC 6838 §4.2 around a slash.
    private static func isMediaType(_ text: String) -> Bool {
        let halves = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return text.utf8.count <= LedgerLimits.mediaType && halves.count == 2
            && halves.allSatisfy { !$0.isEmpty && $0.allSatisfy(isNameCharacter) }
    }

    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$&-^_.+".utf8.contains(byte)
        }
    }
}

extension AttachmentMessage {
    /// How many chunks there are; an empty file has one, which is empty.
    public var chunkCount: UInt64 {
        max(1, contentSize / UInt64(chunkSize) + (contentSize % UInt64(chunkSize) == 0 ? 0 : 1))
    }

    /// The size of all sealed chunks together, in bytes.
    public var sealedSize: UInt64 { contentSize + chunkCount * UInt64(SecretStreamSealer.overhead) }

    /// Where a chunk, sealed, begins among all sealed chunks, in bytes.
    public func offset(ofChunk number: UInt64) -> UInt64 {
        number * UInt64(chunkSize + SecretStreamSealer.overhead)
    }

    /// The size of a chunk, sealed, in bytes; 0 beyond the end.
    public func sealedSize(ofChunk number: UInt64) -> Int {
        guard number < chunkCount else { return 0 }
        return Int(min(offset(ofChunk: number + 1), sealedSize) - offset(ofChunk: number))
    }
}
