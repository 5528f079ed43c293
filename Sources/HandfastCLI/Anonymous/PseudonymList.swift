internal import HandfastClaims
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastNode

/// A file with pseudonyms, one in each line; what stands behind a sharp sign is for people.
struct PseudonymList {
    /// A line has 44 bytes: more than 300,000 of them.
    private static let maximumSize = 16 << 20

    let pseudonyms: Set<Pseudonym>

    /// Reads a file.
    ///
    /// - Throws: ``Failure``, which names the line that is none.
    init(at path: String) throws {
        let text = String(decoding: try InputFile.read(path, maximum: Self.maximumSize), as: UTF8.self)
        var found: Set<Pseudonym> = []
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (number, line) in lines.enumerated() {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard let word = words.first else { continue }
            guard words.count == 1, let bytes = try? Base64URL.decode(word),
                let value = try? FixedBytes<32>(copying: bytes), let pseudonym = try? Pseudonym(value)
            else {
                throw Failure(
                    .badData, "line \(number + 1) of \(InputFile.name(of: path)) is no pseudonym",
                    hint: "`handfast anonymous verify --json` writes it as .pseudonym")
            }
            found.insert(pseudonym)
        }
        pseudonyms = found
    }
}
