internal import ArgumentParser
internal import HandfastClaims
internal import HandfastCrypto

struct AnonymousConfirmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm",
        abstract: "Tell a partner that verifies without your key whether a credential is yours (experimental).",
        discussion: """
            You see no attribute and no pseudonym, only that this partner asks. Answer
            known partners only: each answer tells a little that they could not compute.

            EXAMPLES
              handfast anonymous confirm shop.question --key club.key \\
                --output shop.confirmation
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var part: PartOutput

    @Argument(help: "The partner's question: a file, the text itself, or -.", completion: .file())
    var question: String

    @Option(name: .long, help: "The issuer's key, as `handfast anonymous key` makes it.", completion: .file())
    var key: String

    func run() async throws {
        let bytes = try AnonymousPart.question.read(question)
        let question = try ConfirmationQuestion(decoding: bytes.bytes)
        let file = try AnonymousKeyFile.read(key)
        var random = SystemEntropy()
        do {
            let confirmation = try file.key.confirm(question, using: &random)
            try part.write(
                .confirmation, confirmation.encoded(), to: global.output, ["state": .text("confirmed")],
                text: "This key made the credential. Give the confirmation to the partner. \(AnonymousCommand.notice)")
        } catch AnonymousClaimError.notIssued {
            let reason = AnonymousClaimError.notIssued.description
            global.output.write([
                "state": .text("refused"), "reason": .text(reason), "experimental": .flag(true),
            ]) { "Refused: \(reason)." }
            throw ExitCode(1)
        }
    }
}
