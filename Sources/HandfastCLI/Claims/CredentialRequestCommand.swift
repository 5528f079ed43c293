internal import ArgumentParser
internal import Handfast
internal import HandfastEncoding
internal import HandfastNode

struct CredentialRequestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "request",
        abstract: "Make keys for the copies of a credential, and a file that asks an issuer for them.",
        discussion: """
            The private keys stay in the vault; the file holds the public ones, as a set
            of JSON Web Keys. One copy is used up by each relationship that sees the
            credential.

            EXAMPLES
              handfast credential request --label 'ID card' --output keys.json
              handfast credential request --label 'ID card' --copies 50 --output keys.json
              handfast credential request --label 'ID card' --copies 8 --output keys.json --qr
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(name: .long, help: "What you call the credential.")
    var label: String

    @Option(name: .long, help: "How many copies: 1 to 256.")
    var copies = 20

    @Option(name: .long, help: "The file to write.", completion: .file())
    var output: String

    @OptionGroup var code: CodeOptions

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        guard let report = try await access.credentials(.makeKeys(label: label, count: copies)).first else {
            throw Failure.unexpectedReply
        }
        let keys = try report.copies.map { copy in
            CBORValue.map(CredentialVerificationKey.ed25519(try VerificationKey(copy.key.bytes)).jwk())
        }
        let file = Document(.map(try CBORMap([CBORMap.Entry(.text("keys"), .array(keys))])))
        try OutputFile.write(Array((file.jsonText + "\n").utf8), to: output)
        let code = try self.code.code(of: file.jsonText, "a request for \(copies) copies")
        try global.output.write(Document(report)) {
            code
                + "Wrote the keys of \(copies) copies to \(output). Give it to the issuer; `handfast credential import` takes "
                + "what comes back."
        }
    }
}
