public import HandfastCrypto
public import HandfastEncoding

/// Why a value of this module was refused. A refusal changes no state.
///
/// - Source: Spec/02 to Spec/04
public enum ChannelError: Error, Equatable, Sendable {
    /// Bytes or text are not of the form that the named structure has; the text says what and why.
    case malformed(String)
    /// The named structure is not the CBOR that the specification gives for it.
    case encoding(CBORError, of: String)
    /// The named structure's COSE message is malformed or does not verify.
    case signature(COSEError, of: String)
    /// A key or a cryptographic operation of the named structure failed.
    case cryptography(CryptoError, of: String)
    /// The first byte or field of the named structure names a version or suite that this program does not speak.
    case unsupportedVersion(UInt64, of: String)
    /// The named structure has more bytes, characters or items than it may.
    case tooLarge(of: String, maximum: Int)
    /// A key event does not follow from the events before it; `sequence` is its number.
    case keyLog(KeyLogFault, sequence: Int)
    /// The identity's next key derives from the recovery root, which is not at hand.
    case nextKeyNotAtHand
    /// Two valid events of one identity hold the same number: evidence that two parties use its next key.
    case keyLogFork(KeyLogFork)
    /// The identity names no domain: it is made for one relationship, or to sign one invitation.
    case notPublic(IdentityID)
    /// The bundle is signed by another identity than the invitation names.
    case wrongSigner(expected: IdentityID, actual: IdentityID)
    /// The bundle's key log has fewer events than the invitation promises: an older key may have signed it.
    case keyLogTooShort(expected: Int, actual: Int)
    /// By this clock the bundle is not valid yet.
    case bundleNotYetValid(from: Timestamp, now: Timestamp)
    /// By this clock the bundle is no longer valid.
    case bundleExpired(at: Timestamp, now: Timestamp)
    /// The hello is sealed to another bundle than the one given.
    case wrongBundle
    /// No key of the channel belongs to the envelope's tag: foreign, used before, or too far ahead.
    case unknownTag
    /// The envelope or hello does not authenticate under the key that its place gives it.
    case notAuthentic
    /// The message would skip more than 256 others.
    case tooManySkipped
    /// 256 held envelopes, or 1 MiB of them, already wait for an ML-KEM ciphertext.
    case tooManyHeld
    /// 65,536 messages went out without an answer; the peer must send something first.
    case chainExhausted
    /// The rejoin names an epoch whose resume secret is not kept here.
    case unknownResume(UInt64)
}

/// Why a key event does not follow from the events before it.
public enum KeyLogFault: String, Error, Hashable, Sendable {
    /// A log begins with an inception and holds only one.
    case inceptionExpected, inceptionRepeated
    /// The event names another identity, or its number or the digest of the event before is wrong.
    case wrongIdentity, wrongSequence, wrongPreviousDigest
    /// The revealed key is not the one that the event before committed to.
    case uncommittedKey
    /// Nothing follows a revocation, and a log holds at most 64 events, the last place of which is a revocation's.
    case revoked, full
}

/// Two validly signed events of one identity with one number.
public struct KeyLogFork: Hashable, Sendable {
    /// The event that was known first.
    public let known: KeyEvent
    /// The event that contradicts it.
    public let conflicting: KeyEvent

    package init(known: KeyEvent, conflicting: KeyEvent) {
        self.known = known
        self.conflicting = conflicting
    }
}

extension ChannelError: CustomStringConvertible {
    /// What was wrong and where, and what a person can do about it.
    public var description: String {
        switch self {
        case .malformed(let what): what
        case .encoding(let error, let structure): "\(structure): \(error)"
        case .signature(let error, let structure): "\(structure): \(error)"
        case .cryptography(let error, let structure): "\(structure): \(error)"
        case .unsupportedVersion(let version, let structure):
            "\(structure) has version \(version), which this program does not speak: a newer release may"
        case .tooLarge(let structure, let maximum): "\(structure) is larger than \(maximum)"
        case .keyLog(let fault, let sequence): "key event \(sequence): \(fault.rawValue)"
        case .nextKeyNotAtHand:
            "the next key is not in this vault: `handfast recovery rotate` asks for the recovery words"
        case .keyLogFork(let fork):
            "the identity \(fork.known.identity) has two different key events number \(fork.known.sequence): "
                + "somebody else may hold its keys; talk to its owner by another way"
        case .notPublic(let id):
            "\(id) names no domain, so it is no public identity and signs for one relationship only"
        case .wrongSigner(let expected, let actual):
            "the bundle is signed by \(actual), but the invitation names \(expected): ask for a new invitation"
        case .keyLogTooShort(let expected, let actual):
            "the bundle shows \(actual) key events, the invitation promises \(expected): "
                + "the relay may serve an old bundle; ask for a new invitation"
        case .bundleNotYetValid(let from, let now):
            "the bundle is valid from \(from.seconds), and this clock says \(now.seconds): check the clock of this "
                + "machine and of the inviter's"
        case .bundleExpired(let end, let now):
            "the bundle expired at \(end.seconds), and this clock says \(now.seconds): check the clock of this "
                + "machine, or ask the inviter to come online and try again"
        case .wrongBundle: "the hello is sealed to another bundle"
        case .unknownTag: "no key belongs to the envelope's tag"
        case .notAuthentic: "the envelope does not authenticate"
        case .tooManySkipped: "the envelope would skip more than 256 messages"
        case .tooManyHeld: "too many envelopes wait for a lost ML-KEM ciphertext"
        case .chainExhausted: "65,536 messages went out without an answer: wait until the other side comes online"
        case .unknownResume(let epoch):
            "the rejoin resumes epoch \(epoch), which this side does not remember: it asks for an older one"
        }
    }
}

extension ChannelError {
    /// Reads 32 bytes of base32 as a digest.
    static func digest(base32 text: Substring, named name: String) throws(ChannelError) -> Digest {
        do {
            return try Digest(FixedBytes(copying: Base32.decode(String(text))))
        } catch {
            throw .malformed("\(name): 52 characters of base32 expected")
        }
    }
}
