internal import HandfastCrypto

extension CommandExecutor {
    /// Carries out a command about anonymous claims.
    func reply(to command: AnonymousAction) async throws -> CommandReply {
        switch command {
        case .makeNonce(let name):
            return .anonymousNonce(try await node.makeAnonymousNonce(of: try await node.find(name)))
        case .nonce(let name):
            return .anonymousNonce(try await node.anonymousNonce(of: try await node.find(name)))
        case .spendNonce(let name, let nonce):
            let id = try await node.find(name)
            let report = try await node.anonymousNonce(of: id)
            try await node.spendAnonymousNonce(nonce, of: id)
            return .anonymousNonce(report)
        case .request(let label, let parameters, let nonce):
            return .anonymousRequest(
                try await node.requestAnonymousCredential(
                    label, parameters: parameters, nonce: try FixedBytes(copying: nonce)))
        case .take(let issuance):
            return .anonymousCredentials([try await node.importAnonymousCredential(issuance)])
        case .list:
            return .anonymousCredentials(try await node.anonymousCredentials())
        case .present(let credential, let name, let nonce, let showing, let isLinkable):
            return .anonymousPresentation(
                try await node.presentAnonymousCredential(
                    credential, in: try await node.find(name), nonce: try FixedBytes(copying: nonce),
                    showing: showing, isLinkable: isLinkable))
        }
    }
}
