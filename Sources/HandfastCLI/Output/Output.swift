/// Where a command's result goes: as text for a person, or as one JSON document.
struct Output {
    /// Whether JSON was asked for.
    let isJSON: Bool

    /// Writes the result in the form that was asked for.
    func write(_ document: @autoclosure () throws -> Document, text: () -> String) rethrows {
        if isJSON {
            StandardStream.output.write(try document().jsonText + "\n")
        } else {
            let text = text()
            if !text.isEmpty { StandardStream.output.write(text.hasSuffix("\n") ? text : text + "\n") }
        }
    }

    /// Tells a person something beside the result, on standard error so that the result stays clean.
    func note(_ text: String?) {
        guard !isJSON, let text else { return }
        StandardStream.error.write("note: \(Printable.text(text))\n")
    }
}
