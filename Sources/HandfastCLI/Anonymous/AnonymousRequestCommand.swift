internal import ArgumentParser
internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastNode

struct AnonymousRequestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "request",
        abstract: "Ask an issuer for a credential (experimental).",
        discussion: """
            What makes the credential yours stays in the vault: the issuer does not see
            it and cannot know the credential again. Compare the issuer's key with others
            who have its parameters: one of your own would mark you.

            EXAMPLES
              handfast anonymous request club.parameters --nonce nonce --label Club \\
                --output ann.request
              zbarimg -q --raw photo.png |
                handfast anonymous request club.parameters --nonce - --label Club --qr
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var part: PartOutput

    @Argument(help: "The issuer's parameters: a file, the text itself, or -.", completion: .file())
    var parameters: String

    @Option(name: .long, help: "The issuer's nonce: a file, the text itself, or -.", completion: .file())
    var nonce: String

    @Option(name: .long, help: "What you call the credential.")
    var label: String

    func run() async throws {
        let encoded = try AnonymousPart.parameters.read(parameters)
        let nonce = try AnonymousPart.nonce.read(nonce)
        let parameters = try AnonymousParameters(decoding: encoded.bytes)
        let access = try await VaultAccess(global, network: false)
        let action = AnonymousAction.request(label: label, parameters: encoded, nonce: nonce)
        guard case .anonymousRequest(let request) = try await access.reply(to: .anonymous(action)) else {
            throw Failure.unexpectedReply
        }
        let issuer = Base64URL.encode(parameters.issuer.array)
        try part.write(
            .request, request, to: global.output,
            ["issuer": .text(issuer), "type": .text(parameters.schema.type)],
            text: "Give the request to the issuer, \(issuer); `handfast anonymous import` takes what comes back. "
                + AnonymousCommand.notice)
    }
}
