public import HandfastChannel
public import HandfastEncoding

/// Why a record, a relationship's state or an exported ledger was refused; nothing has changed when one is thrown.
///
/// - Source: Spec/05 §5.8
public enum RelationshipError: Error, Equatable, Sendable {
    /// These bytes are not the structure named: a record, an entry, a relationship, an export.
    case malformed(String, CBORError)
    /// A part of the structure named, an address, a key log or a handshake, is not in order.
    case malformedPart(String, ChannelError)
    /// A record is not a COSE_Sign1 of our form.
    case malformedRecord(COSEError)
    /// The type is not `family/name`.
    case malformedType(String)
    /// The body is not a map with text keys, or not what its type asks for.
    case malformedBody(RecordType, reason: String)
    /// The body is larger than ``LedgerLimits/body``.
    case bodyTooLarge(bytes: Int)
    /// A list is longer than `limit`.
    case tooMany(String, limit: Int)
    /// Stored state contradicts itself.
    case inconsistent(String)
    /// The structure was written by a later version of Handfast.
    case unsupportedVersion(UInt64)

    /// The record belongs to another relationship.
    case wrongRelationship(RelationshipID)
    /// The record claims the other direction than its sender's.
    case wrongDirection(SenderRole)
    /// The record's number is not the next: at least one record before it is missing.
    case missingRecord(expected: UInt64, received: UInt64)
    /// The record does not follow the one before it.
    case previousMismatch(sequence: UInt64)
    /// The record has seen less of the other side than the record before it.
    case lastSeenWentBack(sequence: UInt64)
    /// The record has seen a number that the other side has not reached.
    case lastSeenAhead(sequence: UInt64)
    /// The record names another hash for the other side's record than the ledger holds.
    case lastSeenMismatch(sequence: UInt64)
    /// The signature does not verify under the key in force at this number.
    case invalidSignature(sequence: UInt64, COSEError)
    /// The body does not match the digest that was signed.
    case bodyDigestMismatch(sequence: UInt64)
    /// A record came without its body, which only a stored or exported entry may lack.
    case bodyMissing(sequence: UInt64)
    /// The record follows its sender's end or revocation.
    case recordAfterEnd(sequence: UInt64)
    /// The rotation or revocation in the record does not continue its sender's key log.
    case keyEventRefused(sequence: UInt64, ChannelError)
    /// The record brings a key event of a public identity, and none vouches for its sender.
    case notEndorsed(sequence: UInt64)
    /// The record is older than the last one, and the ledger's record of this number was not at hand to compare.
    case recordNotAtHand(sequence: UInt64)

    /// The peer holds own records that this side lacks; nothing is signed until they are back.
    case awaitingOwnRecords(upTo: UInt64)

    /// A chunk of an attachment, counted from 0, was refused.
    case chunk(UInt64, ChunkFault)
    /// The chunks of an attachment are in order, and are not those whose digest was signed.
    case attachmentDigestMismatch

    /// The relationship's state does not allow this.
    case notAllowed(RelationshipAction, in: RelationshipState)
    /// The identity is not the one that this relationship was made with, or not at the same event of its log.
    case wrongIdentity(IdentityID)
    /// The type has a method of its own, or its family allows no other types.
    case reservedType(RecordType)
    /// The body is part of what verification needs.
    case notErasable(RecordType)
    /// The public identity does not vouch for this side, or stands at another event than the peer knows.
    case wrongPublicIdentity(IdentityID)
    /// The identity could not sign, rotate or revoke.
    case identity(ChannelError)

    /// The handshake in an export does not verify.
    case handshake(ChannelError)
    /// An export's relationship or identities are not those of its handshake.
    case handshakeMismatch
    /// An exported direction holds a fault at this entry.
    indirect case refusedEntry(SenderRole, sequence: UInt64, RelationshipError)
    /// Two exports belong to different relationships.
    case differentRelationships(RelationshipID, RelationshipID)
    /// Two exports hold different records under one number.
    case exportsDisagree(SenderRole, sequence: UInt64)
}

/// Why a chunk of an attachment was refused.
///
/// - Source: Spec/09 §9.3
public enum ChunkFault: String, Sendable {
    /// It was changed, sealed under another key, or belongs to another place.
    case notAuthentic
    /// It has another length than this chunk has by the size that was signed.
    case wrongLength
    /// It says that it is the last and is not, or the other way round, or that the key changes.
    case wrongTag
    /// It follows the last chunk.
    case beyondEnd
    /// The attachment ends before it.
    case missing
}

