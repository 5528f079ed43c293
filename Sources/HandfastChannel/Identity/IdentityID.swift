public import HandfastCrypto
internal import HandfastEncoding

/// The self-certifying name of an identity: the digest of its inception.
///
/// - Source: Spec/02 §2.2
public struct IdentityID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// `H("identity", inception payload)`, 32 bytes.
    public let digest: Digest

    /// Names the identity whose inception has this digest.
    public init(_ digest: Digest) {
        self.digest = digest
    }

    /// Reads the written form, `hf:` and 52 characters of base32.
    ///
    /// - Throws: ``ChannelError/malformed(_:)``
    public init(text: String) throws(ChannelError) {
        guard text.hasPrefix("hf:") else { throw .malformed("identity id: it starts with \"hf:\"") }
        self.init(try ChannelError.digest(base32: text.dropFirst(3), named: "identity id"))
    }

    /// The written form, `hf:` and 52 characters of base32.
    public var description: String {
        "hf:" + Base32.encode(digest.array)
    }

    /// Orders ids by their bytes.
    public static func < (left: IdentityID, right: IdentityID) -> Bool {
        left.digest < right.digest
    }
}
