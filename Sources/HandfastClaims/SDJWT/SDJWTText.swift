/// The pieces of an SD-JWT's text, none of which has been looked at.
/// - Source: RFC 9901 §4
struct SDJWTText {
    /// The issuer's token.
    let tokenText: Substring
    let disclosures: [Substring]
    /// The holder's proof; empty if there is none.
    let keyBinding: Substring
    /// Everything before the holder's proof, which the proof is for.
    let bound: Substring

    init(_ text: String, maximumCount: Int) throws(CredentialError) {
        guard text.utf8.count <= maximumCount else { throw .sizeExceeded(limit: maximumCount, in: .credential) }
        var pieces = text.utf8.split(separator: UInt8(ascii: "~"), omittingEmptySubsequences: false).map {
            Substring($0)
        }
        guard pieces.count >= 2 else { throw .malformed(.credential) }
        guard pieces.count - 2 <= SDJWT.maximumDisclosureCount else {
            throw .tooManyDisclosures(limit: SDJWT.maximumDisclosureCount)
        }
        keyBinding = pieces.removeLast()
        tokenText = pieces.removeFirst()
        disclosures = pieces
        bound = text[..<keyBinding.startIndex]
    }

    /// The issuer's token, whose form alone has been checked.
    func token() throws(CredentialError) -> JWS {
        try JWS(String(tokenText), type: SDJWT.type, maximumSize: SDJWT.maximumCount)
    }
}
