internal import ArgumentParser
internal import HandfastChannel
internal import HandfastNode

struct RecoveryRefillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refill",
        abstract: "Promise more keys of your recovery words.",
        discussion: """
            Wanted after a restore, which discards promises that a later state of the
            vault may have used, and when `handfast doctor` says that none are left.
            Identities whose next keys still lie in the vault are rotated.

            EXAMPLES
              handfast recovery refill
              handfast recovery refill --words - < words.txt
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var keys: RecoveryKeysOption
    @OptionGroup var words: RecoveryWordsOption

    func run() async throws {
        let access = try await VaultAccess(global)
        _ = try await access.knownRecovery()
        let root = try words.root()
        _ = try await access.keep(RecoveryPool.draw(keys.keys, from: root), of: root, isNew: false)
        let report = try await RecoveryPool.adopt(access)
        global.output.write(
            [
                "keys": .number(report.promises), "rotated": .number(report.rotated),
                "inVault": .number(report.inVault),
            ]
        ) { RecoveryPool.note(report) }
    }
}
