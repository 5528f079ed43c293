internal import Handfast
internal import HandfastClaims
internal import HandfastEncoding
internal import HandfastNode

/// Presentations in a file: one as it is, or the answer to several queries in a JSON document.
///
/// `{"presentations": [{"query": 0, "format": "dc+sd-cwt", "presentation": base64url, "statusToken": base64url}]}`; an
/// SD-JWT stands as its own text. One SD-CWT may also stand in base64url.
struct PresentationFile {
    /// The largest file, in bytes.
    static let maximumSize = 2 << 20

    var presentations: [PresentedCredential]

    init(_ presentations: [PresentedCredential]) {
        self.presentations = presentations
    }

    /// Reads a file.
    ///
    /// - Throws: ``Failure``
    init(at path: String) throws {
        try self.init(
            decoding: try InputFile.read(path, maximum: Self.maximumSize), named: InputFile.name(of: path))
    }

    init(decoding bytes: [UInt8], named name: String) throws {
        switch bytes.first {
        case UInt8(ascii: "{"): presentations = try Self.read(bytes, name)
        case UInt8(ascii: "e"):
            presentations = [
                PresentedCredential(query: 0, format: .sdJWT, presentation: Array(bytes.firstWord.utf8))
            ]
        case UInt8(ascii: "0"):
            // Base64url of tag 18, with which an SD-CWT begins.
            let presentation = try Failure.asBadData { try Base64URL.decode(bytes.firstWord) }
            presentations = [PresentedCredential(query: 0, format: .sdCWT, presentation: presentation)]
        default: presentations = [PresentedCredential(query: 0, format: .sdCWT, presentation: bytes)]
        }
    }

    private static func read(_ bytes: [UInt8], _ name: String) throws -> [PresentedCredential] {
        guard case .map(let map)? = try? JSON.decode(bytes, maximumSize: maximumSize),
            case .array(let items)? = map["presentations"], (1...ClaimLimits.credentials).contains(items.count)
        else {
            throw Failure(
                .badData, "\(name) holds no presentations", hint: "`handfast claim save` writes such a file")
        }
        return try items.map { item in
            guard case .map(let map) = item, case .unsigned(let query)? = map["query"],
                query < ClaimLimits.credentials, case .text(let format)? = map["format"],
                let format = VerifiedCredential.Format(rawValue: format), case .text(let text)? = map["presentation"]
            else { throw Failure(.badData, "a presentation in \(name) lacks query, format or presentation") }
            return try Failure.asBadData {
                var token: [UInt8]?
                if case .text(let text)? = map["statusToken"] { token = try Base64URL.decode(text) }
                return PresentedCredential(
                    query: Int(query), format: format,
                    presentation: format == .sdJWT ? Array(text.utf8) : try Base64URL.decode(text),
                    statusToken: token)
            }
        }
    }

    /// The document that holds the presentations.
    var document: Document {
        let items: [Document] = presentations.map { presented in
            let text =
                presented.format == .sdJWT
                ? String(decoding: presented.presentation, as: UTF8.self) : Base64URL.encode(presented.presentation)
            return [
                "query": .number(presented.query), "format": .text(presented.format.rawValue),
                "presentation": .text(text), "statusToken": .text(presented.statusToken.map { Base64URL.encode($0) }),
            ]
        }
        return ["presentations": .list(items)]
    }
}
