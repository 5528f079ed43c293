internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding

/// Refusals of credentials and of what says their status; which part of a presentation it was is not in the name.
///
/// - Source: Spec/10
extension VectorErrorClass {
    static func name(_ error: StatusListError) -> String {
        switch error {
        case .wrongBits: "wrongBits"
        case .wrongCount: "wrongCount"
        case .indexOutOfRange: "indexOutOfRange"
        case .statusTooLarge: "statusTooLarge"
        case .compressionTruncated: "compressionTruncated"
        case .compressionDamaged: "compressionDamaged"
        case .compressionTrailing: "compressionTrailing"
        case .compressedTooLarge: "compressedTooLarge"
        case .inflatedTooLarge: "inflatedTooLarge"
        case .token(let error): "token/\(name(error))"
        case .wrongURI: "wrongURI"
        case .wrongSubject: "wrongSubject"
        case .wrongTimes: "wrongTimes"
        case .stale: "stale"
        case .tooOld: "tooOld"
        case .full: "full"
        case .notAllocated: "notAllocated"
        case .damagedRegister: "damagedRegister"
        }
    }

    static func name(_ error: CredentialError) -> String {
        switch error {
        case .sizeExceeded: "sizeExceeded"
        case .tooManyDisclosures: "tooManyDisclosures"
        case .cbor(let error, _): "cbor/\(name(error))"
        case .json(let error, _): "json/\(name(error))"
        case .text(let error, _): "text/\(name(error))"
        case .malformed: "malformed"
        case .missingHeader: "missingHeader"
        case .unsupportedHeader: "unsupportedHeader"
        case .wrongType: "wrongType"
        case .unsupportedAlgorithm: "unsupportedAlgorithm"
        case .wrongAlgorithm: "wrongAlgorithm"
        case .invalidSignature: "invalidSignature"
        case .unknownIssuerKey: "unknownIssuerKey"
        case .unsupportedKey: "unsupportedKey"
        case .invalidKey: "invalidKey"
        case .privateKey: "privateKey"
        case .unsupportedHash: "unsupportedHash"
        case .duplicateDigest: "duplicateDigest"
        case .unreferencedDisclosure: "unreferencedDisclosure"
        case .reservedName: "reservedName"
        case .claimExists: "claimExists"
        case .depthExceeded: "depthExceeded"
        case .notRedactable: "notRedactable"
        case .misplacedDisclosure: "misplacedDisclosure"
        case .undisclosedDigest: "undisclosedDigest"
        case .unknownClaim: "unknownClaim"
        case .missingClaim: "missingClaim"
        case .invalidClaim: "invalidClaim"
        case .forbiddenClaim: "forbiddenClaim"
        case .expired: "expired"
        case .notYetValid: "notYetValid"
        case .issuedInFuture: "issuedInFuture"
        case .contradictoryTimes: "contradictoryTimes"
        case .wrongCredentialAudience: "wrongCredentialAudience"
        case .missingHolderKey: "missingHolderKey"
        case .missingKeyBinding: "missingKeyBinding"
        case .unexpectedKeyBinding: "unexpectedKeyBinding"
        case .keyBindingTooOld: "keyBindingTooOld"
        case .wrongAudience: "wrongAudience"
        case .wrongNonce: "wrongNonce"
        case .wrongBinding: "wrongBinding"
        case .wrongHolderKey: "wrongHolderKey"
        }
    }

    static func name(_ error: JSONError) -> String {
        switch error {
        case .sizeExceeded: "sizeExceeded"
        case .truncated: "truncated"
        case .trailingBytes: "trailingBytes"
        case .unexpectedCharacter: "unexpectedCharacter"
        case .invalidText: "invalidText"
        case .duplicateName: "duplicateName"
        case .depthExceeded: "depthExceeded"
        case .numberOutOfRange: "numberOutOfRange"
        case .notRepresentable: "notRepresentable"
        }
    }

    static func name(_ error: AnonymousClaimError) -> String {
        switch error {
        case .encoding(let error, _): "encoding/\(name(error))"
        case .nonCanonicalPoint: "nonCanonicalPoint"
        case .nonCanonicalScalar: "nonCanonicalScalar"
        case .identityPoint: "identityPoint"
        case .invalidSchema: "invalidSchema"
        case .invalidValue: "invalidValue"
        case .wrongValueCount: "wrongValueCount"
        case .unknownAttribute: "unknownAttribute"
        case .wrongIssuer: "wrongIssuer"
        case .requestNotProven: "requestNotProven"
        case .issuanceNotProven: "issuanceNotProven"
        case .wrongIndices: "wrongIndices"
        case .epochNotShown: "epochNotShown"
        case .expired: "expired"
        case .epochAhead: "epochAhead"
        case .presentationNotProven: "presentationNotProven"
        case .blocklisted: "blocklisted"
        case .notIssued: "notIssued"
        case .confirmationNotProven: "confirmationNotProven"
        }
    }
}
