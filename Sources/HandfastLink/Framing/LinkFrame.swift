/// The sizes of a frame on the wire: `length (4, big endian) ‖ frame`.
/// - Source: Spec/06
public enum LinkFrame {
    /// The largest frame, in bytes; the smallest is 1.
    public static let maximumCount = 1_048_576

    /// The length before each frame, in bytes.
    static let headerCount = 4
}
