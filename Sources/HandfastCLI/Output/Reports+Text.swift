internal import HandfastNode

extension RelationshipReport {
    /// What a person calls it: the own note, else the name the other side gives itself, else the id's beginning.
    var title: String { label ?? name ?? String(id.prefix(8)) }

    /// What a list says of what is held back, by either side.
    var heldText: String {
        var parts: [String] = []
        if state != "blocked" {
            if reception.isPaused { parts.append("paused by you") }
            if reception.messagesPerHour > 0 { parts.append("throttled by you") }
        }
        if moving != nil { parts.append("moving") }
        if sendingTo > 0 { parts.append("by their other relay") }
        if let text = heldBackText(by: "them") {
            parts.append(text + (heldBackSince.map { " for \(Moment.age(since: $0))" } ?? ""))
        }
        if state != "ended", state != "blocked" {
            let out = receiving.filter { !$0.isConnected }
            if let since = out.compactMap(\.disconnectedSince).min() {
                let what = out.count == receiving.count ? "not receiving" : "one relay of yours out"
                parts.append("\(what) for \(Moment.age(since: since))")
            } else if let behind = receiving.map(\.behind).max(), behind > 0 {
                parts.append("\(behind) behind")
            }
        }
        return parts.joined(separator: ", ")
    }

    /// Why the other side takes nothing for now, in words.
    private func heldBackText(by whom: String) -> String? {
        switch heldBack {
        case "full": "their queue is full"
        case "too-large": "larger than they take"
        default: heldBack.map { "\($0) by \(whom)" }
        }
    }

    /// What is known of the tie to the domain.
    private var domainStanding: String {
        if let domainFault { return "CONTRADICTED: \(domainFault)" }
        return domainConfirmed.map { "confirmed by it on \(Moment.text($0))" } ?? "claimed; it was not asked"
    }

    /// What `show` writes.
    var text: String {
        var lines: [(String, String)] = [("id", id), ("state", state)]
        if let label { lines.append(("label", label)) }
        if let name { lines.append(("calls itself", name)) }
        if let domain { lines.append(("domain", "\(domain) (\(domainStanding))")) }
        lines.append(("your part", role))
        lines.append(("since", Moment.text(created)))
        lines.append(("your identity", ownIdentity))
        lines.append(("their identity", peerIdentity ?? "known once they answer"))
        lines.append(("your records", "\(ownRecords), of which they are known to have \(peerHasSeen)"))
        lines.append(("their records", "\(peerRecords)"))
        lines.append(("you receive at", receivesAt.joined(separator: ", ")))
        if state != "ended", state != "blocked" {
            for report in receiving { lines.append(("receiving", report.text)) }
            if receiving.isEmpty { lines.append(("receiving", "no node runs here: what comes waits at the relay")) }
        }
        if !sendsTo.isEmpty {
            let used = sendingTo > 0 && sendingTo < sendsTo.count ? " (in use: \(sendsTo[sendingTo]))" : ""
            lines.append(("they receive at", sendsTo.joined(separator: ", ") + used))
        }
        if let moving { lines.append(("move", moving)) }
        if epoch > 0 { lines.append(("channel", "begun anew \(epoch) time\(epoch == 1 ? "" : "s")")) }
        if let text = reception.text, state != "blocked" { lines.append(("you let come", text)) }
        if lostUnread > 0 { lines.append(("lost", "\(lostUnread) of theirs expired before you read them")) }
        if waiting > 0 || heldBack != nil {
            let since = heldBackSince.map { " since \(Moment.text($0))" } ?? ""
            let why = heldBackText(by: "the other side").map { ": \($0)\(since)" } ?? ""
            lines.append(("waiting", "\(waiting) to be delivered\(why)"))
        }
        if expiredUnread > 0 { lines.append(("unread", "\(expiredUnread) of yours expired before they read them")) }
        if let words { lines.append(("words", "\(words)  (the same on both sides when nobody is between)")) }
        if let trouble { lines.append(("trouble", trouble)) }
        let width = lines.map(\.0.count).max() ?? 0
        return lines.map { name, value in
            name + String(repeating: " ", count: width - name.count) + "  " + Printable.text(value)
        }.joined(separator: "\n")
    }
}

extension ReceivingReport {
    /// One line of `show`.
    fileprivate var text: String {
        guard isConnected else {
            let since = disconnectedSince.map { " since \(Moment.text($0))" } ?? ""
            return "not connected to \(relay)\(since)" + (trouble.map { ": \($0)" } ?? "")
        }
        return behind == 0
            ? "connected to \(relay), nothing behind"
            : "connected to \(relay), \(behind) message\(behind == 1 ? "" : "s") behind"
    }
}

extension EntryReport {
    /// The body as JSON beside what is known of the record.
    func document() throws -> Document {
        var report = self
        report.body = nil
        // The body of an attachment holds its key, which is for nobody's log.
        return try Document(report).adding(["body": attachment == nil ? Document.decoding(body) : nil])
    }

    /// One line of `read`.
    var line: String {
        if let attachment {
            let words = text.map { " \($0)" } ?? ""
            return "\(Moment.text(time))  \(sender == .own ? "you " : "they")  \(sequence)  "
                + Printable.text("[\(attachment.summary)]\(words)")
        }
        let said = text ?? Document.decoding(body)?.jsonText ?? "(erased)"
        let content = type == "message/text" ? said : "\(type) \(said)"
        return "\(Moment.text(time))  \(sender == .own ? "you " : "they")  \(sequence)  \(Printable.text(content))"
    }
}

extension NodeEvent {
    /// The event as one JSON object.
    func document() throws -> Document {
        var event = self
        event.detail.body = nil
        let detail = try Document(event.detail).adding(["body": Document.decoding(self.detail.body)])
        return try Document(event).adding(["detail": detail])
    }

    /// One line of `watch`.
    var line: String {
        let parts = [
            detail.sequence.map { "#\($0)" }, detail.type.flatMap { $0 == "message/text" ? nil : $0 },
            detail.name, detail.text, detail.reason,
        ]
        let said = parts.compactMap(\.self).joined(separator: " ")
        let place = relationship.map { String($0.prefix(8)) } ?? "-"
        return Printable.text("\(Moment.text(time))  \(place)  \(kind.rawValue)  \(said)")
    }
}
