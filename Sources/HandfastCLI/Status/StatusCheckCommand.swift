internal import ArgumentParser
internal import HandfastChannel
internal import HandfastClaims
internal import HandfastNode

struct StatusCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Verify a token, and say what it holds of a credential.",
        discussion: """
            The exit code is 0 only if the token may be used now and, with --index, the
            credential is valid; 1 if it is not valid; 65 if the token is refused.

            EXAMPLES
              handfast status check staff.token --key issuer.pub.jwk \\
                --uri https://issuer.example/status/1
              handfast status check staff.token --key issuer.pub.jwk \\
                --uri https://issuer.example/status/1 --index 52110 --maximum-age 3600
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The token, as CWT or JWT.", completion: .file())
    var token: String

    @Option(name: .long, help: "The issuer's public key, or a set of keys, as JSON Web Key.", completion: .file())
    var key: String

    @Option(name: .long, help: "The list that the credential names.")
    var uri: String

    @Option(name: .long, help: "The credential's place in the list.")
    var index: UInt64?

    @Option(name: .long, help: "Refuse a token that was issued longer ago than so many seconds.")
    var maximumAge: UInt64?

    func run() async throws {
        let keys = try IssuerKeyFile.readPublic(key)
        let bytes = try InputFile.read(token, maximum: StatusListToken.maximumEncodedCount)
        let now = TestClock.time.now().seconds
        let policy = StatusPolicy(maximumAge: maximumAge)
        let (token, status) = try Failure.asBadData {
            let token = try StatusListToken(verifying: bytes, uri: uri, keys: keys)
            try policy.check(token, from: .stapled, now: now)
            let status = try index.map { try token.status(of: StatusReference(uri: uri, index: $0)) }
            return (token, status)
        }
        let end = policy.usableUntil(token, from: .stapled)
        global.output.write([
            "uri": .text(token.uri), "issuedAt": .number(token.issuedAt),
            "expires": token.expires.map { .number($0) }, "ttl": token.timeToLive.map { .number($0) },
            "usableUntil": end.map { .number($0) }, "bits": .number(token.list.bits),
            "count": .number(token.list.count), "index": index.map { .number($0) },
            "status": .text(status?.description),
        ]) {
            let until = end.map { ", to be used until \(Moment.text($0))" } ?? ""
            let token = "The token holds: \(token.list.count) places, issued \(Moment.text(token.issuedAt))\(until)."
            guard let status, let index else { return token }
            return token + "\nCredential \(index) is \(status)."
        }
        if let status, status != .valid { throw ExitCode(1) }
    }
}
