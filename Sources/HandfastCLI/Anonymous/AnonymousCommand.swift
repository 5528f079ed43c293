internal import ArgumentParser
internal import HandfastNode

struct AnonymousCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "anonymous",
        abstract: "Anonymous claims (experimental): a vendor's own credentials, shown without saying whose they are.",
        discussion: """
            EXPERIMENTAL: the scheme has had less analysis than the rest of Handfast.
            Rely on it for nothing that must not fail.

            A vendor issues a credential to its customer and cannot tell later which
            customer shows it, only that one does, and what is shown. Each vendor sees a
            pseudonym that it knows again and nobody else does. A credential ends with
            its epoch. Everything goes by hand: as text, as a file, or as a QR code,
            whose text is taken wherever a file is.

            EXAMPLES
              The vendor, once:
                handfast anonymous key club.key --type https://club.example/member \\
                  --attribute level --attribute city --output club.parameters
              Issuing, vendor and customer in turns:
                handfast anonymous nonce Ann --output nonce
                handfast anonymous request club.parameters --nonce nonce --label Club \\
                  --output ann.request
                handfast anonymous issue Ann ann.request --key club.key \\
                  --claims ann.json --output ann.issuance
                handfast anonymous import ann.issuance
              Showing, here or at a partner of the vendor:
                handfast anonymous nonce Ann --output nonce
                handfast anonymous present 'Corner Shop' Club --nonce nonce --show level \\
                  --output ann.shown
                handfast anonymous verify Ann ann.shown --key club.key
            """,
        subcommands: [
            AnonymousKeyCommand.self, AnonymousNonceCommand.self, AnonymousRequestCommand.self,
            AnonymousIssueCommand.self, AnonymousImportCommand.self, AnonymousListCommand.self,
            AnonymousPresentCommand.self, AnonymousVerifyCommand.self, AnonymousConfirmCommand.self,
        ])

    /// What every result says of itself.
    static let notice = "Anonymous claims are experimental."
}
