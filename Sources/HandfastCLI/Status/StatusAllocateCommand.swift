internal import ArgumentParser
internal import HandfastClaims
internal import HandfastCrypto

struct StatusAllocateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allocate",
        abstract: "Give places of a list to credentials: random ones, and none twice.",
        discussion: """
            Each copy of a credential needs a place of its own: a place that two copies
            share is a name that links them.

            EXAMPLES
              handfast status allocate staff.list
              handfast status allocate staff.list --number 20 --json
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var list: StatusListArgument

    @Option(name: .long, help: "How many places.")
    var number = 1

    func validate() throws {
        guard (1...10_000).contains(number) else { throw ValidationError("--number is 1 to 10000") }
    }

    func run() async throws {
        let places = try StatusRegisterFile.update(list.file) { register in
            var random = SecureRandom()
            return try Failure.asBadData {
                try (0..<number).map { _ in try register.allocate(using: &random) }
            }
        }
        global.output.write([
            "places": .list(places.map { ["uri": .text($0.uri), "index": .number($0.index)] })
        ]) {
            places.map { "\($0.index)" }.joined(separator: "\n")
        }
    }
}
