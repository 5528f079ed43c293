internal import Handfast
internal import HandfastEncoding

extension CommandExecutor {
    /// Carries out a command about requests for claims.
    func reply(to command: ClaimAction, wait: UInt32) async throws -> CommandReply {
        switch command {
        case .request(let name, let purpose, let description, let queries, let maximumAge):
            let id = try await node.find(name)
            let number = try await node.requestClaims(
                try Row.decode([CredentialQuery].self, queries), purpose: purpose, description: description,
                maximumAge: maximumAge, of: id)
            return try await settled(number, from: .own, in: id, wait)
        case .requests(let name, let all):
            let id = try await name.asyncMap { try await node.find($0) }
            return .claims(try await node.claimRequests(in: id, all: all))
        case .present(let name, let number, let words):
            let id = try await node.find(name)
            guard case .map(let words) = try CBORValue(decoding: words) else {
                throw NodeError.badData("what one says of oneself is a map")
            }
            try await node.presentClaims(number, in: id, ownWords: words)
            return try await settled(number, from: .peer, in: id, wait)
        case .refuse(let name, let number, let reason):
            let id = try await node.find(name)
            try await node.refuseClaims(number, in: id, reason: reason)
            return try await settled(number, from: .peer, in: id, wait)
        case .learned(let name):
            let id = try await name.asyncMap { try await node.find($0) }
            return .claims(try await node.learnedClaims(by: id))
        case .rules:
            return .claimRules(try await node.claimRules())
        case .addRule(let report):
            var rule = ClaimRule(report.decision, purpose: report.purpose, type: report.type)
            rule.relationship = try await report.relationship.asyncMap { try await node.find($0) }
            if let claim = report.claim {
                guard let path = ClaimPath(text: claim) else {
                    throw NodeError.badData("\(claim) is no path of a claim")
                }
                rule.claim = path
            }
            try await node.add(rule)
            return .claimRules(try await node.claimRules())
        case .removeRule(let id):
            try await node.removeClaimRule(id)
            return .claimRules(try await node.claimRules())
        }
    }

    /// Carries out a command about the credentials of the wallet.
    func reply(to command: CredentialAction) async throws -> CommandReply {
        switch command {
        case .makeKeys(let label, let count):
            return .credentials([try await node.makeCredentialKeys(label, count: count)])
        case .list(let id):
            return .credentials(try await node.credentials(id))
        case .take(let copies, let format):
            guard let format = VerifiedCredential.Format(rawValue: format) else {
                throw NodeError.badData("\(format) is no format of credentials")
            }
            return .credentials(try await node.importCredentials(copies, format: format))
        case .takeStatusToken(let token):
            try await node.importStatusToken(token)
            return .credentials(try await node.credentials())
        }
    }

    /// Carries out a command about the issuers whose word is taken.
    func reply(to command: IssuerAction) async throws -> CommandReply {
        switch command {
        case .list:
            return .issuers(try await node.issuers())
        case .trust(let issuer, let keys, let types):
            if keys.isEmpty {
                try await node.trust(publishing: issuer, types: types)
            } else {
                let read = try keys.map { bytes in
                    guard case .map(let jwk) = try CBORValue(decoding: bytes) else {
                        throw NodeError.badData("a key of an issuer is a JSON Web Key")
                    }
                    return try IssuerKey(jwk: jwk)
                }
                try await node.trust(issuer, keys: read, types: types)
            }
            return .issuers(try await node.issuers().filter { $0.issuer == issuer })
        case .forget(let issuer):
            try await node.forgetIssuer(issuer)
            return .issuers(try await node.issuers())
        }
    }

    private func settled(
        _ number: UInt64, from sender: EntryReport.Sender, in id: RelationshipID, _ wait: UInt32
    ) async throws -> CommandReply {
        _ = try await attempt(wait, for: id)
        guard
            var report = try await node.claimRequests(in: id, all: true).first(where: {
                $0.number == number && $0.sender == sender
            })
        else { throw NodeError.voided }
        report.waiting = try await node.waiting(in: id)
        if report.waiting > 0 { report.notice = try await waitingNotice(id, report.waiting) }
        return .claims([report])
    }
}
