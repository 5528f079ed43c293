internal import HandfastEncoding

/// What the verifier asked with, which the holder must have signed.
public struct VerifierNonce: Hashable, Sendable {
    /// As an SD-CWT holds it; nil if the text below stands for no bytes.
    public let bytes: [UInt8]?
    /// As an SD-JWT holds it.
    public let text: String

    /// The nonce of a request in a relationship.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        text = Base64URL.encode(bytes)
    }

    /// A nonce as it was given to the holder; for SD-CWT it is bytes in base64url.
    public init(text: String) {
        bytes = try? Base64URL.decode(text)
        self.text = text
    }
}
