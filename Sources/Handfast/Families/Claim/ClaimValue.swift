public import HandfastEncoding

/// What a claim has to be to satisfy a request.
public enum ClaimValue: Hashable, Sendable, Codable {
    /// True or false, such as of `age_over_18`.
    case bool(Bool)
    /// An integer.
    case integer(Int64)
    /// A text of at most 256 bytes.
    case text(String)

    /// Reads one of the three.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
            self = .bool(flag)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else {
            self = .integer(try container.decode(Int64.self))
        }
    }

    /// Writes it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .bool(let flag): try container.encode(flag)
        case .integer(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        }
    }

    /// The same as an item of a credential.
    public var item: CBORValue {
        switch self {
        case .bool(let flag): .bool(flag)
        case .integer(let number): .integer(number)
        case .text(let text): .text(text)
        }
    }
}
