internal import Handfast
internal import HandfastNode

extension ClaimRequestReport {
    /// The request as a person reads it, and under it what the other side learns, or learned.
    var text: String {
        let who = label ?? String(relationship.prefix(8))
        let head = sender == .own ? "You asked \(who)" : "\(who) asked"
        var lines = ["\(head), request \(number), \(Moment.text(asked)): \(state)"]
        lines.append("  for      \(purpose)" + (description.map { " (\($0))" } ?? ""))
        for query in queries {
            let claims = query.claims.isEmpty ? "only that you have it" : query.claims.joined(separator: ", ")
            var line = "  wants    \(query.type): \(claims)"
            if let issuers = query.issuers { line += ", issued by \(issuers.joined(separator: " or "))" }
            if query.selfAsserted { line += ", your own word is enough" }
            lines.append(line)
        }
        if let maximumAge { lines.append("  issued   at most \(maximumAge) seconds ago") }
        if let answered { lines.append("  answered \(Moment.text(answered))") }
        for shown in shown {
            lines.append(
                "  \(learns)  \(shown.type), \(shown.issuer.map { "issued by \($0)" } ?? "the holder's own word")")
            for claim in shown.claims { lines.append("             \(claim.claim) = \(claim.value)") }
        }
        for check in checks where check.outcome == .failed {
            lines.append("  failed   \(check.check.rawValue): \(check.reason ?? "")")
        }
        if let reason { lines.append("  because  \(reason)") }
        return lines.map { Printable.text($0) }.joined(separator: "\n")
    }

    private var learns: String {
        switch (sender, state) {
        case (.own, _): "proved "
        case (.peer, "open"): "learns "
        case (.peer, _): "learned"
        }
    }

    /// What came of it, in one line.
    var outcome: String {
        switch state {
        case "open":
            sender == .own ? "Asked; request \(number) waits for the answer." : "Request \(number) waits for you."
        case "presented" where sender == .own: "Answered; the answer waits: \(reason ?? "it is not judged yet")."
        case "presented": "Shown in answer to request \(number); the other side has not said yet what came of it."
        case "refused": "Request \(number) was refused."
        case "accepted": "Accepted: everything that request \(number) asked for is proved."
        default: "Rejected: something that request \(number) asked for is not proved."
        }
    }
}