/// What a relationship's state may forbid.
public enum RelationshipAction: String, Sendable {
    /// Signing a record.
    case append = "sign a record"
    /// Judging a record of the peer.
    case receive = "receive a record"
    /// Telling the peer of a key event of the own public identity.
    case endorse = "pass on a key event of the public identity"
    /// Replacing the own keys.
    case move = "tell where it receives"
    case rotate = "rotate keys"
    /// Ending the own identity.
    case revoke = "revoke the identity"
    /// Ending the relationship.
    case end = "end the relationship"
    /// Ending without the peer's answer.
    case close = "close the relationship"
    /// Taking the handshake's next step.
    case handshake = "continue the handshake"
    /// Beginning a new epoch.
    case rejoin = "rejoin"
}

extension RelationshipError: CustomStringConvertible {
    /// What was wrong and, where there is something to do, what to do next.
    public var description: String {
        switch self {
        case .malformed(let what, let error): "This is not a well-formed \(what): \(error)."
        case .malformedPart(let what, let error): "This is not a well-formed \(what): \(error)."
        case .malformedRecord(let error): "A record is not signed in our form: \(error)."
        case .malformedType(let text): "\"\(text)\" is not a record type; write family/name in a-z, 0-9 and hyphens."
        case .malformedBody(let type, let reason): "The body does not fit the type \(type): \(reason)."
        case .bodyTooLarge(let bytes):
            "The body has \(bytes) bytes and may have \(LedgerLimits.body); send a reference to larger content."
        case .tooMany(let what, let limit): "There are more than \(limit) \(what)."
        case .inconsistent(let what): "The stored relationship contradicts itself: \(what)."
        case .unsupportedVersion(let version):
            "This was written in format \(version), which this version cannot read; update Handfast."
        case .wrongRelationship(let id): "The record belongs to another relationship, \(id)."
        case .wrongDirection(let direction): "The record claims to be from the \(direction), which did not send it."
        case .missingRecord(let expected, let received):
            "Record \(received) came before record \(expected), which is missing."
        case .previousMismatch(let sequence): "Record \(sequence) does not follow the record before it."
        case .lastSeenWentBack(let sequence): "Record \(sequence) has seen less than the record before it."
        case .lastSeenAhead(let sequence): "Record \(sequence) claims to have seen a record that was never sent."
        case .lastSeenMismatch(let sequence):
            """
            Record \(sequence) has seen another record of this side than the ledger holds: this vault may be an old copy \
            that was restored.
            """
        case .invalidSignature(let sequence, let error):
            "Record \(sequence) is not signed by the key in force: \(error)."
        case .bodyDigestMismatch(let sequence): "The body of record \(sequence) is not the one that was signed."
        case .bodyMissing(let sequence): "Record \(sequence) came without its body."
        case .recordAfterEnd(let sequence): "Record \(sequence) follows its sender's end."
        case .keyEventRefused(let sequence, let error): "Record \(sequence) does not continue the key log: \(error)."
        case .notEndorsed(let sequence):
            "Record \(sequence) speaks for a public identity, and none vouches for its sender."
        case .recordNotAtHand(let sequence): "Record \(sequence) came again, and the ledger's own copy was not at hand."
        case .awaitingOwnRecords(let sequence):
            """
            The other side holds what you said up to record \(sequence), and this vault does not: it is an older copy. \
            The other side sends it back; try again once it has come.
            """
        case .chunk(let number, let fault): "Chunk \(number) of the attachment \(fault.clause)."
        case .attachmentDigestMismatch: "The attachment is not the one whose digest the record holds."
        case .notAllowed(let action, let state): "This relationship is \(state), so you cannot \(action.rawValue)."
        case .wrongIdentity(let id): "\(id) is not this relationship's identity in its present state."
        case .reservedType(let type): "\(type) cannot be written by hand; the family relationship has its own commands."
        case .wrongPublicIdentity(let id):
            "\(id) does not vouch for this side, or the peer does not know its present key: broadcasts reach only whom it invited."
        case .notErasable(let type): "The body of a \(type) record is needed to verify the ledger and stays."
        case .identity(let error): "The identity could not sign: \(error)."
        case .handshake(let error): "The handshake in this export does not verify: \(error)."
        case .handshakeMismatch: "This export's relationship or identities are not those of its handshake."
        case .refusedEntry(let direction, let sequence, let error): "Entry \(sequence) of the \(direction): \(error)"
        case .differentRelationships(let first, let second):
            "These exports belong to different relationships, \(first) and \(second)."
        case .exportsDisagree(let direction, let sequence):
            "The exports hold different records of the \(direction) under number \(sequence): one was altered or forked."
        }
    }
}

extension ChunkFault {
    /// The fault as the end of a sentence.
    var clause: String {
        switch self {
        case .notAuthentic: "was changed, or belongs elsewhere"
        case .wrongLength: "has not the length that the record gives it"
        case .wrongTag: "claims to be the last and is not, or the other way round"
        case .beyondEnd: "comes after the end"
        case .missing: "is missing"
        }
    }
}
