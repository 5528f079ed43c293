internal import ArgumentParser
internal import HandfastClaims
internal import HandfastNode

struct StatusCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Begin a list.",
        discussion: """
            The more places a list has, the less a place says: 1,048,576 unless you say
            otherwise, which take 256 KiB in the file and a few in the token.

            EXAMPLES
              handfast status create staff.list --uri https://issuer.example/status/1
              handfast status create cards.list --uri https://issuer.example/status/2 --bits 2
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var list: StatusListArgument

    @Option(name: .long, help: "Where the token will be published.")
    var uri: String

    @Option(name: .long, help: "Bits of an entry: 1 for revocation alone, 2 for suspension too, 4 or 8.")
    var bits = 1

    @Option(name: .long, help: "How many places, 1 to 16,777,216.")
    var count = StatusRegister.defaultCount

    func run() async throws {
        let register = try Failure.asBadData { try StatusRegister(uri: uri, bits: bits, count: count) }
        try StatusRegisterFile.make(register, at: list.file)
        global.output.write([
            "file": .text(Paths.absolute(list.file)), "uri": .text(uri), "bits": .number(register.list.bits),
            "count": .number(register.list.count),
        ]) {
            "A list of \(register.list.count) places is in \(list.file). Keep the file to yourself, and back it up."
        }
    }
}

extension Failure {
    /// Runs `body`, whose refusals are of what the person gave.
    static func asBadData<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.badData, text: "\(error)")
        }
    }
}
