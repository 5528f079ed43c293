import Foundation
import Testing

/// A certificate for a domain, signed by an authority that only these tests know.
struct WebCertificate {
    /// Files (PEM): what the server shows, its key, and the authority that a client has to trust.
    let (chain, privateKey, authority): (String, String, String)

    /// Makes authority and certificate with the openssl program.
    static func make(for domain: String, in scene: Scene) async throws -> WebCertificate {
        let base = scene.newFile("web")
        let (authority, authorityKey) = (base + "-authority.pem", base + "-authority.key")
        let (chain, key, request) = (base + "-chain.pem", base + "-chain.key", base + "-request.pem")
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        for arguments in [
            ["req", "-x509"] + curve
                + ["-keyout", authorityKey, "-out", authority, "-subj", "/CN=Test authority", "-days", "2"],
            ["req", "-new"] + curve + ["-keyout", key, "-out", request, "-subj", "/CN=\(domain)"],
        ] {
            try await openssl(arguments, in: scene)
        }
        let extensions = base + "-extensions"
        try Data("subjectAltName=DNS:\(domain)\n".utf8).write(to: URL(fileURLWithPath: extensions))
        try await openssl(
            [
                "x509", "-req", "-in", request, "-CA", authority, "-CAkey", authorityKey, "-CAcreateserial",
                "-extfile", extensions, "-days", "2", "-out", chain,
            ], in: scene)
        return WebCertificate(chain: chain, privateKey: key, authority: authority)
    }

    private static func openssl(_ arguments: [String], in scene: Scene) async throws {
        let result = try await Tool.run(
            ["openssl"] + arguments, program: URL(fileURLWithPath: "/usr/bin/env"), in: scene)
        guard result.status == 0 else { throw Tool.UnexpectedEnd(arguments: ["openssl"] + arguments, result: result) }
    }
}
