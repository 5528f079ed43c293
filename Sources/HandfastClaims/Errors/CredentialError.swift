public import HandfastCrypto
public import HandfastEncoding

/// Why a credential, a presentation or a key of theirs was refused; the same cases for SD-CWT and SD-JWT.
///
/// Claims go by their registered names (`exp`, `cnf`), also where they are numbers on the wire. The cases carry no value
/// of a claim, since nothing that was refused is to be believed.
/// - Source: Spec/10-claims.md
public enum CredentialError: Error, Equatable, Sendable {
    /// Which part of a presentation was wrong.
    public enum Part: Hashable, Sendable {
        /// What the issuer signed.
        case credential
        /// A disclosure, counted from 0.
        case disclosure(Int)
        /// What the holder signed.
        case keyBinding
        /// A public key in its own form.
        case key
        /// What the issuer signed of the status of many credentials.
        case statusListToken
    }

    // MARK: Form

    /// The part is larger than this many bytes.
    case sizeExceeded(limit: Int, in: Part)
    /// There are more disclosures than this.
    case tooManyDisclosures(limit: Int)
    /// The part is not deterministic CBOR of its structure.
    case cbor(CBORError, in: Part)
    /// The part is not JSON.
    case json(JSONError, in: Part)
    /// The part is not base64url in its only form.
    case text(TextError, in: Part)
    /// The part does not have the shape that its format gives it.
    case malformed(Part)

    // MARK: Signed tokens

    /// A required header is missing.
    case missingHeader(String, in: Part)
    /// A header is there that may not be, or that would have to be understood.
    case unsupportedHeader(String, in: Part)
    /// The token is of another type (`typ`) than this.
    case wrongType(expected: String, in: Part)
    /// The algorithm is none of ``CredentialAlgorithm``.
    case unsupportedAlgorithm(in: Part)
    /// The algorithm is not the one of the key.
    case wrongAlgorithm(expected: CredentialAlgorithm, in: Part)
    /// The signature was not made by this key over this content.
    case invalidSignature(in: Part)
    /// No key of the issuer is known by that name.
    case unknownIssuerKey

    // MARK: Keys

    /// The key is of a type or curve that is not used here.
    case unsupportedKey
    /// The key's bytes are no public key of its type.
    case invalidKey(CryptoError)
    /// The key holds a private parameter.
    case privateKey

    // MARK: Disclosures

    /// The digests are of a hash that is not supported.
    case unsupportedHash
    /// A digest occurs twice, or a disclosure does.
    case duplicateDigest
    /// No digest refers to this disclosure.
    case unreferencedDisclosure(Int)
    /// A claim has a name that the format keeps for itself.
    case reservedName(in: Part)
    /// The disclosed claim is there already.
    case claimExists(in: Part)
    /// Arrays and maps nest deeper than ``CBORLimits/depth`` once the disclosures are in their places.
    case depthExceeded
    /// This claim must always be visible and was disclosed, or was to be redacted.
    case notRedactable(String)
    /// The disclosure is of a map's entry and its digest stands in an array, or the other way round.
    case misplacedDisclosure(Int)
    /// A digest has no disclosure in what the issuer sent, so that the holder cannot know what it hides.
    case undisclosedDigest
    /// The credential has no such claim.
    case unknownClaim(ClaimPath)

    // MARK: Claims

    /// A required claim is missing.
    case missingClaim(String, in: Part)
    /// A claim is of a wrong type, or outside its bounds.
    case invalidClaim(String, in: Part)
    /// A claim is there that may not be.
    case forbiddenClaim(String, in: Part)
    /// The credential, or the proof of the holder's key, held until this time, in seconds since 1970.
    case expired(at: UInt64, in: Part)
    /// It holds from this time on, in seconds since 1970.
    case notYetValid(from: UInt64, in: Part)
    /// It was issued at this time, in seconds since 1970, which lies in the future.
    case issuedInFuture(at: UInt64, in: Part)
    /// The times contradict each other: this rule does not hold.
    case contradictoryTimes(rule: String)
    /// The credential itself may be shown to somebody else only.
    case wrongCredentialAudience

    // MARK: Key binding

