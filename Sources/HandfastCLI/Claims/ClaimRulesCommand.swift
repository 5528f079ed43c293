internal import ArgumentParser
internal import Handfast
internal import HandfastNode

struct ClaimRulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules",
        abstract: "The rules by which requests for claims are answered without you.",
        discussion: """
            Without a rule you are asked. A rule that refuses goes before one that asks,
            and that before one that answers; a request is answered only if rules answer
            for every claim of it.

            EXAMPLES
              handfast claim rules
              handfast claim rules --add answer --relationship 'Corner Shop' --claim age_over_18
              handfast claim rules --add refuse --claim birthdate
              handfast claim rules --remove 7gk2m3qa
            """)

    /// What a rule does.
    enum Decision: String, ExpressibleByArgument, CaseIterable {
        case answer
        case ask
        case refuse
    }

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(name: .long, help: "Add a rule: answer, ask or refuse.")
    var add: Decision?

    @Option(name: .long, help: "The rule holds in this relationship only.")
    var relationship: String?

    @Option(name: .long, help: "The rule holds for this purpose only.")
    var purpose: String?

    @Option(name: .long, help: "The rule holds for this type of credential only.")
    var type: String?

    @Option(name: .long, help: "The rule holds for this claim, and what is in it, only.")
    var claim: String?

    @Option(name: .long, help: "Remove the rule of this name.")
    var remove: String?

    func validate() throws {
        guard add == nil || remove == nil else { throw ValidationError("give either --add or --remove") }
        guard add != nil || (relationship ?? purpose ?? type ?? claim) == nil else {
            throw ValidationError("--relationship, --purpose, --type and --claim go with --add")
        }
    }

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        var action = ClaimAction.rules
        if let add = add.flatMap({ ClaimDecision(rawValue: $0.rawValue) }) {
            action = .addRule(
                ClaimRuleReport(add, relationship: relationship, purpose: purpose, type: type, claim: claim))
        } else if let remove {
            action = .removeRule(remove)
        }
        guard case .claimRules(let rules) = try await access.reply(to: .claim(action, wait: 0)) else {
            throw Failure.unexpectedReply
        }
        try global.output.write(["rules": .list(rules.map { try Document($0) })]) {
            guard !rules.isEmpty else { return "No rules: you are asked each time." }
            var table = Table("RULE", "DOES", "RELATIONSHIP", "PURPOSE", "TYPE", "CLAIM")
            for rule in rules {
                table.add(
                    rule.id ?? "", rule.decision.rawValue, rule.relationship.map { String($0.prefix(8)) } ?? "any",
                    rule.purpose ?? "any", rule.type ?? "any", rule.claim ?? "any")
            }
            return table.text
        }
    }
}
