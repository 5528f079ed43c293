internal import ArgumentParser
internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastNode

struct RecoveryCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make recovery words, and let the next key of every identity derive from them.",
        discussion: """
            The words are shown once and stored nowhere: write them down, twice. The vault
            keeps promises of as many keys as --keys says, one for each identity that will
            be made or rotated. Every identity that you have is rotated now, so that its
            next key is one of the words', too; each peer is told.

            EXAMPLES
              handfast recovery create
              handfast recovery create --svg recovery.svg --keys 5000
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var code: CodeOptions
    @OptionGroup var keys: RecoveryKeysOption

    @Flag(
        name: .long,
        help: "Make new words although there are some; identities that promised a key of the old ones need those.")
    var replace = false

    func run() async throws {
        let access = try await VaultAccess(global)
        let before = try await access.recovery(.status)
        guard before.name == nil || replace else {
            throw Failure(
                .cannotCreate, "this vault has recovery words already",
                hint: "`handfast recovery rotate` uses them; --replace makes others if they are lost")
        }
        var random = SecureRandom()
        let root = RecoveryRoot.random(using: &random)
        let words = root.words
        let picture = try code.code(of: words, "recovery words")
        let promises = try RecoveryPool.draw(keys.keys, from: root)
        _ = try await access.keep(promises, of: root, isNew: true)
        // Before anything depends on them.
        global.output.write(
            ["words": .text(words), "keys": .number(keys.keys), "identities": .number(before.inVault)]
        ) {
            """
            \(picture)Your recovery words. They are shown once; write them down, and keep them away from every device:

            \(RecoveryPool.lines(of: words))

            """
        }
        let after = try await RecoveryPool.adopt(access)
        global.output.note(RecoveryPool.note(after))
    }
}
