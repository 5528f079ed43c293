internal import ArgumentParser
internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding

struct AnonymousKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Make an issuer's key, and the parameters that it publishes (experimental).",
        discussion: """
            Type, attributes and epoch belong to the key and cannot be changed later.
            Publish the parameters where all customers find the same ones: an issuer that
            gives each its own can tell them apart.

            EXAMPLES
              handfast anonymous key club.key --type https://club.example/member \\
                --attribute level --attribute city --output club.parameters
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var part: PartOutput

    @Argument(help: "The file to make; its owner alone may read it.", completion: .file())
    var file: String

    @Option(name: .long, help: "The type of the credentials: a word or URI of 1 to 128 visible ASCII characters.")
    var type: String

    @Option(name: .long, help: "The name of an attribute; repeat it for up to 31.")
    var attribute: [String]

    @Option(name: .long, help: "The days that an epoch lasts; a credential ends with its epoch.")
    var epochDays: UInt64 = 30

    func validate() throws {
        guard (1...3_650).contains(epochDays) else { throw ValidationError("--epoch-days is 1 to 3650") }
    }

    func run() async throws {
        let parameters = try Failure.asBadData {
            let schema = try AnonymousSchema(type: type, epochLength: epochDays * 86_400, attributes: attribute)
            return try AnonymousKeyFile.make(at: file, schema: schema)
        }
        let issuer = Base64URL.encode(parameters.issuer.array)
        try part.write(
            .parameters, parameters.encoded(), to: global.output,
            [
                "keyFile": .text(Paths.absolute(file)), "issuer": .text(issuer), "type": .text(type),
                "attributes": .list(attribute.map { .text($0) }), "epochDays": .number(epochDays),
            ],
            text: "The key is in \(file): back it up, and give it to nobody. Publish the parameters: issuer \(issuer). "
                + AnonymousCommand.notice)
    }
}
