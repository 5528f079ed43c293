internal import Handfast
internal import HandfastChannel
internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastLink
internal import HandfastRelay
internal import HandfastStore

/// The names by which vectors call refusals, nested classes joined by `/`.
///
/// - Source: Spec/00 §0.5, Spec/01 §1.6, Spec/05 §5.8, Spec/06 §6.5, Spec/07 §7.6, Spec/10
enum VectorErrorClass {
    static func name(of error: any Error) -> String {
        switch error {
        case let error as CryptoError: name(error)
        case let error as CBORError: name(error)
        case let error as COSEError: name(error)
        case let error as TextError: name(error)
        case let error as ChannelError: name(error)
        case let error as RelationshipError: name(error)
        case let error as StatusListError: name(error)
        case let error as CredentialError: name(error)
        case let error as LinkError: name(error)
        case let error as AnonymousClaimError: name(error)
        case let error as BackupFault: name(error)
        case RelayError.malformedFrame, RelayError.unexpectedFrame: "malformed"
        default: "\(error)"
        }
    }

    private static func name(_ error: CryptoError) -> String {
        switch error {
        case .wrongLength: "wrongLength"
        case .outOfRange: "outOfRange"
        case .authenticationFailed: "authenticationFailed"
        case .invalidSignature: "invalidSignature"
        case .invalidKey: "invalidKey"
        case .notCanonical: "notCanonical"
        case .smallOrderResult: "smallOrderResult"
        case .streamEnded: "streamEnded"
        case .contextExhausted, .outOfLockedMemory, .passphraseHashingFailed: "\(error)"
        }
    }

    static func name(_ error: CBORError) -> String {
        switch error {
        case .truncated: "truncated"
        case .trailingBytes: "trailingBytes"
        case .nonMinimal: "nonMinimal"
        case .indefiniteLength: "indefiniteLength"
        case .unsortedKeys: "unsortedKeys"
        case .duplicateKey: "duplicateKey"
        case .depthExceeded: "depthExceeded"
        case .sizeExceeded: "sizeExceeded"
        case .unsupported: "unsupported"
        case .wrongType: "wrongType"
        case .wrongTag: "wrongTag"
        case .wrongLength: "wrongLength"
        case .outOfRange: "outOfRange"
        case .invalidUTF8: "invalidUTF8"
        case .missingKey: "missingKey"
        case .unknownKey: "unknownKey"
        }
    }

    private static func name(_ error: COSEError) -> String {
        switch error {
        case .cbor(let error): name(error)
        case .wrongKeyType: "wrongKeyType"
        case .wrongCurve: "wrongCurve"
        case .wrongAlgorithm: "wrongAlgorithm"
        case .invalidKey: "invalidKey"
        case .missingHeader: "missingHeader"
        case .unsupportedHeader: "unsupportedHeader"
        case .unprotectedHeader: "unprotectedHeader"
        case .invalidProof: "invalidProof"
        case .wrongType: "wrongType"
        case .payloadMissing: "payloadMissing"
        case .payloadPresent: "payloadPresent"
        case .invalidSignature: "invalidSignature"
        }
    }

    static func name(_ error: TextError) -> String {
        switch error {
        case .invalidCharacter: "invalidCharacter"
        case .invalidLength: "invalidLength"
        case .nonZeroTrailingBits: "nonZeroTrailingBits"
        }
    }

    private static func name(_ error: BackupFault) -> String {
        switch error {
        case .notABackup: "notABackup"
        case .newerVersion: "newerVersion"
        case .wrongPassphrase: "wrongPassphrase"
        case .damaged: "damaged"
        case .unfinished: "unfinished"
        case .file, .needsPassphrase, .anotherVault, .busy: "\(error)"
        }
    }

