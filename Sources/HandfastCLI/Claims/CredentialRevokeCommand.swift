internal import ArgumentParser
internal import Handfast
internal import HandfastNode

struct CredentialRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Revoke the copies of a credential that you issued, for good.",
        discussion: """
            Marks the place of each copy in the status list. Verifiers see it once the
            list is published anew: `handfast status publish`.

            EXAMPLES
              handfast credential revoke ann.credential --status staff.list
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The file that `handfast credential issue` wrote.", completion: .file())
    var file: String

    @Option(name: .long, help: "The file of the status list.", completion: .file())
    var status: String

    func run() async throws {
        let read = try CredentialFile(at: file)
        let places = try read.copies.compactMap { copy in
            switch try HeldCredential(decoding: copy, as: read.format) {
            case .sdCWT(let credential): credential.full.status
            case .sdJWT(let credential): credential.full.status
            }
        }
        guard !places.isEmpty else {
            throw Failure(.badData, "no copy in \(file) has a place in a status list", hint: "it holds until it ends")
        }
        try StatusRegisterFile.update(status) { register in
            for place in places {
                guard place.uri == register.uri else {
                    throw Failure(.badData, "a copy in \(file) stands in the list \(place.uri), not in this one")
                }
                try register.set(.invalid, at: place.index)
            }
        }
        global.output.write(["revoked": .number(places.count)]) {
            "Revoked \(places.count) copies. `handfast status publish` tells it."
        }
    }
}
