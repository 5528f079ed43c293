internal import Handfast
internal import HandfastEncoding
internal import HandfastNode

/// Copies of a credential in a file: one as it is, or several in a JSON document that says how they are written.
///
/// `{"format": "dc+sd-cwt", "credentials": [base64url]}`; an SD-JWT stands as its own text. One SD-CWT may also stand in
/// base64url.
struct CredentialFile {
    /// The largest file, in bytes.
    static let maximumSize = 16 << 20

    let format: VerifiedCredential.Format
    let copies: [[UInt8]]

    /// Reads a file.
    ///
    /// - Throws: ``Failure``
    init(at path: String) throws {
        let bytes = try InputFile.read(path, maximum: Self.maximumSize)
        switch bytes.first {
        case UInt8(ascii: "{"): try self.init(document: bytes, path)
        case UInt8(ascii: "e"):
            self.init([Array(bytes.firstWord.utf8)], format: .sdJWT)
        case UInt8(ascii: "0"):
            // Base64url of tag 18, with which an SD-CWT begins.
            self.init([try Failure.asBadData { try Base64URL.decode(bytes.firstWord) }], format: .sdCWT)
        default:
            self.init([bytes], format: .sdCWT)
        }
    }

    init(_ copies: [[UInt8]], format: VerifiedCredential.Format) {
        self.copies = copies
        self.format = format
    }

    private init(document bytes: [UInt8], _ path: String) throws {
        guard case .map(let map)? = try? JSON.decode(bytes, maximumSize: Self.maximumSize),
            case .text(let name)? = map["format"], let format = VerifiedCredential.Format(rawValue: name),
            case .array(let items)? = map["credentials"], !items.isEmpty
        else {
            throw Failure(
                .badData, "\(InputFile.name(of: path)) holds no credentials",
                hint: "`handfast credential issue` writes such a file")
        }
        self.format = format
        copies = try items.map { item in
            guard case .text(let text) = item else { throw Failure(.badData, "a credential in \(path) is no text") }
            return format == .sdJWT ? Array(text.utf8) : try Base64URL.decode(text)
        }
    }

    /// The document that holds the copies.
    var document: Document {
        let items = copies.map { copy in
            Document.text(format == .sdJWT ? String(decoding: copy, as: UTF8.self) : Base64URL.encode(copy))
        }
        return ["format": .text(format.rawValue), "credentials": .list(items)]
    }
}

extension [UInt8] {
    /// What stands before the first white space, as text.
    var firstWord: String {
        String(decoding: prefix { $0 > 0x20 }, as: UTF8.self)
    }
}
