internal import ArgumentParser

/// How long a command may spend on the network.
struct WaitOptions: ParsableArguments {
    @Option(
        name: .long,
        help: "Seconds to wait for the network; what is not delivered by then stays in the outbox (default: 10).")
    var wait: UInt32?

    /// The longest wait, in seconds.
    static let maximum: UInt32 = 3_600

    func validate() throws {
        guard wait ?? 0 <= Self.maximum else {
            throw ValidationError("--wait is at most \(Self.maximum) seconds")
        }
    }

    /// The seconds to wait.
    func seconds(_ settings: Settings) -> UInt32 { wait ?? settings.wait }
}
