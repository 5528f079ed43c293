internal import ArgumentParser

/// A QR code of what a command writes, beside the text or file of it: the code holds the same text.
struct CodeOptions: ParsableArguments {
    @Flag(name: .long, help: "Show it as a QR code, too.")
    var qr = false

    @Option(name: .long, help: "Write it as a QR code to this file, too.", completion: .file(extensions: ["svg"]))
    var svg: String?

    /// Makes the codes that were asked for.
    ///
    /// - Parameter name: what the text is, such as "invitation".
    /// - Returns: What a terminal shows; empty if that was not asked for.
    /// - Throws: ``Failure`` for a text that no code holds.
    func code(of text: String, _ name: String) throws -> String {
        guard qr || svg != nil else { return "" }
        let code = try QRCode(text, of: name)
        if let svg { try OutputFile.write(Array(code.svg.utf8), to: svg) }
        return qr ? code.terminalText(hasColor: StandardStream.output.hasColor) + "\n" : ""
    }
}
