internal import ArgumentParser
internal import HandfastNode

struct ClaimCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "claim",
        abstract: "Ask the other side for claims, answer its requests, and see what it has learned.",
        discussion: """
            EXAMPLES
              handfast claim request Ann --purpose dpv:AgeVerification \\
                --type https://id.example/person --claim age_over_18=true
              handfast claim requests
              handfast claim present 'Corner Shop' 4
              handfast claim learned 'Corner Shop'
            """,
        subcommands: [
            ClaimRequestCommand.self, ClaimRequestsCommand.self, ClaimPresentCommand.self, ClaimRefuseCommand.self,
            ClaimLearnedCommand.self, ClaimRulesCommand.self, ClaimSaveCommand.self, ClaimVerifyCommand.self,
        ])
}

/// The request that a command is about.
struct ClaimRequestArgument: ParsableArguments {
    @Argument(help: "The number of the request, as `handfast claim requests` shows it.")
    var number: UInt64
}

extension VaultAccess {
    /// Carries out a command that is answered by requests for claims.
    func claims(_ action: ClaimAction, wait: UInt32 = 0, progress: String = "Looking") async throws
        -> [ClaimRequestReport]
    {
        let reply = try await Progress.during(progress) { try await self.reply(to: .claim(action, wait: wait)) }
        guard case .claims(let reports) = reply else { throw Failure.unexpectedReply }
        return reports
    }
}
