internal import ArgumentParser
internal import HandfastNode

/// The `handfast` command.
@main
struct HandfastTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "handfast",
        abstract: "Hold a signed, encrypted relationship with another party, on equal terms.",
        discussion: """
            EXAMPLES
              handfast init                        make a vault
              handfast node run                    receive and deliver
              handfast invite --label Ann          print an invitation and its QR code
              handfast accept 'handfast:…'         accept one
              handfast send 'Corner Shop' 'Hello'  send a message
              handfast read 'Corner Shop'          read what both sides said

            A RELATIONSHIP is named by its label, by the name the other side gives
            itself, or by the beginning of its id. A command reaches a running node by
            itself; without one it opens the vault and does the work.

            EXIT CODES
               0  done
               1  failed
              64  wrong usage
              65  bad data: an invitation, a file, the configuration
              69  a relay or the peer cannot be reached
              73  something cannot be created
              75  locked or busy: try again
              77  not permitted: the passphrase, a key, a file's mode

            SHELL COMPLETIONS
              handfast --generate-completion-script bash > FILE   (or zsh, fish)
            """,
        version: "0.1.0",
        groupedSubcommands: [
            CommandGroup(
                name: "Meeting", subcommands: [InitCommand.self, InviteCommand.self, AcceptCommand.self]),
            CommandGroup(
                name: "Relationships",
                subcommands: [
                    ListCommand.self, ShowCommand.self, SendCommand.self, BroadcastCommand.self, ReadCommand.self,
                    WatchCommand.self, AttachmentCommand.self, RotateCommand.self, RejoinCommand.self,
                    MoveCommand.self,
                    ThrottleCommand.self, PauseCommand.self, ResumeCommand.self, BlockCommand.self, EndCommand.self,
                    RevocationsCommand.self, LedgerCommand.self,
                ]),
            CommandGroup(
                name: "Claims",
                subcommands: [
                    CredentialCommand.self, ClaimCommand.self, IssuerCommand.self, StatusCommand.self,
                    AnonymousCommand.self,
                ]),
            CommandGroup(
                name: "Running",
                subcommands: [
                    NodeCommand.self, RelayCommand.self, DoctorCommand.self, ConfigCommand.self, BackupCommand.self,
                    RestoreCommand.self, RecoveryCommand.self, MigrateCommand.self,
                ]),
            CommandGroup(name: "Implementing", subcommands: [VectorsCommand.self]),
        ])

    @OptionGroup(title: "Global options") var global: GlobalOptions

    static func main() async {
        let closing = Closing()
        do {
            try await Closing.$current.withValue(closing) {
                var command = try parseAsRoot()
                if var asynchronous = command as? any AsyncParsableCommand {
                    try await asynchronous.run()
                } else {
                    try command.run()
                }
            }
            await closing.run()
        } catch {
            await closing.run()
            end(with: error)
        }
    }

    /// Writes what went wrong in the form that was asked for, and ends the process with its exit code.
    private static func end(with error: any Error) -> Never {
        let asksForJSON = CommandLine.arguments.contains("--json")
        let failure: Failure
        switch exitCode(for: error) {
        case .success:
            // `--help`, `--version` and the completion script come this way, too.
            StandardStream.output.write(fullMessage(for: error) + "\n")
            exit(withError: ExitCode.success)
        case .validationFailure:
            let text = message(for: error).replacing("\n", with: " ")
            failure = Failure(.usage, Failure.clause(text), hint: usageHint(for: error))
        default:
            if error is ExitCode { exit(withError: error) }
            failure = Failure(error)
        }
        if asksForJSON {
            StandardStream.output.write(failure.document.jsonText + "\n")
        } else {
            StandardStream.error.write(failure.line + "\n")
        }
        exit(withError: ExitCode(failure.kind.exitCode))
    }

    /// Names the help of the command that was meant.
    private static func usageHint(for error: any Error) -> String {
        let usage = fullMessage(for: error).split(separator: "\n").first { $0.hasPrefix("Usage: ") }
        let words = (usage ?? "").dropFirst("Usage: ".count).split(separator: " ")
        let command = words.prefix { !$0.hasPrefix("<") && !$0.hasPrefix("[") && !$0.hasPrefix("-") }
        return "see `\((command.isEmpty ? ["handfast"] : command).joined(separator: " ")) --help`"
    }
}
