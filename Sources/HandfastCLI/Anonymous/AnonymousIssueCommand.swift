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

/// The claims that an issuer vouches for, in a JSON object.
struct AnonymousClaimsFile {
    private static let maximumSize = 1 << 14

    private let path: String
    private let claims: CBORMap

    /// Reads a file.
    ///
    /// - Throws: ``Failure``
    init(at path: String) throws {
        self.path = InputFile.name(of: path)
        let bytes = try InputFile.read(path, maximum: Self.maximumSize)
        do {
            guard case .map(let map) = try JSON.decode(bytes, maximumSize: Self.maximumSize) else {
                throw Failure(.badData, "\(self.path) holds no JSON object of claims")
            }
            claims = map
        } catch let error as JSONError {
            throw Failure(.badData, "\(self.path) is not the JSON of claims: \(error)")
        }
    }

    /// A value for each attribute, in its order.
    ///
    /// - Throws: ``Failure`` where one is missing, of no attribute, or of another kind.
    func values(of schema: AnonymousSchema) throws -> [AnonymousValue] {
        for entry in claims.entries {
            guard case .text(let name) = entry.key, !schema.attributes.contains(name) else { continue }
            throw Failure(
                .badData, "the key issues no attribute \(name)",
                hint: "it has \(schema.attributes.joined(separator: ", "))")
        }
        return try schema.attributes.map { name in
            switch claims[name] {
            case .text(let text): return .text(text)
            case .unsigned(let number) where number <= UInt64(Int64.max): return .integer(Int64(number))
            case .negative(let number) where number <= UInt64(Int64.max): return .integer(~Int64(number))
            case nil: throw Failure(.badData, "\(path) has no value for \(name)", hint: "give one for each attribute")
            default: throw Failure(.badData, "\(name) in \(path) is neither a text nor a whole number")
            }
        }
    }
}
