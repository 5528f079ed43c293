/// Bounds that a reader enforces before it allocates.
///
/// - Source: Spec/01 §1.2.
public struct CBORLimits: Hashable, Sendable {
    /// How deep arrays, maps and tags may nest; a scalar alone has depth 0.
    public static let depth = 16

    /// 1 MiB of input: room for every structure of the protocol, whose envelopes end at 64 KiB.
    public static let standard = CBORLimits(size: 1 << 20)

    /// The largest input, in bytes.
    public var size: Int

    /// Whether simple values other than false, true and null may occur, as they do in the claims of SD-CWT.
    public var allowsSimpleValues: Bool

    /// Whether the keys of a ``CBORMap`` may stand in any order, as others write them; each occurs once all the same.
    public var allowsUnsortedKeys: Bool

    /// Limits with another bound on the input.
    /// - Parameters:
    ///   - size: The largest input, in bytes.
    ///   - allowsSimpleValues: Whether simple values other than false, true and null may occur.
    ///   - allowsUnsortedKeys: Whether the keys of a ``CBORMap`` may stand in any order.
    public init(size: Int, allowsSimpleValues: Bool = false, allowsUnsortedKeys: Bool = false) {
        self.size = size
        self.allowsSimpleValues = allowsSimpleValues
        self.allowsUnsortedKeys = allowsUnsortedKeys
    }
}
