internal import HandfastNode

/// Follows an attachment until it is across or stands still, with a bar for who watches.
enum TransferProgress {
    /// Delivers and shows how far it is, once that takes longer than a second and standard error is a terminal.
    ///
    /// - Parameter wait: the seconds in which something must move.
    /// - Returns: The attachment as it stands then.
    static func follow(
        _ attachment: AttachmentReport, in relationship: String, wait: UInt32, _ access: VaultAccess
    ) async throws -> AttachmentReport {
        let command = Command.followAttachment(
            relationship: relationship, sender: attachment.sender, sequence: attachment.sequence, wait: wait)
        guard StandardStream.error.isTerminal else { return try await one(access.reply(to: command)) }
        let display = Task {
            var isShown = false
            let start = ContinuousClock.now
            while (try? await Task.sleep(for: .milliseconds(isShown ? 200 : 1_000))) != nil {
                let reply = try? await access.reply(to: .attachments(relationship: relationship))
                guard case .attachments(let all)? = reply,
                    let now = all.first(where: {
                        $0.sequence == attachment.sequence && $0.sender == attachment.sender
                    })
                else { continue }
                StandardStream.error.write("\r\(bar(now, start.duration(to: .now)))\u{1B}[K")
                isShown = true
            }
            if isShown { StandardStream.error.write("\r\u{1B}[K") }
        }
        do {
            let report = try await one(access.reply(to: command))
            display.cancel()
            await display.value
            return report
        } catch {
            display.cancel()
            await display.value
            throw error
        }
    }

    /// The only attachment of an answer.
    static func one(_ reply: CommandReply) throws -> AttachmentReport {
        guard case .attachments(let reports) = reply, let report = reports.first else { throw Failure.unexpectedReply }
        return report
    }

    private static func bar(_ report: AttachmentReport, _ time: Duration) -> String {
        let width = 30
        let share = report.size == 0 ? 1 : Double(report.transferred) / Double(report.size)
        let full = Int(share * Double(width))
        let cells = String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
        let seconds = max(1, time.components.seconds)
        let pace = ByteCount.text(report.transferred / UInt64(seconds))
        let name = Printable.text(String(report.name.prefix(24)))
        return "\(name) \(cells) \(Int(share * 100)) % of \(ByteCount.text(report.size)), \(pace)/s"
    }
}
