internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore

/// What the vault keeps of a credential of the wallet: what all of its copies say.
struct KeptCredential: Codable, Hashable, Sendable {
    /// What its holder calls it.
    var label: String
    /// When its keys were made, seconds since 1970.
    var created: UInt64
    /// How many copies there are.
    var count: Int
    /// What it says; nil until a copy is issued.
    var content: Content?

    struct Content: Codable, Hashable, Sendable {
        var format: VerifiedCredential.Format
        var issuer: String
        var type: String
        /// All claims, a deterministic CBOR map.
        var claims: [UInt8]
        var redacted: [ClaimPath]
    }
}

/// What the vault keeps of a copy.
struct KeptCopy: Codable, Hashable, Sendable {
    /// The seed of the holder's key, 32 bytes.
    var seed: [UInt8]
    /// The holder's public key.
    var key: [UInt8]
    /// The copy as its issuer gave it.
    var credential: [UInt8]?
    var issuedAt: UInt64?
    var expires: UInt64?
    /// Where its status stands: the list, and the place in it.
    var statusURI: String?
    var statusIndex: UInt64?
    /// What its issuer says of it, where that is not that it is valid.
    var revoked: Revocation?
    /// The one relationship in which it may be presented.
    var relationship: [UInt8]?
    var isRetired: Bool = false

    /// What an issuer said of a copy in its status list.
    struct Revocation: Codable, Hashable, Sendable {
        /// The value in the list.
        var status: UInt8
        /// When the list was issued, seconds since 1970.
        var time: UInt64
    }
}

/// What the vault keeps of a request for claims, of either side.
struct KeptClaimRequest: Codable, Hashable, Sendable {
    /// What became of a request.
    enum Stage: String, Codable, Hashable, Sendable {
        case open
        case presented
        case refused
        case accepted
        case rejected
    }

    /// A credential that was shown.
    struct Shown: Codable, Hashable, Sendable {
        var type: String
        /// The issuer; nil for the holder's own word.
        var issuer: String?
        var claims: [LearnedClaim]
    }

    var request: ClaimRequest
    /// When it was asked, by its signer's clock.
    var asked: UInt64
    var stage: Stage
    /// The number of the answer, once there is one.
    var answer: UInt64?
    /// When it was answered.
    var answered: UInt64?
    /// What was shown, or, at the side that asked, what was proved.
    var shown: [Shown] = []
    /// Every check, once they were made.
    var checks: [ClaimCheck] = []
    /// Why it was refused, or what it waits for.
    var reason: String?
    /// Issuers that are asked for their keys before the answer, which is here, is judged; nil once it is.
    var awaits: [String]?
    /// Credentials that were refused because their issuers no longer stand by them.
    var refused: [Refused]?

    /// A credential that was refused because its issuer no longer stands by it.
    struct Refused: Codable, Hashable, Sendable {
        var type: String
        var issuer: String
        var uri: String
        var index: UInt64
        var revocation: KeptCopy.Revocation
    }
}

/// What the vault keeps of a rule.
struct KeptClaimRule: Codable, Hashable, Sendable {
    var decision: ClaimDecision
    var relationship: [UInt8]?
    var purpose: String?
    var type: String?
    var claim: ClaimPath?

    init(_ rule: ClaimRule) {
        decision = rule.decision
        relationship = rule.relationship?.digest.array
        purpose = rule.purpose
        type = rule.type
        claim = rule.claim
    }

    func rule() throws -> ClaimRule {
        ClaimRule(
            decision, relationship: try relationship.map { RelationshipID(try Digest($0.bytes)) }, purpose: purpose,
            type: type, claim: claim)
    }
}

extension WalletKey {
    /// The row of a credential.
    static func credential(_ id: CredentialID) -> WalletKey { WalletKey(.credential, id.bytes.array) }

    /// The row of a copy.
    static func copy(_ number: Int, of id: CredentialID) -> WalletKey {
        WalletKey(.copy, id.bytes.array + [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)])
    }

    /// The row of a request.
    static func request(
        _ table: WalletTable, _ relationship: RelationshipID, _ direction: SenderRole, _ sequence: UInt64
    ) -> WalletKey {
        WalletKey(
            table,
            relationship.digest.array + [direction.rawValue]
                + (0..<8).map { UInt8(truncatingIfNeeded: sequence >> (56 - 8 * $0)) })
    }

    /// The row of a status list's token.
    static func status(_ uri: String) -> WalletKey { WalletKey(.status, digest(of: uri)) }

    /// A key for a text of any length.
    static func digest(of text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        return SHA2.sha256(bytes.bytes).array
    }
}
