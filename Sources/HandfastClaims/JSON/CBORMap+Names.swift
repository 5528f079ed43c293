internal import HandfastEncoding

extension CBORMap {
    /// A map of text keys that the caller knows to differ.
    init(names: [(String, CBORValue)]) {
        let entries = names.map { Entry(.text($0.0), $0.1) }
        guard let map = try? CBORMap(entries) else { preconditionFailure("a name occurs twice") }
        self = map
    }
}
