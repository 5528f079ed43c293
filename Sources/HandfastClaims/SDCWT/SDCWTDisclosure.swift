internal import HandfastCrypto
internal import HandfastEncoding

/// What a digest stands for: a salt with a map's entry, with an array's element, or with nothing.
/// - Source: draft-ietf-spice-sd-cwt-07 §5.1, §10
struct SDCWTDisclosure: Hashable, Sendable {
    /// Size of a salt in bytes.
    static let saltCount = 16

    /// What is disclosed.
    enum Content: Hashable, Sendable {
        case entry(key: CBORValue, value: CBORValue)
        case element(CBORValue)
        case decoy
    }

    /// What is disclosed.
    let content: Content
    /// The disclosure as a byte string with its head, which is what the digest is of.
    let encoded: [UInt8]

    /// Reads the disclosure that is all of `bytes`.
    init(decoding bytes: [UInt8], index: Int) throws(CredentialError) {
        guard case .array(let items) = try CBORValue.claims(decoding: bytes, in: .disclosure(index)),
            (1...3).contains(items.count), case .bytes(let salt) = items[0], salt.count == Self.saltCount
        else { throw .malformed(.disclosure(index)) }
        content =
            switch items.count {
            case 1: .decoy
            case 2: .element(items[1])
            default: .entry(key: items[2], value: items[1])
            }
        var writer = CBORWriter(reservingCapacity: bytes.count + 3)
        writer.writeBytes(bytes)
        encoded = writer.bytes
    }

    /// The digest that stands for it.
    var digest: FixedBytes<32> { SHA2.sha256(encoded.bytes) }
}
