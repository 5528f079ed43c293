internal import ArgumentParser
internal import HandfastNode

struct AnonymousImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Take an issuer's answer to a request of this wallet (experimental).",
        discussion: """
            Takes it only with the issuer's proof that its key made the credential, for
            the present epoch or the next, as everybody's is.

            EXAMPLES
              handfast anonymous import ann.issuance
              zbarimg -q --raw photo.png | handfast anonymous import -
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The answer: a file, the text itself, or -.", completion: .file())
    var issuance: String

    func run() async throws {
        let bytes = try AnonymousPart.issuance.read(issuance)
        let access = try await VaultAccess(global, network: false)
        let reports = try await access.anonymous(.take(issuance: bytes))
        try global.output.write(try AnonymousCredentialReport.document(of: reports)) {
            reports.map(\.text).joined(separator: "\n\n") + "\n" + AnonymousCommand.notice
        }
    }
}
