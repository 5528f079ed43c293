internal import ArgumentParser

struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger",
        abstract: "Export a relationship's ledger, or verify exports.",
        discussion: """
            EXAMPLES
              handfast ledger export 'Corner Shop' shop.ledger
              handfast ledger verify shop.ledger
            """,
        subcommands: [LedgerExportCommand.self, LedgerVerifyCommand.self])
}
