internal import ArgumentParser

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Status lists of credentials: keep one as issuer, publish it, check one.",
        discussion: """
            An issuer keeps a list in a file, gives each copy of a credential a place of
            its own in it, and publishes the list as a signed token. A holder sends the
            token along with the credential, so that nobody need ask the issuer.

            EXAMPLES
              handfast status key issuer.jwk > issuer.pub.jwk
              handfast status create staff.list --uri https://issuer.example/status/1
              handfast status allocate staff.list
              handfast status set staff.list invalid 52110
              handfast status publish staff.list --key issuer.jwk --output staff.token
              handfast status check staff.token --key issuer.pub.jwk \\
                --uri https://issuer.example/status/1 --index 52110
            """,
        subcommands: [
            StatusKeyCommand.self, StatusCreateCommand.self, StatusAllocateCommand.self, StatusSetCommand.self,
            StatusPublishCommand.self, StatusCheckCommand.self,
        ])
}

/// The issuer's file that a command is about.
struct StatusListArgument: ParsableArguments {
    @Argument(help: "The file in which the issuer keeps the list.", completion: .file())
    var file: String
}
