internal import ArgumentParser
internal import HandfastChannel
internal import HandfastNode
internal import HandfastStore
internal import Synchronization

struct MoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "move",
        abstract: "Receive at another relay from now on, without losing a message.",
        discussion: """
            New queues are opened at the new relay, each other side is told by a signed
            record, and both relays are listened to until everybody sends to the new one
            and the old one is empty; then the old queues are closed. What was begun goes
            on by itself while the node runs, whatever stops in between. The same command
            again changes nothing and shows how far it is; --wait says for how long.

            --relay given several times names relays in order of preference: the other
            sides use a later one while those before it cannot be reached. With --all the
            configuration is changed as well, so that new relationships begin there, and
            open invitations are void, because they name the old relay.

            An old relay that will never come back is given up with --forget: records
            that it held come again from the other sides.

            --renew stays at the same relays and renews the capability by which the other
            side sends here, where somebody else may have got it: new queues are opened,
            the other side alone is told of them, and once it uses them the old ones are
            closed and take nothing more from anybody.

            How far it is is told on standard error, on a terminal in one line. With
            --json each step is an object {"progress": …} on a line, and the result is
            the last line.

            EXAMPLES
              handfast move --relay 'relay.example:7447/…' --all
              handfast move --relay 'a.example:7447/…' --relay 'b.example:7447/…' 'Corner Shop'
              handfast move --forget --all
              handfast move --renew 'Corner Shop' --wait 60
              handfast move --relay 'relay.example:7447/…' --all --wait 3600
              handfast move --relay 'relay.example:7447/…' --all --json | tail -n 1 | jq .unfinished
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions

    @Option(
        name: .long, parsing: .singleValue,
        help: "The relay at which to receive, as `relay run` prints it; again for more, the preferred one first.")
    var relay: [String] = []

    @Flag(name: .long, help: "Move all relationships, and where new ones begin.")
    var all = false

    @Flag(name: .long, help: "New queues at the same relays: the old capability opens nothing any more.")
    var renew = false

    @Flag(name: .long, help: "Give up what relays that are being left still hold.")
    var forget = false

    @Argument(help: "Its label, the other side's name, or the beginning of its id; `handfast list` shows them.")
    var relationship: String?

    func validate() throws {
        guard all != (relationship != nil) else { throw ValidationError("give either a relationship or --all") }
        guard [forget, renew, !relay.isEmpty].count(where: { $0 }) == 1 else {
            throw ValidationError("give one of --relay, --renew and --forget")
        }
        guard !renew || !all else { throw ValidationError("--renew is for one relationship") }
        guard relay.count <= Address.maximumCount else {
            throw ValidationError("--relay is given at most \(Address.maximumCount) times")
        }
    }

    func run() async throws {
        for text in relay { _ = try RelayAddress(text: text) }
        let access = try await VaultAccess(global, network: !forget)
        let command: Command =
            forget
            ? .giveUpOldRelays(relationship: relationship)
            : .move(relationship: relationship, relays: relay, wait: access.wait(waiting))
        let reply = try await carryOut(command, access)
        guard case .moved(let report) = reply else { throw Failure.unexpectedReply }
        var path: String?
        if all, !forget { path = try await configure() }
        let document = try Document(report).adding(["configuration": .text(path)])
        global.output.write(document) {
            if forget { forgotText(report) } else if renew { renewedText(report) } else { text(of: report, path) }
        }
        global.output.note(report.notice)
    }

    /// Carries it out, and tells each step of a move.
    private func carryOut(_ command: Command, _ access: VaultAccess) async throws -> CommandReply {
        let step = Mutex("")
        let output = global.output
        return try await Progress.during("Moving", detail: { step.withLock { $0 } }) {
            try await access.reply(to: command) { reply in
                guard case .moving(let report) = reply else { throw Failure.unexpectedReply }
                if output.isJSON {
                    try output.write(["progress": Document(report)]) { "" }
                } else if StandardStream.error.isTerminal {
                    step.withLock { $0 = ": \(report.counts)" }
                } else {
                    StandardStream.error.write("moving: \(report.counts)\n")
                }
            }
        }
    }

    /// Has the node begin new relationships at the new relays after a restart, too.
    private func configure() async throws -> String {
        let settings = try await Settings.load(global)
        let path = settings.file ?? SettingsSource.usualPath(in: settings.folder.path)
        try SettingsFile.setRelays(relay, in: path)
        return path
    }

    private func forgotText(_ report: MoveReport) -> String {
        let left = report.untold + report.unfinished
        return left == 0
            ? "No old relay is listened to any more." : "\(left) move\(left == 1 ? " is" : "s are") not finished yet."
    }

    private func renewedText(_ report: MoveReport) -> String {
        if let refusal = report.refused.first { return Printable.text("Nothing is renewed: \(refusal.reason)") }
        return report.isUnderWay
            ? "New queues are on their way to the other side; the old ones are closed once it uses them."
            : "The other side uses new queues, and the old ones are closed."
    }

    private func text(of report: MoveReport, _ path: String?) -> String {
        let relays = relay.joined(separator: ", ")
        let first =
            switch (report.began, report.isUnderWay) {
            case (0, false): "\(Self.relationships(report.already, "receive")) at \(relays) already."
            case (0, true): "A move to \(relays) is under way already: \(report.counts)."
            default:
                "\(Self.relationships(report.began + report.already, "move")) to \(relays): \(report.counts)."
            }
        var lines = [first]
        if let path { lines.append("New relationships begin there; \(path) says so.") }
        for refusal in report.refused {
            lines.append(Printable.text("\(refusal.relationship.prefix(8)) stays: \(refusal.reason)"))
        }
        if !report.voidInvitations.isEmpty {
            lines.append(
                Printable.text(
                    "Void, since they name the old relay: \(report.voidInvitations.joined(separator: ", ")). Make new ones "
                        + "with `handfast invite`."))
        }
        return lines.joined(separator: "\n")
    }

    private static func relationships(_ count: Int, _ verb: String) -> String {
        count == 1 ? "1 relationship \(verb)s" : "\(count) relationships \(verb)"
    }
}

extension MoveReport {
    /// How far it is, in words.
    fileprivate var counts: String {
        let parts = [
            (unfinished - confirmed, "told"), (confirmed, "sending to the new relay"), (untold, "to be told"),
        ]
        let share = "\(done) of \(done + untold + unfinished) done"
        return ([share] + parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }).joined(separator: ", ")
    }
}
