internal import ArgumentParser

/// Where a command about anonymous claims writes what is to be handed over.
struct PartOutput: ParsableArguments {
    @Option(name: .long, help: "The file to write (default: standard output).", completion: .file())
    var output: String?

    @OptionGroup var code: CodeOptions

    /// Writes a part.
    ///
    /// - Parameters:
    ///   - document: what else the JSON document tells.
    ///   - text: what to tell a person beside it.
    func write(
        _ part: AnonymousPart, _ bytes: [UInt8], to result: Output, mode: Int = 0o644, _ document: Document = [:],
        text: String
    ) throws {
        let line = part.text(bytes)
        if let output { try OutputFile.write(Array((line + "\n").utf8), to: output, mode: mode) }
        let code = try self.code.code(of: line, part.name)
        let fields: [String: Document?] = [
            part.rawValue: .text(line), "file": .text(output.map(Paths.absolute)), "experimental": .flag(true),
        ]
        result.write(document.adding(fields)) {
            if let output { return code + "Wrote \(part.name) to \(output). \(text)" }
            // Standard output holds the part alone, so that it can go on by a pipe.
            StandardStream.error.write(text + "\n")
            return code + line
        }
    }
}
