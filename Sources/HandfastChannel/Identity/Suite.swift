/// The one suite of this version of the protocol, HF1: bound into every inception and bundle, never negotiated.
///
/// - Source: Spec/02
public enum Suite {
    /// The number of HF1 on the wire.
    public static let number: UInt64 = 1
}
