internal import HandfastClaims
internal import HandfastEncoding
internal import HandfastNode

/// What two parties hand each other for anonymous claims, as one line of text: in a file, in a QR code, or pasted.
///
/// `handfast-anonymous:NAME:base64url`
///
/// - Source: Spec/11 §11.11
enum AnonymousPart: String, CaseIterable {
    case parameters
    case nonce
    case request
    case issuance
    case presentation
    case question
    case confirmation

    static let scheme = "handfast-anonymous:"
    /// The longest text, in bytes.
    static let maximumSize = 1 << 15

    /// The part as text.
    func text(_ bytes: [UInt8]) -> String {
        Self.scheme + rawValue + ":" + Base64URL.encode(bytes)
    }

    /// Reads a part: the text itself, a file of it, or `-` for standard input.
    ///
    /// - Throws: ``Failure``
    func read(_ argument: String) throws -> [UInt8] {
        let isText = argument.hasPrefix(Self.scheme)
        let source = isText ? "the text" : InputFile.name(of: argument)
        let bytes = isText ? Array(argument.utf8) : try InputFile.read(argument, maximum: Self.maximumSize)
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard lines.count == 1, lines[0].hasPrefix(Self.scheme) else {
            throw Failure(.badData, "\(source) does not hold \(name)", hint: "\(maker) writes it")
        }
        let rest = lines[0].dropFirst(Self.scheme.count)
        guard let colon = rest.firstIndex(of: ":"), let part = AnonymousPart(rawValue: String(rest[..<colon])) else {
            throw Failure(.badData, "\(source) does not hold \(name)", hint: "\(maker) writes it")
        }
        guard part == self else {
            throw Failure(.badData, "\(source) holds \(part.name), not \(name)", hint: "\(maker) writes that")
        }
        do {
            return try Base64URL.decode(rest[rest.index(after: colon)...])
        } catch {
            throw Failure(.badData, "\(source) is damaged: \(error)", hint: "copy all of it again")
        }
    }

    /// What a person calls it.
    var name: String {
        switch self {
        case .parameters: "the parameters of an issuer"
        case .nonce: "a nonce"
        case .request: "a request for a credential"
        case .issuance: "an issuer's answer"
        case .presentation: "a presentation"
        case .question: "a partner's question"
        case .confirmation: "an issuer's confirmation"
        }
    }

    /// What makes it.
    private var maker: String {
        let command =
            switch self {
            case .parameters: "key"
            case .nonce: "nonce"
            case .request: "request"
            case .issuance: "issue"
            case .presentation: "present"
            case .question: "verify --parameters"
            case .confirmation: "confirm"
            }
        return "`handfast anonymous \(command)`"
    }
}
