internal import ArgumentParser
internal import Handfast
internal import HandfastNode

struct CredentialImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Take copies of a credential from their issuer, or the token of its status list.",
        discussion: """
            Takes a file of `handfast credential issue`, an SD-JWT VC or an SD-CWT. Each
            copy must be bound to a key that `handfast credential request` made, and be
            signed by an issuer that you trust (`handfast issuer`).

            The token of a status list is shown with each credential that stands in it,
            so that nobody need ask the issuer: take a new one before it ends. Copies
            that it says are revoked or suspended are not shown any more.

            EXAMPLES
              handfast credential import ann.credential
              handfast credential import --status-token staff.token
              zbarimg -q --raw photo.png | handfast credential import -
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The file with the credentials, or - for its text on standard input.", completion: .file())
    var file: String?

    @Option(name: .long, help: "The file with the token of a status list.", completion: .file())
    var statusToken: String?

    func validate() throws {
        guard (file == nil) != (statusToken == nil) else {
            throw ValidationError("give a FILE with credentials, or --status-token FILE")
        }
    }

    func run() async throws {
        var action: CredentialAction?
        if let file {
            let read = try CredentialFile(at: file)
            action = .take(copies: read.copies, format: read.format.rawValue)
        } else if let statusToken {
            action = .takeStatusToken(try InputFile.read(statusToken, maximum: ClaimLimits.presentation))
        }
        guard let action else { return }
        let access = try await VaultAccess(global, network: false)
        let reports = try await Progress.during("Checking") { try await access.credentials(action) }
        try global.output.write(["credentials": .list(reports.map { try Document($0) })]) {
            if statusToken != nil { return "Kept: it is shown with the credentials that stand in the list." }
            return reports.map { report in
                let issued = report.copies.count { $0.isIssued }
                return "\(Printable.text(report.label)): \(issued) of \(report.copies.count) copies are here, "
                    + "\(report.free) are free."
            }.joined(separator: "\n")
        }
    }
}
