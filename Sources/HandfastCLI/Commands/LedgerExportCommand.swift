internal import ArgumentParser
internal import HandfastNode

struct LedgerExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the whole ledger of a relationship into one file that proves itself.",
        discussion: """
            The file holds every record with its text: it is for you, or for whom you
            want to convince.

            EXAMPLES
              handfast ledger export 'Corner Shop' shop.ledger
              handfast ledger export a3kf | ssh archive 'cat > shop.ledger'
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var target: RelationshipArgument

    @Argument(help: "The file to write (default, and -: standard output).", completion: .file())
    var file: String?

    func validate() throws {
        guard file != nil && file != "-" || !StandardStream.output.isTerminal else {
            throw ValidationError("a ledger is no text for a terminal: give a FILE, or redirect the output")
        }
        guard file != nil && file != "-" || !global.json else {
            throw ValidationError("--json reports on the export: give a FILE")
        }
    }

    func run() async throws {
        let access = try await VaultAccess(global, network: false)
        let command = Command.exportLedger(relationship: target.relationship)
        guard case .ledger(let bytes) = try await access.reply(to: command) else { throw Failure.unexpectedReply }
        guard let file, file != "-" else {
            StandardStream.output.write(bytes)
            return
        }
        try OutputFile.write(bytes, to: file, mode: 0o600)
        global.output.write(["file": .text(Paths.absolute(file)), "bytes": .number(bytes.count)]) {
            "Wrote \(bytes.count) bytes to \(file). `handfast ledger verify \(file)` checks them."
        }
    }
}
