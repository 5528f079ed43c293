internal import Foundation
public import Handfast

extension TrustedIssuer {
    /// The issuers that a file of a vault's form names; those that publish their keys are asked for them.
    ///
    /// One that cannot be asked has no keys, so that nothing of it is taken.
    ///
    /// - Throws: ``NodeError/file(path:reason:)`` for a file that is not there or cannot be read
    public static func reading(
        file path: String, web: NodeConfiguration.Web
    ) async throws(NodeError) -> [TrustedIssuer] {
        guard FileManager.default.fileExists(atPath: path) else {
            throw .file(path: path, reason: "there is no such file; it says whose word is taken, as issuers.json does")
        }
        var trusted: [TrustedIssuer] = []
        for entry in try IssuerFile(path: path).entries() {
            var keys = entry.keys
            if let url = entry.url { keys = (try? await IssuerKeys.fetch(entry.issuer, at: url, web: web)) ?? [] }
            trusted.append(TrustedIssuer(issuer: entry.issuer, keys: keys, types: entry.types))
        }
        return trusted
    }
}
