/// The types of item in the deterministic subset.
///
/// - Source: RFC 8949 §3.1, §3.3.
public enum CBORType: String, Hashable, Sendable {
    /// Major types 0 and 1.
    case integer
    /// Major type 2.
    case bytes
    /// Major type 3.
    case text
    /// Major type 4.
    case array
    /// Major type 5.
    case map
    /// Major type 6.
    case tag
    /// Simple values 20 and 21.
    case bool
    /// Simple value 22.
    case null
    /// Simple values that are not assigned to one of the above, where ``CBORLimits/allowsSimpleValues``.
    case simple
    /// Major type 7 in its three floating-point widths.
    case double
}
