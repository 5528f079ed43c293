/// How many letters have to be inserted, deleted or replaced to make one word of another.
enum EditDistance {
    static func between(_ first: String, _ second: String) -> Int {
        let (first, second) = (Array(first.lowercased()), Array(second.lowercased()))
        var row = Array(0...second.count)
        for (i, letter) in first.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in second.enumerated() {
                let replaced = diagonal + (letter == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[second.count]
    }

    /// The candidate with the smallest distance to a word.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        candidates.min { between(word, $0) < between(word, $1) }
    }
}
