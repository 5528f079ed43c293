extension QRCode {
    /// The code in half blocks: one character for two modules, one above the other.
    ///
    /// With colour it is black on white in any terminal. Without, light modules are drawn and dark ones left out, which
    /// is right on a dark background.
    func terminalText(hasColor: Bool) -> String {
        let range = -Self.quietZone..<width + Self.quietZone
        var text = ""
        for y in stride(from: range.lowerBound, to: range.upperBound, by: 2) {
            if hasColor { text += "\u{1B}[38;5;16;48;5;231m" }
            for x in range {
                let (upper, lower) = (isDark(x, y), isDark(x, y + 1))
                switch hasColor ? (upper, lower) : (!upper, !lower) {
                case (true, true): text += "█"
                case (true, false): text += "▀"
                case (false, true): text += "▄"
                case (false, false): text += " "
                }
            }
            text += hasColor ? "\u{1B}[0m\n" : "\n"
        }
        return text
    }
}
