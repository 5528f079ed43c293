internal import ArgumentParser
internal import HandfastChannel
internal import HandfastNode

/// How many keys are promised ahead.
struct RecoveryKeysOption: ParsableArguments {
    @Option(name: .long, help: "So many next keys are promised, one for each identity to come (default: 1000).")
    var keys = 1_000

    func validate() throws {
        guard (1...1_000_000).contains(keys) else { throw ValidationError("--keys is 1 to 1,000,000") }
    }
}

/// Where the recovery words come from.
struct RecoveryWordsOption: ParsableArguments {
    @Option(
        name: .long, help: "A file with the recovery words; - is standard input (default: a prompt).",
        completion: .file())
    var words: String?

    /// The root that the words stand for.
    func root() throws -> RecoveryRoot {
        let text: [UInt8]
        if let words {
            text = try InputFile.read(words, maximum: 4_096)
        } else {
            guard let typed = try Terminal.readPassphrase("Recovery words: ") else {
                throw Failure(
                    .notPermitted, "the recovery words are needed, and there is no terminal to ask at",
                    hint: "give --words FILE")
            }
            text = typed
        }
        return try RecoveryRoot(words: String(decoding: text, as: UTF8.self))
    }
}
