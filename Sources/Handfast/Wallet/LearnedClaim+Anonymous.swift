public import HandfastClaims
internal import HandfastEncoding

extension LearnedClaim {
    /// An attribute of an anonymous credential and its value.
    public init(_ name: String, _ value: AnonymousValue) {
        let item: CBORValue =
            switch value {
            case .integer(let number): .integer(number)
            case .text(let text): .text(text)
            case .bytes(let bytes): .bytes(bytes)
            }
        self.init(claim: name, value: item.jsonText)
    }
}
