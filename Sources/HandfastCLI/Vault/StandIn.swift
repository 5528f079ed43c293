internal import HandfastNode
internal import HandfastPostgres
internal import HandfastStore
internal import Logging

/// A process beside the one that has the vault: it reads by itself, and passes on what it is asked to do.
struct StandIn: Sendable {
    /// Nobody begins a command that was passed on so many seconds after the time that it may take.
    private static let seconds: UInt32 = 60
    /// How often it is asked whether there is an answer.
    private static let pause = Duration.milliseconds(50)

    let vault: StandingVault
    /// The vault as it is read.
    let node: Node

    init(_ vault: StandingVault, _ settings: Settings, logger: Logger) async throws {
        self.vault = vault
        do {
            node = try await OpenNode.node(on: vault.store, settings, listens: false, logger)
        } catch {
            await vault.store.close()
            throw error
        }
    }

    /// Carries out what only reads; nil for everything else.
    func executor(for command: Command) -> CommandExecutor? {
        switch command {
        case .events, .watch, .keyLog, .backup: CommandExecutor(reading: node)
        default: nil
        }
    }

    /// Passes a command on, and waits for its answer.
    ///
    /// - Returns: nil when nobody has the vault now, and nobody has begun the command or will.
    func pass(_ command: Command) async -> CommandReply? {
        do {
            guard let holder = try await vault.store.holder() else { return nil }
            if let file = command.localFile, !holder.hasPrefix(VaultPlace.machine) {
                throw CommandFailure(
                    .unavailable,
                    "another machine's process has the vault (\(holder)), and finds no \(file) of this one; give the "
                        + "command there")
            }
            let seconds = command.wait + Self.seconds
            let request = try await vault.store.pass(PassedCommand.bytes(of: command), seconds: seconds)
            return try await answer(to: request, for: seconds)
        } catch {
            return .failed(CommandFailure(error))
        }
    }

    private func answer(to request: Int64, for seconds: UInt32) async throws -> CommandReply? {
        let end = ContinuousClock.now + .seconds(seconds)
        while true {
            switch try await vault.store.fate(of: request) {
            case .answered(let bytes): return try PassedCommand.reply(bytes)
            case .abandoned: throw Self.unknownOutcome
            case .waiting:
                let isHeld = try await vault.store.holder() != nil
                guard isHeld, !Task.isCancelled, ContinuousClock.now < end else {
                    if try await vault.store.withdraw(request) { return nil }
                    // Somebody has begun it just now.
                    break
                }
            case .underWay:
                guard !Task.isCancelled, ContinuousClock.now < end + .seconds(Self.seconds) else {
                    throw Self.unknownOutcome
                }
            }
            try? await Task.sleep(for: Self.pause)
        }
    }

    private static let unknownOutcome = CommandFailure(
        .tryAgain,
        "the process that was carrying the command out did not answer; look whether it was done before you repeat it: "
            + "with an idempotency key nothing is done twice")
}
