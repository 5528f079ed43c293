internal import Foundation
internal import Handfast
internal import HandfastEncoding

/// The user's file of issuers whose word is taken for claims, read anew at each use: an issuer that was taken out is
/// trusted no longer.
///
/// `{"issuers": [{"issuer": text, "keys": [JWK], "types": [text]}]}`; without `types` every type is taken.
struct IssuerFile: Sendable {
    /// The largest file, in bytes.
    static let maximumSize = 1 << 20

    /// Where it is; `nil` for none.
    let path: String?

    /// The issuers that it names; none where there is no file.
    ///
    /// - Throws: ``NodeError/file(path:reason:)`` for a file that cannot be read
    func issuers() throws(NodeError) -> [TrustedIssuer] {
        guard let path, FileManager.default.fileExists(atPath: path) else { return [] }
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw .file(path: path, reason: "it cannot be read")
        }
        return try Self.read(Array(bytes), named: path)
    }

    static func read(_ bytes: [UInt8], named path: String) throws(NodeError) -> [TrustedIssuer] {
        do {
            guard case .map(let map) = try JSON.decode(bytes, maximumSize: maximumSize),
                case .array(let items)? = map["issuers"]
            else { throw NodeError.file(path: path, reason: "it has no list `issuers`") }
            return try items.map { item in
                guard case .map(let map) = item, case .text(let issuer)? = map["issuer"],
                    case .array(let keys)? = map["keys"]
                else { throw NodeError.file(path: path, reason: "an issuer has no `issuer` or no `keys`") }
                let types = try map["types"].map { types -> [String] in
                    guard case .array(let types) = types else {
                        throw NodeError.file(path: path, reason: "`types` of \(issuer) is no list")
                    }
                    return types.compactMap { if case .text(let type) = $0 { type } else { nil } }
                }
                let read = try keys.map { key in
                    guard case .map(let jwk) = key else {
                        throw NodeError.file(path: path, reason: "a key of \(issuer) is no JWK")
                    }
                    return try CredentialVerificationKey(jwk: jwk)
                }
                return TrustedIssuer(issuer: issuer, keys: read, types: types)
            }
        } catch let error as NodeError {
            throw error
        } catch {
            throw .file(path: path, reason: "\(error)")
        }
    }
}
