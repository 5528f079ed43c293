/// What a record is: a family and a name in it, written `family/name`.
///
/// Each half is made of `a` to `z`, digits and hyphens and starts with a letter; 64 characters in all at most.
///
/// - Source: Spec/05 §5.1
public struct RecordType: Hashable, Sendable, CustomStringConvertible {
    /// The written form, such as `message/text`.
    public let text: String

    /// The type with this written form.
    /// - Throws: ``RelationshipError/malformedType(_:)``
    public init(_ text: String) throws(RelationshipError) {
        let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) ?? text.endIndex
        guard text.utf8.count <= LedgerLimits.type, Self.isName(text.utf8[..<slash]),
            Self.isName(text.utf8[slash...].dropFirst())
        else {
            throw .malformedType(String(text.prefix(LedgerLimits.type)))
        }
        self.text = text
    }

    private init(known text: String) {
        self.text = text
    }

    /// The half before the slash, which names the family's state machine.
    public var family: Substring {
        text.prefix { $0 != "/" }
    }

    /// The written form.
    public var description: String { text }

    private static func isName(_ half: Substring.UTF8View) -> Bool {
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard let first = half.first, letters.contains(first) else { return false }
        return half.allSatisfy { letters.contains($0) || digits.contains($0) || $0 == UInt8(ascii: "-") }
    }
}

extension RecordType {
    /// `relationship/introduce`: the name that a party gives itself.
    public static let introduce = RecordType(known: "relationship/introduce")
    /// `relationship/rotate`: a rotation of the sender's keys.
    public static let rotate = RecordType(known: "relationship/rotate")
    /// `relationship/revoke`: the end of the sender's identity and with it of the relationship.
    public static let revoke = RecordType(known: "relationship/revoke")
    /// `relationship/endorse`: a rotation or revocation of the public identity that vouches for the sender.
    public static let endorse = RecordType(known: "relationship/endorse")
    /// `relationship/move`: where the sender receives from now on.
    public static let move = RecordType(known: "relationship/move")
    /// `relationship/end`: the sender ends the relationship, or agrees to its end.
    public static let end = RecordType(known: "relationship/end")
    /// `message/text`: words for a person.
    public static let textMessage = RecordType(known: "message/text")
    /// `message/attachment`: a file, referenced by the digest of its sealed chunks.
    public static let attachment = RecordType(known: "message/attachment")
    /// `claim/request`: what the sender wants to know of the other side.
    public static let claimRequest = RecordType(known: "claim/request")
    /// `claim/present`: the answer to a request, or its refusal.
    public static let claimPresentation = RecordType(known: "claim/present")
    /// `claim/result`: what came of a presentation.
    public static let claimResult = RecordType(known: "claim/result")

    /// Whether the record makes, changes or ends what the relationship rests on: so for the family `relationship`. Each
    /// such type has a method of its own that signs it, with the pairwise key alone.
    public var isPermanent: Bool {
        text.utf8.starts(with: "relationship/".utf8)
    }

    /// Whether the body can be erased: verification needs those of the family `relationship`, but for a ``move``.
    public var isErasable: Bool {
        !isPermanent || self == .move
    }
}
