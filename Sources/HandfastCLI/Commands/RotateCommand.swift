internal import ArgumentParser
internal import HandfastNode
internal import HandfastStore

struct RotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Replace your signing key in a relationship, or with --public that of your public identity.",
        discussion: """
            The new key was promised when the old one was made, so that a thief of the
            old one cannot rotate. The other side learns of it by a record, and accepts
            nothing more that the old key signs.

            A public identity keeps its id. Everybody whom it vouches for is told, its
            bundles are signed anew, and the file that your domain serves is written
            anew: let the web server serve it in place of the old one. A rotation uses
            up one of the 63 that an identity has.

            A backup from before a rotation cannot come back behind it, as little as a
            thief's copy can: make a new one afterwards.

            EXAMPLES
              handfast rotate 'Corner Shop'
              handfast rotate --public --well-known /srv/www/.well-known/handfast
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions

    @Flag(name: .customLong("public"), help: "Replace the keys of this vault's public identity.")
    var isPublic = false

    @Option(
        name: .long,
        help: "Where to write the file that your domain is to serve (default: well-known/handfast in the vault).",
        completion: .file())
    var wellKnown: String?

    @Argument(help: "Its label, the other side's name, or the beginning of its id; `handfast list` shows them.")
    var relationship: String?

    func validate() throws {
        guard isPublic != (relationship != nil) else {
            throw ValidationError("give either a relationship or --public")
        }
        guard wellKnown == nil || isPublic else { throw ValidationError("--well-known goes with --public") }
    }

    func run() async throws {
        let access = try await VaultAccess(global)
        guard let relationship else { return try await rotatePublic(access) }
        let command = Command.rotate(relationship: relationship, wait: access.wait(waiting))
        let report = try await access.relationship(command, progress: "Rotating")
        try global.output.write(Document(report)) {
            "Your key in \(Printable.text(report.title)) was replaced; record \(report.ownRecords) says so."
        }
        global.output.note(report.notice)
    }

    private func rotatePublic(_ access: VaultAccess) async throws {
        let folder = try await Settings.load(global).folder
        let path = Paths.absolute(wellKnown ?? folder.file(named: "well-known/handfast"))
        // A path that cannot be written shows before anything has changed.
        guard case .keyLog(let log) = try await access.reply(to: .keyLog) else { throw Failure.unexpectedReply }
        try OutputFile.writeMakingFolder(log, to: path)
        let reply = try await Progress.during("Rotating") {
            try await access.reply(to: .rotatePublic(wait: access.wait(waiting)))
        }
        guard case .publicIdentity(let report) = reply else { throw Failure.unexpectedReply }
        try OutputFile.writeMakingFolder(report.keyLog, to: path)
        let document: Document = [
            "publicIdentity": .text(report.identity), "domain": .text(report.domain),
            "keyEvents": .number(report.keyEvents), "told": .number(report.told), "waiting": .number(report.waiting),
            "wellKnown": .text(path), "notice": .text(report.notice),
        ]
        global.output.write(document) {
            """
            The keys of your public identity \(report.identity) were replaced.
            \(report.told) relationship\(report.told == 1 ? " was" : "s were") told. Let the web server of \
            \(report.domain ?? "your domain") serve the file
              \(path)
            in place of the old one.
            """
        }
        global.output.note(report.notice)
    }
}
