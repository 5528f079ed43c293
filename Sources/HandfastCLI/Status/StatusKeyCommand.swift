internal import ArgumentParser
internal import HandfastClaims
internal import HandfastEncoding

struct StatusKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Make an issuer's key: the private JSON Web Key in a file, the public one on standard output.",
        discussion: """
            EXAMPLES
              handfast status key issuer.jwk > issuer.pub.jwk
              handfast status key issuer.jwk --algorithm ES256 --json
            """)

    /// What an issuer may sign with.
    enum Algorithm: String, ExpressibleByArgument, CaseIterable {
        case edDSA = "EdDSA"
        case es256 = "ES256"
    }

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The file to make; its owner alone may read it.", completion: .file())
    var file: String

    @Option(name: .long, help: "What the key signs with: EdDSA, or ES256 for verifiers that know no other.")
    var algorithm = Algorithm.edDSA

    @Option(name: .long, help: "A name for the public key (kid), which tells it from the issuer's others.")
    var keyID: String?

    func run() async throws {
        let key = try IssuerKeyFile.make(at: file, algorithm: algorithm == .edDSA ? .edDSA : .es256)
        let jwk = Document(.map(key.jwk(keyID: keyID)))
        global.output.write(["file": .text(Paths.absolute(file)), "publicKey": jwk]) { jwk.jsonText }
    }
}
