public import HandfastClaims

extension ClaimPath.Step: Codable {
    /// Reads a step: a name, the place of an element, null for each element, or an integer key in an array by itself.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .every
        } else if let name = try? container.decode(String.self) {
            self = .name(name)
        } else if let key = try? container.decode([Int64].self), key.count == 1 {
            self = .number(key[0])
        } else {
            self = .index(try container.decode(Int.self))
        }
    }

    /// Writes a step.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .name(let name): try container.encode(name)
        case .number(let key): try container.encode([key])
        case .index(let index): try container.encode(index)
        case .every: try container.encodeNil()
        }
    }
}

extension ClaimPath: Codable {
    /// Reads an array of steps.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let path = ClaimPath(try container.decode([Step].self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "a path has 1 to 16 steps")
        }
        self = path
    }

    /// Writes an array of steps.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(steps)
    }
}

extension ClaimPath {
    /// Why a path that another party wrote is refused.
    var fault: String? {
        for step in steps {
            switch step {
            case .name(let name):
                if let fault = TextRule.fault(in: name, named: "path", maximum: ClaimLimits.name) { return fault }
            case .index(let index) where index < 0: return "path has a place below 0"
            default: break
            }
        }
        return nil
    }
}
