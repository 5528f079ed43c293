internal import ArgumentParser
internal import Handfast
internal import HandfastEncoding
internal import HandfastNode

struct IssuerTrustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust",
        abstract: "Take an issuer at its word.",
        discussion: """
            An https address is the name of an issuer that publishes its keys: they are
            fetched now, once a day while the node runs, and when a credential names
            one that is not known yet; they are used for seven days if that fails.

            A file holds the issuer's keys, and they are used until you change them: a
            JSON Web Key, a set of them, or the issuer's metadata. Give the issuer's
            name with --name where the file does not say it.

            Trusting an issuer again replaces what was said of it before.

            EXAMPLES
              handfast issuer trust https://id.example
              handfast issuer trust https://id.example --type https://id.example/person
              handfast issuer trust issuer.pub.jwk --name https://id.example
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The issuer's https address, or a file with its keys.", completion: .file())
    var issuer: String

    @Option(name: .long, help: "The issuer's name, as its credentials give it (`iss`), for a file of keys.")
    var name: String?

    @Option(name: .long, help: "A type of credential for which its word is taken; repeat for more (default: all).")
    var type: [String] = []

    private var isAddress: Bool { issuer.hasPrefix("https://") }

    func validate() throws {
        guard !isAddress || name == nil else { throw ValidationError("--name goes with a file of keys") }
        guard !issuer.hasPrefix("http://") else { throw ValidationError("keys are fetched over https only") }
    }

    func run() async throws {
        let types = type.isEmpty ? nil : type
        let action: IssuerAction
        if isAddress {
            action = .trust(issuer: issuer, keys: [], types: types)
        } else {
            let file = try KeyFile(at: issuer)
            guard let name = name ?? file.issuer else {
                throw Failure(
                    .usage, "the file \(issuer) does not say whose keys these are",
                    hint: "give the issuer's name with --name")
            }
            action = .trust(
                issuer: name, keys: try file.keys.map { try CBORValue.map($0.jwk).encoded() }, types: types)
        }
        let access = try await VaultAccess(global, network: false)
        let reports = try await Progress.during("Asking") { try await access.issuers(action) }
        try global.output.write(["issuers": .list(reports.map { try Document($0) })]) { IssuerReport.table(reports) }
    }

    /// A file with public keys of an issuer.
    private struct KeyFile {
        /// The issuer's name, where the file says it.
        let issuer: String?
        let keys: [IssuerKey]

        init(at path: String) throws {
            let bytes = try InputFile.read(path, maximum: IssuerMetadata.maximumSize)
            guard case .map(let map)? = try? JSON.decode(bytes, maximumSize: IssuerMetadata.maximumSize) else {
                throw Failure(.badData, "the file \(path) is no JSON document", hint: "see the command's --help")
            }
            do {
                if case .text(let name)? = map["issuer"] {
                    guard case .here(let keys) = try IssuerMetadata(decoding: bytes, of: name).keys else {
                        throw Failure(
                            .badData, "the file \(path) names the place of the keys and does not hold them",
                            hint: "trust \(name) by its address, if it is one")
                    }
                    (issuer, self.keys) = (name, keys)
                } else {
                    issuer = nil
                    keys = map["keys"] == nil ? [try IssuerKey(jwk: map)] : try IssuerMetadata.keys(decoding: bytes)
                }
            } catch let error as IssuerMetadata.Fault {
                throw Failure(.badData, "\(path): \(error)")
            } catch let error as CredentialError {
                throw Failure(.badData, "\(path): \(error)")
            }
        }
    }
}
