internal import ArgumentParser
internal import Handfast
internal import HandfastEncoding
internal import HandfastNode

struct ClaimPresentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "present",
        abstract: "Show what a request asks for, once you have seen what the other side learns.",
        discussion: """
            Says first what exactly the other side learns, and asks; --yes sends without
            asking. Type, issuer and times of a credential are always shown with it.

            Each relationship sees a copy of its own, which no other ever sees.

            EXAMPLES
              handfast claim present 'Corner Shop' 4
              handfast claim present 'Corner Shop' 6 --say email=ann@mail.example --yes
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var target: RelationshipArgument
    @OptionGroup var request: ClaimRequestArgument

    @Option(name: .long, help: "A claim and its value in your own word, where that is enough; repeat it for more.")
    var say: [String] = []

    @Flag(name: .long, help: "Do not ask before it is sent.")
    var yes = false

    func run() async throws {
        let words = try CBORMap(
            say.map { text in
                let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2 else { throw Failure(.usage, "--say takes NAME=VALUE, not \(text)") }
                return CBORMap.Entry(.text(parts[0]), .text(parts[1]))
            })
        let access = try await VaultAccess(global)
        if !yes { try await confirm(access) }
        let reports = try await access.claims(
            .present(
                relationship: target.relationship, number: request.number, words: try CBORValue.map(words).encoded()),
            wait: access.wait(waiting), progress: "Showing")
        guard let report = reports.first else { throw Failure.unexpectedReply }
        try global.output.write(Document(report)) { report.outcome + "\n" + report.text }
        global.output.note(report.notice)
    }

    private func confirm(_ access: VaultAccess) async throws {
        let open = try await access.claims(.requests(relationship: target.relationship, all: false))
        guard let report = open.first(where: { $0.number == request.number && $0.sender == .peer }) else { return }
        StandardStream.error.write(report.text + "\n")
        for text in say { StandardStream.error.write("  you say  \(Printable.text(text))\n") }
        guard !global.json else {
            throw Failure(.usage, "nothing was sent", hint: "look at what they learn, then say --yes")
        }
        StandardStream.error.write("Send it? [y/N] ")
        let answer = readLine(strippingNewline: true)?.lowercased()
        guard answer == "y" || answer == "yes" else { throw Failure(.failed, "nothing was sent") }
    }
}
