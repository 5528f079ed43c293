/// Where a claim stands in a credential: the way from its top through maps and arrays.
/// - Source: draft-ietf-oauth-sd-jwt-vc-19 §4.6.1 (claim path pointer), with integer keys beside it for SD-CWT
public struct ClaimPath: Hashable, Sendable {
    /// One step of the way.
    public enum Step: Hashable, Sendable {
        /// A map's value under a text key.
        case name(String)
        /// A map's value under an integer key.
        case number(Int64)
        /// An array's element, from 0.
        case index(Int)
        /// Each element of an array.
        case every
    }

    /// The most steps.
    public static let maximumCount = 16

    /// The steps from the top.
    public let steps: [Step]

    /// A path of 1 to 16 steps; nil otherwise.
    public init?(_ steps: [Step]) {
        guard (1...Self.maximumCount).contains(steps.count) else { return nil }
        self.steps = steps
    }
}

extension ClaimPath.Step {
    /// Whether both take the same way; names are compared by their bytes.
    public static func == (left: ClaimPath.Step, right: ClaimPath.Step) -> Bool {
        switch (left, right) {
        case (.name(let left), .name(let right)): left.utf8.elementsEqual(right.utf8)
        case (.number(let left), .number(let right)): left == right
        case (.index(let left), .index(let right)): left == right
        case (.every, .every): true
        default: false
        }
    }
}

extension ClaimPath: CustomStringConvertible {
    /// The steps as people write them: `address.street`, `nationalities[0]`, `degrees[].type`.
    public var description: String {
        var text = ""
        for step in steps {
            switch step {
            case .name(let name): text += (text.isEmpty ? "" : ".") + name
            case .number(let number): text += (text.isEmpty ? "" : ".") + String(number)
            case .index(let index): text += "[\(index)]"
            case .every: text += "[]"
            }
        }
        return text
    }
}
