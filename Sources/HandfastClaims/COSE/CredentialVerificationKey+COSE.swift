internal import HandfastCrypto
public import HandfastEncoding

/// How the key stands in the `cnf` of a credential: a COSE_Key that holds its public parameters and nothing else.
///
/// - Source: RFC 9052 §7; RFC 9053 §7.1, §7.2; RFC 8747 §3.2; Spec/10 §10.2
extension CredentialVerificationKey {
    private enum Label {
        static let keyType = 1
        static let curve = -1
        static let x = -2
        static let y = -3
        static let privatePart = -4
    }

    /// The numbers that tell the kind of a key: `kty` and `crv`.
    private var kind: (type: UInt64, curve: UInt64) {
        switch self {
        case .ed25519: (1, 6)
        case .p256: (2, 1)
        case .p384: (2, 2)
        }
    }

    /// Writes the COSE_Key.
    public func write(to writer: inout CBORWriter) {
        writer.writeMap { writer in
            writer.writeKey(Label.keyType)
            writer.writeUnsigned(kind.type)
            writer.writeKey(Label.curve)
            writer.writeUnsigned(kind.curve)
            writer.writeKey(Label.x)
            switch self {
            case .ed25519(let key): writer.writeBytes(key.bytes)
            case .p256(let key):
                writer.writeBytes(key.x)
                writer.writeKey(Label.y)
                writer.writeBytes(key.y)
            case .p384(let key):
                let half = P384VerificationKey.count / 2
                writer.writeBytes([UInt8](key.coordinates.prefix(half)))
                writer.writeKey(Label.y)
                writer.writeBytes([UInt8](key.coordinates.suffix(half)))
            }
        }
    }

    /// The deterministic bytes of the COSE_Key.
    public var coseKey: [UInt8] {
        var writer = CBORWriter(reservingCapacity: 112)
        write(to: &writer)
        return writer.bytes
    }

    /// Decodes the COSE_Key that is all of `bytes`.
    /// - Throws: ``CredentialError/cbor(_:in:)``, ``CredentialError/malformed(_:)``, ``CredentialError/unsupportedKey``,
    ///   ``CredentialError/privateKey``, ``CredentialError/invalidKey(_:)``
    public init(coseKey bytes: [UInt8]) throws(CredentialError) {
        try self.init(coseKey: try CBORValue.claims(decoding: bytes, in: .key))
    }

    /// The key of a COSE_Key.
    /// - Throws: ``CredentialError/unsupportedKey``, ``CredentialError/privateKey``, ``CredentialError/invalidKey(_:)``
    init(coseKey value: CBORValue) throws(CredentialError) {
        guard case .map(let map) = value else { throw .malformed(.key) }
        guard map[Label.privatePart] == nil else { throw .privateKey }
        guard case .bytes(let x)? = map[Label.x] else { throw .malformed(.key) }
        switch (map[Label.keyType], map[Label.curve]) {
        case (.unsigned(1)?, .unsigned(6)?):
            guard map.entries.count == 3 else { throw .malformed(.key) }
            do { self = .ed25519(try VerificationKey(x.bytes)) } catch { throw .invalidKey(error) }
        case (.unsigned(2)?, .unsigned(1)?):
            let point = try Self.point(x, map, count: P256VerificationKey.count)
            do { self = .p256(try P256VerificationKey(point.bytes)) } catch { throw .invalidKey(error) }
        case (.unsigned(2)?, .unsigned(2)?):
            let point = try Self.point(x, map, count: P384VerificationKey.count)
            do { self = .p384(try P384VerificationKey(point.bytes)) } catch { throw .invalidKey(error) }
        default: throw .unsupportedKey
        }
    }

    /// Both coordinates, each of which has its full length: a point is not written compressed.
    private static func point(_ x: [UInt8], _ map: CBORMap, count: Int) throws(CredentialError) -> [UInt8] {
        guard map.entries.count == 4, case .bytes(let y)? = map[Label.y], x.count == count / 2, y.count == count / 2
        else { throw .malformed(.key) }
        return x + y
    }
}
