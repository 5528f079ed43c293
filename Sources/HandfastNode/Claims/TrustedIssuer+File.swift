internal import Foundation
public import Handfast

extension TrustedIssuer {
    /// The issuers that a file of a vault's form names.
    ///
    /// - Throws: ``NodeError/file(path:reason:)`` for a file that is not there or cannot be read
    public static func reading(file path: String) throws(NodeError) -> [TrustedIssuer] {
        guard FileManager.default.fileExists(atPath: path) else {
            throw .file(path: path, reason: "there is no such file; it says whose word is taken, as issuers.json does")
        }
        return try IssuerFile(path: path).issuers()
    }
}
