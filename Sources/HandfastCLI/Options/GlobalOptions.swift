internal import ArgumentParser

/// What every command takes, before or after its name.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: .long, help: "The vault's folder (default: $HANDFAST_VAULT or ~/.local/share/handfast).",
        completion: .directory)
    var vault: String?

    @Option(
        name: .long, help: "The configuration file (default: $HANDFAST_CONFIG or config.json in the vault's folder).",
        completion: .file(extensions: ["json"]))
    var config: String?

    @Option(
        name: .long, help: "The file that opens the vault (default: $HANDFAST_KEY_FILE or vault.key in its folder).",
        completion: .file())
    var keyFile: String?

    @Option(
        name: .long,
        help:
            "A file with the vault's passphrase (default: $HANDFAST_PASSPHRASE_FILE, $HANDFAST_PASSPHRASE or a prompt).",
        completion: .file())
    var passphraseFile: String?

    @Flag(name: .long, help: "Write JSON: one document, or one a line for watch and move; errors, too.")
    var json = false

    /// Where results go.
    var output: Output { Output(isJSON: json) }
}
