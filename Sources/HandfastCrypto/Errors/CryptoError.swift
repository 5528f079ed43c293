/// What a primitive refused, and why.
///
/// The cases carry no secret. Text that may reach a person comes from ``description``.
public enum CryptoError: Error, Equatable, Sendable {
    /// A value of fixed size came with another size; both in bytes.
    case wrongLength(of: String, expected: Int, actual: Int)
    /// A value of bounded size came outside its bounds, in the unit that the name gives.
    case outOfRange(of: String, permitted: ClosedRange<Int>, actual: Int)
    /// The authentication tag does not fit the key, nonce, associated data and ciphertext.
    case authenticationFailed
    /// The signature does not fit the key and message, or is not in canonical form.
    case invalidSignature
    /// The bytes have the right length and are no key of the named kind.
    case invalidKey(String)
    /// The bytes have the right length and are not the one encoding of a value of the named kind.
    case notCanonical(String)
    /// An X25519 agreement gave the all-zero secret: the peer's key lies in the small subgroup.
    case smallOrderResult
    /// An HPKE context was asked for more than its sequence numbers or its exporter can give.
    case contextExhausted
    /// A stream of chunks was asked for more after its last one.
    case streamEnded
    /// The system refused memory that is locked against swapping.
    case outOfLockedMemory
    /// Argon2id could not get the memory that its parameters ask for.
    case passphraseHashingFailed
}

extension CryptoError: CustomStringConvertible {
    /// One sentence that says what was wrong and, where a person can do something, what to do.
    public var description: String {
        switch self {
        case .wrongLength(let name, let expected, let actual):
            "The \(name) must be \(expected) bytes long and is \(actual)."
        case .outOfRange(let name, let permitted, let actual):
            "The \(name) must be between \(permitted.lowerBound) and \(permitted.upperBound) and is \(actual)."
        case .authenticationFailed:
            "The data is not what was sealed under this key: the key is another one, or a byte was changed."
        case .invalidSignature:
            "The signature was not made by this key over this message."
        case .invalidKey(let kind):
            "The bytes are not a valid \(kind)."
        case .notCanonical(let kind):
            "The bytes are not the canonical encoding of a \(kind)."
        case .smallOrderResult:
            "The key agreement gave no secret: the peer's X25519 key is degenerate."
        case .contextExhausted:
            "The HPKE context can seal or export no more: set up a new one."
        case .streamEnded:
            "The stream has ended: nothing follows its last chunk."
        case .outOfLockedMemory:
            "The system gave no locked memory: raise the limit that `ulimit -l` shows."
        case .passphraseHashingFailed:
            "There was not enough free memory to derive the key from the passphrase."
        }
    }
}
