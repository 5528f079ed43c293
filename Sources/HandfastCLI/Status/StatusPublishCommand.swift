internal import ArgumentParser
internal import HandfastChannel
internal import HandfastClaims
internal import HandfastNode

struct StatusPublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Sign a list as a token, to be served at its URI and sent along by holders.",
        discussion: """
            Serve the file as it is, as application/statuslist+cwt or +jwt. Publish anew
            before the time to live is over, changed or not.

            EXAMPLES
              handfast status publish staff.list --key issuer.jwk --output staff.token
              handfast status publish staff.list --key issuer.jwk --output staff.jwt \\
                --format jwt --expires-in 604800 --ttl 43200
            """)

    /// How tokens are written.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case cwt
        case jwt
    }

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var list: StatusListArgument

    @Option(name: .long, help: "The issuer's private key, as `handfast status key` makes it.", completion: .file())
    var key: String

    @Option(name: .long, help: "The name of the key in the token, where verifiers need one.")
    var keyID: String?

    @Option(name: .long, help: "The file to write.", completion: .file())
    var output: String

    @Option(name: .long, help: "How to write it: cwt or jwt.")
    var format = Format.cwt

    @Option(name: .long, help: "The token ends after so many seconds.")
    var expiresIn: UInt64 = 86_400

    @Option(name: .long, help: "A copy may be kept for so many seconds.")
    var ttl: UInt64 = 43_200

    func run() async throws {
        let key = try IssuerKeyFile.read(key)
        let format = self.format == .cwt ? StatusListToken.Format.cwt : .jwt
        let register = try StatusRegisterFile.read(list.file)
        let now = TestClock.time.now().seconds
        let (expires, isTooLate) = now.addingReportingOverflow(expiresIn)
        guard !isTooLate, expiresIn > 0, ttl > 0 else {
            throw Failure(.usage, "--expires-in and --ttl are numbers of seconds from 1 on")
        }
        let bytes = try Failure.asBadData {
            let token = try register.token(issuedAt: now, expires: expires, timeToLive: ttl)
            return try token.signed(as: format, keyID: keyID, with: key)
        }
        try OutputFile.write(bytes, to: output)
        global.output.write([
            "file": .text(Paths.absolute(output)), "bytes": .number(bytes.count), "uri": .text(register.uri),
            "mediaType": .text(format.mediaType), "issuedAt": .number(now), "expires": .number(expires),
            "ttl": .number(ttl),
        ]) {
            "Wrote \(bytes.count) bytes to \(output): \(format.mediaType), good until \(Moment.text(expires)). "
                + "Serve it at \(register.uri)."
        }
    }
}
