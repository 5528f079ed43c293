internal import ArgumentParser
internal import HandfastChannel
internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastNode

struct AnonymousIssueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issue",
        abstract: "Answer a customer's request with a credential (experimental).",
        discussion: """
            The claims stand in a JSON object: a text or a whole number for each
            attribute of the key. Values that few have mark their holder as a name does.

            EXAMPLES
              echo '{"level": 3, "city": "Lyon"}' > ann.json
              handfast anonymous issue Ann ann.request --key club.key --claims ann.json \\
                --output ann.issuance
              handfast anonymous issue Ann ann.request --key club.key --claims ann.json \\
                --next-epoch --output ann.issuance
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var part: PartOutput
    @OptionGroup var target: RelationshipArgument

    @Argument(help: "The request: a file, the text itself, or -.", completion: .file())
    var request: String

    @Option(name: .long, help: "The issuer's key, as `handfast anonymous key` makes it.", completion: .file())
    var key: String

    @Option(name: .long, help: "The file with the claims.", completion: .file())
    var claims: String

    @Flag(name: .long, help: "Issue for the next epoch; it holds from now on, to the end of that one.")
    var nextEpoch = false

    func run() async throws {
        let bytes = try AnonymousPart.request.read(request)
        let request = try AnonymousRequest(decoding: bytes.bytes)
        let file = try AnonymousKeyFile.read(key)
        let schema = file.parameters.schema
        let values = try AnonymousClaimsFile(at: claims).values(of: schema)
        let access = try await VaultAccess(global, network: false)
        let given = try await access.nonce(.nonce(relationship: target.relationship))
        let epoch = schema.epoch(at: TestClock.time.now().seconds) + (nextEpoch ? 1 : 0)
        var random = SystemEntropy()
        let issuance = try file.key.issue(
            request, nonce: try FixedBytes(copying: given.nonce), epoch: epoch, values: values,
            parameters: file.parameters, using: &random)
        _ = try await access.nonce(.spendNonce(relationship: given.relationship, nonce: given.nonce))
        let end = schema.end(ofEpoch: epoch)
        try part.write(
            .issuance, issuance.encoded(), to: global.output, mode: 0o600,
            ["relationship": .text(given.relationship), "epoch": .number(epoch), "expires": .number(end)],
            text: "Issued: it holds until \(Moment.text(end)). Give it to the customer who asked. "
                + AnonymousCommand.notice)
    }
}
