/// Texts of others, made harmless for a terminal.
enum Printable {
    /// The text with control characters, which a terminal may obey, and invisible or direction-changing characters,
    /// which may deceive, replaced. Line ends and tabs stay only where `multiline` is set.
    static func text(_ text: String, multiline: Bool = false) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n", "\t":
                result.unicodeScalars.append(multiline ? scalar : " ")
            case "\0"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{200B}"..."\u{200F}", "\u{2028}"..."\u{202E}",
                "\u{2060}"..."\u{2069}", "\u{FEFF}":
                result += "\u{FFFD}"
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
