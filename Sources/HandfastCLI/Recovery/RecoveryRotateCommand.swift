internal import ArgumentParser
internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastNode
internal import HandfastStore

struct RecoveryRotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Replace all your keys with those of your recovery words: after a theft.",
        discussion: """
            Run it on the vault that you restored, or on the one that was copied. Every
            identity whose next key derives from the words is rotated, each peer is told,
            and each channel begins anew: what a thief holds can then send nothing that a
            peer accepts, read nothing new, and rotate nothing. Keep the node running until
            all peers have answered, and make a new backup, because an older one cannot
            come back behind a rotation.

            EXAMPLES
              handfast recovery rotate
              handfast recovery rotate --words - --json < words.txt
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var words: RecoveryWordsOption
    @OptionGroup var keys: RecoveryKeysOption

    func run() async throws {
        let access = try await VaultAccess(global)
        let known = try await access.knownRecovery()
        let root = try words.root()
        guard known.name == root.name.array else {
            throw Failure(
                .notPermitted, "these are the words of another vault", hint: "nothing was changed; try the right ones")
        }
        var revealed: [RecoveryAction.Key] = []
        for identity in known.identities {
            let key = try root.nextKey(FixedBytes(copying: identity.salt))
            revealed.append(
                RecoveryAction.Key(
                    identity: identity, seed: [UInt8](key.seed),
                    promise: try RecoveryPool.draw(1, from: root)[0]))
        }
        let total = revealed.count
        var rotated = 0
        var refusals: [String] = []
        for start in stride(from: 0, to: revealed.count, by: 100) {
            let part = Array(revealed[start..<min(start + 100, revealed.count)])
            let name = root.name.array
            let report = try await Progress.during("Rotating", detail: { ", \(start) of \(total)" }) {
                try await access.recovery(.rotate(name: name, keys: part))
            }
            rotated += report.rotated
            refusals += report.refusals
        }
        if known.promises < keys.keys {
            _ = try await access.keep(RecoveryPool.draw(keys.keys - known.promises, from: root), of: root, isNew: false)
        }
        let wellKnown = try await writeKeyLog(access, known)
        let after = try await access.recovery(.status)
        let (count, reasons) = (rotated, refusals)
        global.output.write(
            [
                "rotated": .number(count), "refusals": .list(reasons.map { .text($0) }),
                "inVault": .number(after.inVault), "keys": .number(after.promises), "wellKnown": .text(wellKnown),
            ]
        ) {
            var lines = [
                "The keys of \(count) identities were replaced. Keep the node running until all peers have answered."
            ]
            lines += reasons.map { "  not replaced: \(Printable.text($0))" }
            if after.inVault > 0 {
                lines.append(
                    "The next keys of \(after.inVault) identities lay in the vault, so that a thief has them, too: "
                        + "`handfast recovery refill` replaces them, unless the thief was faster.")
            }
            if let wellKnown { lines.append("Let your web server serve \(wellKnown) in place of the old file.") }
            lines.append("Make a new backup: an older one cannot come back behind this rotation.")
            return lines.joined(separator: "\n")
        }
    }

    /// The file for the domain, where the public identity was among them.
    private func writeKeyLog(_ access: VaultAccess, _ known: RecoveryReport) async throws -> String? {
        guard known.identities.contains(where: { $0.relationship == nil }),
            case .keyLog(let log) = try await access.reply(to: .keyLog)
        else { return nil }
        let path = try await Settings.load(global).folder.file(named: "well-known/handfast")
        try OutputFile.writeMakingFolder(log, to: path)
        return path
    }
}