    /// The credential names no key of its holder.
    case missingHolderKey
    /// The holder did not show the key.
    case missingKeyBinding
    /// The holder's proof is there where there is none to be.
    case unexpectedKeyBinding
    /// The proof was made at this time, in seconds since 1970, which is longer ago than the verifier accepts.
    case keyBindingTooOld(issuedAt: UInt64)
    /// The proof is for somebody else.
    case wrongAudience
    /// The proof answers another request.
    case wrongNonce
    /// The proof is for other disclosures or another credential.
    case wrongBinding
    /// The signing key is not the one that the credential names as the holder's.
    case wrongHolderKey
}

extension CredentialError: CustomStringConvertible {
    /// One sentence without the content of the refused part.
    public var description: String {
        switch self {
        case .sizeExceeded(let limit, let part): "\(part) is larger than \(limit) bytes"
        case .tooManyDisclosures(let limit): "there are more than \(limit) disclosures"
        case .cbor(let error, let part): "\(part): \(error)"
        case .json(let error, let part): "\(part): \(error)"
        case .text(let error, let part): "\(part): \(error)"
        case .malformed(let part): "\(part) does not have the parts that its format asks for"
        case .missingHeader(let name, let part): "\(part) lacks the header \(name)"
        case .unsupportedHeader(let name, let part): "\(part) has the header \(name), which is not supported"
        case .wrongType(let expected, let part): "\(part) is not of type \(expected)"
        case .unsupportedAlgorithm(let part): "\(part) is signed with an algorithm that is not accepted"
        case .wrongAlgorithm(let expected, let part):
            "\(part) names another algorithm than \(expected.rawValue), which its key is for"
        case .invalidSignature(let part): "the signature of \(part) was not made by this key over this content"
        case .unknownIssuerKey:
            "no key of this issuer is known: add the issuer to those you trust, if you do, or ask it for its new key"
        case .unsupportedKey: "the key is neither Ed25519 nor on P-256 or P-384"
        case .invalidKey(let error): "the key is not valid: \(error)"
        case .privateKey: "the key holds its private part: ask its owner for the public key, and for a new pair"
        case .unsupportedHash: "the digests are made with a hash that is not supported"
        case .duplicateDigest: "a digest or a disclosure occurs twice"
        case .unreferencedDisclosure(let index): "\(Part.disclosure(index)) belongs to no digest of the credential"
        case .reservedName(let part): "\(part) has a claim of a name that the format keeps for itself"
        case .claimExists(let part): "\(part) gives a claim that is there already"
        case .depthExceeded: "the claims nest deeper than \(CBORLimits.depth) levels"
        case .notRedactable(let name): "the claim \(name) must always be visible"
        case .misplacedDisclosure(let index): "\(Part.disclosure(index)) is of another kind than its place"
        case .undisclosedDigest: "the issuer hides a claim from its holder: ask it for every disclosure"
        case .unknownClaim(let path): "the credential has no claim at \(path)"
        case .missingClaim(let name, let part): "\(part) lacks the claim \(name)"
        case .invalidClaim(let name, let part): "the claim \(name) of \(part) is not of its type or out of bounds"
        case .forbiddenClaim(let name, let part): "\(part) has the claim \(name), which it may not have"
        case .expired(let time, let part): "\(part) expired at \(time): ask for a new one"
        case .notYetValid(let time, let part): "\(part) holds only from \(time) on"
        case .issuedInFuture(let time, let part):
            "\(part) was issued at \(time), which is yet to come: compare the clocks of both sides"
        case .contradictoryTimes(let rule): "the times contradict each other: \(rule) does not hold"
        case .wrongCredentialAudience: "the credential may be shown to somebody else only"
        case .missingHolderKey: "the credential names no key of its holder"
        case .missingKeyBinding: "the holder has not shown to hold the credential's key"
        case .unexpectedKeyBinding: "there is a proof of the holder's key where only the credential is asked for"
        case .keyBindingTooOld(let time): "the holder's proof was made too long ago, at \(time): ask for a new one"
        case .wrongAudience: "the holder's proof is meant for somebody else"
        case .wrongNonce: "the holder's proof answers another request"
        case .wrongBinding: "the holder's proof was made for other disclosures or another credential"
        case .wrongHolderKey: "the credential belongs to another key than the one that is to sign"
        }
    }
}

extension CredentialError.Part: CustomStringConvertible {
    /// The part as people call it.
    public var description: String {
        switch self {
        case .credential: "the credential"
        case .disclosure(let index): "disclosure \(index + 1)"
        case .keyBinding: "the holder's proof"
        case .key: "the key"
        case .statusListToken: "the status list token"
        }
    }
}
