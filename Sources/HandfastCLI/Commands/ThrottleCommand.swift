internal import ArgumentParser
internal import HandfastNode

struct ThrottleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "throttle",
        abstract: "Let only so much come of the other side.",
        discussion: """
            The own relay enforces it, whatever the other side does. What is too much
            waits with the other side, which is told when it may send; nothing is lost.
            Limits that are not named stay as they are.

            \(SenderArgument.help)
            A program that was turned away knocks again; its owner sees nothing of it.

            EXAMPLES
              handfast throttle 'Corner Shop' --rate 10/hour --burst 3
              handfast throttle a3kf --rate 1/minute
              handfast throttle a3kf --largest 4096 --waiting 1000000 --keep 86400
              handfast throttle a3kf --off
              handfast throttle --strangers --rate 20/day --burst 5
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var sender: SenderArgument

    @Option(name: .long, help: "Messages, as 10/hour, 2/minute, 1/second or 50/day.")
    var rate: MessagesPerTime?

    @Option(name: .long, help: "Messages that may come at once after a silence (default: those of a minute).")
    var burst: Int?

    @Option(name: .long, help: "Bytes of the largest message as it is on the wire, padding included.")
    var largest: UInt32?

    @Option(name: .customLong("waiting"), help: "Bytes that may wait at the own relay.")
    var waitingBytes: UInt32?

    @Option(name: .long, help: "Seconds for which a message waits at the own relay before it expires.")
    var keep: UInt32?

    @Flag(name: .long, help: "Lift all limits; a pause stays.")
    var off = false

    func validate() throws {
        let limits: [Any?] = [rate, burst, largest, waitingBytes, keep]
        guard off != limits.contains(where: { $0 != nil }) else {
            throw ValidationError("give at least one limit, or --off and none")
        }
        if burst != nil, rate == nil { throw ValidationError("--burst needs --rate") }
    }

    func run() async throws {
        var change = off ? ReceptionChange.unthrottled : ReceptionChange()
        if let rate {
            change.messagesPerHour = rate.perHour
            change.burst = burst ?? 0
        }
        change.messageBytes = largest.map { Int($0) } ?? change.messageBytes
        change.waitingBytes = waitingBytes.map { Int($0) } ?? change.waitingBytes
        change.retentionSeconds = keep.map { Int($0) } ?? change.retentionSeconds
        try await sender.apply(change, global, waiting, progress: "Throttling") { name, reception in
            "Of \(name) you let come: \(reception.text ?? "everything that the relay takes")."
        }
    }
}
