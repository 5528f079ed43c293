internal import HandfastNode

extension AttachmentReport {
    /// Name and size, and how far it is.
    var summary: String {
        let place =
            switch state {
            case "received": "here"
            case "waiting": "waits for your word: `handfast attachment accept`"
            case "receiving", "sending": "\(state), \(percent) %"
            default: state
            }
        return "\(name), \(ByteCount.text(size)), \(place)"
    }

    private var percent: UInt64 {
        size == 0 ? 0 : UInt64(Double(transferred) / Double(size) * 100)
    }

    /// What to say when a command ends before it is across.
    var notice: String? {
        switch state {
        case "sending", "receiving":
            let whose = state == "sending" ? "the other side has" : "here are"
            return "\(whose) \(ByteCount.text(transferred)) of \(ByteCount.text(size)) so far; a running node "
                + "(`handfast node run`) goes on where this stopped, and so does the next command"
        case "waiting": return reason
        case "declined": return "the other side declined it" + (reason.map { ": \($0)" } ?? "")
        case "failed", "gone": return reason
        default: return nil
        }
    }
}
