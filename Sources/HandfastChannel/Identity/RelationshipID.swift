public import HandfastCrypto
internal import HandfastEncoding

/// The name of a relationship, the same on both sides.
///
/// - Source: Spec/03 §3.3
public struct RelationshipID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// `H("relationship", bundle hash, encapsulation, invitee id)`, 32 bytes.
    public let digest: Digest

    /// Names the relationship with this digest.
    public init(_ digest: Digest) {
        self.digest = digest
    }

    /// Reads the written form, 52 characters of base32.
    ///
    /// - Throws: ``ChannelError/malformed(_:)``
    public init(text: String) throws(ChannelError) {
        self.init(try ChannelError.digest(base32: Substring(text), named: "relationship id"))
    }

    /// The written form, 52 characters of base32.
    public var description: String {
        Base32.encode(digest.array)
    }

    /// Orders ids by their bytes.
    public static func < (left: RelationshipID, right: RelationshipID) -> Bool {
        left.digest < right.digest
    }
}
