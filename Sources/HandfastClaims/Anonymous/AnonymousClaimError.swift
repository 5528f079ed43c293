internal import HandfastCrypto
public import HandfastEncoding

/// Why a part of anonymous claims was refused. A refusal tells nothing of what was refused, for nothing of it is true.
///
/// - Source: Spec/11 §11.9
public enum AnonymousClaimError: Error, Equatable, Sendable {
    /// The named structure is not the CBOR that the specification gives for it.
    case encoding(CBORError, of: String)
    /// The named point is not in canonical form.
    case nonCanonicalPoint(String)
    /// The named scalar is not below the group's order.
    case nonCanonicalScalar(String)
    /// The named point is the neutral element, with which anything could be proven.
    case identityPoint(String)
    /// The schema breaks a bound; the text says which.
    case invalidSchema(String)
    /// A value is too long or its number is not that of an attribute.
    case invalidValue(String)
    /// The schema has another number of attributes than values came.
    case wrongValueCount(expected: Int, actual: Int)
    /// The schema has no attribute of this name.
    case unknownAttribute(String)
    /// The parameters are those of another issuer.
    case wrongIssuer
    /// The request does not prove what its commitment holds, or answers another nonce.
    case requestNotProven
    /// The issuer has not proven that its key made the credential, or answered another request.
    case issuanceNotProven
    /// What is shown and what is hidden are not together what the schema has.
    case wrongIndices
    /// The epoch is not among what is shown.
    case epochNotShown
    /// The credential ended with its epoch.
    case expired(epoch: UInt64, current: UInt64)
    /// The credential's epoch is later than the next one, which no issuer gives out.
    case epochAhead(epoch: UInt64, current: UInt64)
    /// The proof does not fit: made for another schema, scope, nonce, verifier or relationship, or changed.
    case presentationNotProven
    /// The pseudonym is on the verifier's blocklist.
    case blocklisted
    /// The proof fits a credential that this issuer did not make.
    case notIssued
    /// The issuer has not proven its answer to a partner's question.
    case confirmationNotProven
}

extension AnonymousClaimError: CustomStringConvertible {
    /// What was wrong, and what a person can do about it.
    public var description: String {
        switch self {
        case .encoding(let error, let structure): "\(structure): \(error)"
        case .nonCanonicalPoint(let name): "\(name) is not the canonical encoding of a ristretto255 point"
        case .nonCanonicalScalar(let name): "\(name) is not the canonical encoding of a ristretto255 scalar"
        case .identityPoint(let name): "\(name) is the neutral element, which proves nothing"
        case .invalidSchema(let why): "the schema is not valid: \(why)"
        case .invalidValue(let why): "a value is not valid: \(why)"
        case .wrongValueCount(let expected, let actual):
            "the schema has \(expected) attributes, and \(actual) values came: give one for each, in its order"
        case .unknownAttribute(let name): "the schema has no attribute named “\(name)”"
        case .wrongIssuer: "the parameters are those of another issuer"
        case .requestNotProven: "the request proves nothing for this nonce: ask the holder for a new one"
        case .issuanceNotProven: "the answer does not belong to the request, or not to the issuer's key: ask again"
        case .wrongIndices: "what is shown and what is hidden are not together what the schema has"
        case .epochNotShown: "the presentation does not show its epoch"
        case .expired(let epoch, let current):
            "the credential ended with epoch \(epoch), and it is epoch \(current): ask the issuer for a new one"
        case .epochAhead(let epoch, let current):
            "the credential is of epoch \(epoch), and it is epoch \(current): check the clock of this machine"
        case .presentationNotProven:
            "the proof does not fit: it was made for another nonce, verifier, relationship or scope, or was changed"
        case .blocklisted: "the pseudonym is on the blocklist"
        case .notIssued: "this issuer did not make the credential"
        case .confirmationNotProven: "the issuer's confirmation does not hold: ask again"
        }
    }
}

// MARK: - Decoding

extension AnonymousClaimError {
    /// Decodes one CBOR item that is the whole of `bytes`, which are at most `maximum`.
    static func decoding<R: ~Copyable>(
        _ structure: String, _ bytes: RawSpan, maximum: Int, _ body: (inout CBORReader) throws -> R
    ) throws(AnonymousClaimError) -> R {
        do {
            var reader = CBORReader(bytes, limits: CBORLimits(size: maximum))
            let value = try body(&reader)
            try reader.finish()
            return value
        } catch let error as AnonymousClaimError {
            throw error
        } catch let error as CBORError {
            throw .encoding(error, of: structure)
        } catch {
            throw .encoding(.outOfRange(at: 0), of: structure)
        }
    }

    /// A point of the wire, which is never the neutral element.
    static func point(_ bytes: RawSpan, named name: String) throws(AnonymousClaimError) -> RistrettoPoint {
        let point: RistrettoPoint
        do {
            point = try RistrettoPoint(bytes)
        } catch {
            throw .nonCanonicalPoint(name)
        }
        guard !point.isIdentity else { throw .identityPoint(name) }
        return point
    }

    /// A scalar of the wire.
    static func scalar(_ bytes: RawSpan, named name: String) throws(AnonymousClaimError) -> RistrettoScalar {
        do {
            return try RistrettoScalar(bytes)
        } catch {
            throw .nonCanonicalScalar(name)
        }
    }

    /// A scalar of a vault or file.
    static func secretScalar(_ bytes: RawSpan, named name: String) throws(AnonymousClaimError) -> SecretScalar {
        do {
            return try SecretScalar(copying: bytes)
        } catch {
            throw .nonCanonicalScalar(name)
        }
    }
}
