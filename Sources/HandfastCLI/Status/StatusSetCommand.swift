internal import ArgumentParser
internal import HandfastClaims

struct StatusSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Say what the status of credentials is from the next publication on.",
        discussion: """
            EXAMPLES
              handfast status set staff.list invalid 52110
              handfast status set cards.list suspended 7 1093 88312
              handfast status set cards.list valid 7
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var list: StatusListArgument

    @Argument(help: "valid, invalid (revoked), suspended (a list of 2 bits or more), or a number of your own.")
    var status: StatusArgument

    @Argument(help: "The places of the credentials.")
    var index: [UInt64]

    func run() async throws {
        try StatusRegisterFile.update(list.file) { register in
            try Failure.asBadData {
                for index in index { try register.set(status.status, at: index) }
            }
        }
        global.output.write([
            "status": .text(status.status.description), "indices": .list(index.map { .number($0) }),
        ]) {
            "Set \(index.count == 1 ? "1 credential" : "\(index.count) credentials") to \(status.status). "
                + "`handfast status publish \(list.file)` makes it known."
        }
    }
}

/// A status as people write it.
struct StatusArgument: ExpressibleByArgument {
    let status: CredentialStatus

    init?(argument: String) {
        switch argument {
        case "valid": status = .valid
        case "invalid": status = .invalid
        case "suspended": status = .suspended
        default:
            guard let value = UInt8(argument) else { return nil }
            status = CredentialStatus(value)
        }
    }
}