    private static func name(_ error: ChannelError) -> String {
        switch error {
        case .malformed: "malformed"
        case .encoding(let error, _): "encoding/\(name(error))"
        case .signature(let error, _): "signature/\(name(error))"
        case .cryptography(let error, _): "cryptography/\(name(error))"
        case .unsupportedVersion: "unsupportedVersion"
        case .tooLarge: "tooLarge"
        case .keyLog(let fault, _): "keyLog/\(fault.rawValue)"
        case .nextKeyNotAtHand: "nextKeyNotAtHand"
        case .keyLogFork: "keyLogFork"
        case .notPublic: "notPublic"
        case .wrongSigner: "wrongSigner"
        case .keyLogTooShort: "keyLogTooShort"
        case .bundleNotYetValid: "bundleNotYetValid"
        case .bundleExpired: "bundleExpired"
        case .wrongBundle: "wrongBundle"
        case .unknownTag: "unknownTag"
        case .notAuthentic: "notAuthentic"
        case .tooManySkipped: "tooManySkipped"
        case .tooManyHeld: "tooManyHeld"
        case .chainExhausted: "chainExhausted"
        case .unknownResume: "unknownResume"
        }
    }

    private static func name(_ error: RelationshipError) -> String {
        switch error {
        case .malformed(_, let error): "malformed/\(name(error))"
        case .malformedPart(_, let error): "malformedPart/\(name(error))"
        case .malformedRecord(let error): "malformedRecord/\(name(error))"
        case .malformedType: "malformedType"
        case .malformedBody: "malformedBody"
        case .bodyTooLarge: "bodyTooLarge"
        case .tooMany: "tooMany"
        case .inconsistent: "inconsistent"
        case .unsupportedVersion: "unsupportedVersion"
        case .wrongRelationship: "wrongRelationship"
        case .wrongDirection: "wrongDirection"
        case .missingRecord: "missingRecord"
        case .previousMismatch: "previousMismatch"
        case .lastSeenWentBack: "lastSeenWentBack"
        case .lastSeenAhead: "lastSeenAhead"
        case .lastSeenMismatch: "lastSeenMismatch"
        case .invalidSignature: "invalidSignature"
        case .bodyDigestMismatch: "bodyDigestMismatch"
        case .bodyMissing: "bodyMissing"
        case .recordAfterEnd: "recordAfterEnd"
        case .keyEventRefused(_, let error): "keyEventRefused/\(name(error))"
        case .notEndorsed: "notEndorsed"
        case .recordNotAtHand: "recordNotAtHand"
        case .awaitingOwnRecords: "awaitingOwnRecords"
        case .chunk(_, let fault): "chunk/\(fault.rawValue)"
        case .attachmentDigestMismatch: "attachmentDigestMismatch"
        case .notAllowed: "notAllowed"
        case .wrongIdentity: "wrongIdentity"
        case .reservedType: "reservedType"
        case .notErasable: "notErasable"
        case .wrongPublicIdentity: "wrongPublicIdentity"
        case .identity(let error): "identity/\(name(error))"
        case .handshake(let error): "handshake/\(name(error))"
        case .handshakeMismatch: "handshakeMismatch"
        case .refusedEntry(let direction, let sequence, let error):
            "refusedEntry/\(direction)/\(sequence)/\(name(error))"
        case .differentRelationships: "differentRelationships"
        case .exportsDisagree(let direction, let sequence): "exportsDisagree/\(direction)/\(sequence)"
        }
    }

    private static func name(_ error: LinkError) -> String {
        switch error {
        case .handshakeRefused: "handshakeRefused"
        case .wrongServerKey: "wrongServerKey"
        case .handshakeEnded: "handshakeEnded"
        case .tooManyHandshakes: "tooManyHandshakes"
        case .unexpectedPacket: "unexpectedPacket"
        case .packetLength: "packetLength"
        case .damagedPacket: "damagedPacket"
        case .frameLength: "frameLength"
        case .truncated: "truncated"
        default: "\(error)"
        }
    }
}
