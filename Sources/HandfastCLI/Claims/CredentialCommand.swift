internal import ArgumentParser
internal import HandfastNode

struct CredentialCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credential",
        abstract: "Credentials: keep them in the wallet, or issue and revoke them.",
        discussion: """
            A credential comes in copies, and each relationship sees one of its own: so
            vendors cannot tell by it that they speak of the same person. The wallet
            makes a key for each copy, the issuer issues for these keys, and the wallet
            takes the copies.

            EXAMPLES
              handfast credential request --label 'ID card' --copies 20 --output keys.json
              handfast credential issue keys.json --claims ann.json --key issuer.jwk \\
                --issuer https://id.example --type https://id.example/person \\
                --output ann.credential
              handfast credential import ann.credential
              handfast credential list
            """,
        subcommands: [
            CredentialRequestCommand.self, CredentialImportCommand.self, CredentialListCommand.self,
            CredentialShowCommand.self, CredentialIssueCommand.self, CredentialRevokeCommand.self,
        ])
}

extension VaultAccess {
    /// Carries out a command that is answered by credentials of the wallet.
    func credentials(_ action: CredentialAction) async throws -> [CredentialReport] {
        guard case .credentials(let reports) = try await reply(to: .credential(action)) else {
            throw Failure.unexpectedReply
        }
        return reports
    }
}
