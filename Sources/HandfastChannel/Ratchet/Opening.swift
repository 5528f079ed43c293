/// What became of an envelope that was accepted.
public enum Opening: Sendable, Hashable {
    /// It opened; the range says where the content stands in the plaintext.
    case message(PayloadKind, content: Range<Int>)
    /// It belongs to a chain whose ML-KEM ciphertext has not come yet and is kept until it does; see
    /// ``Channel/takeReleasable()``. Or envelopes before it have not come, and it was asked to hold what is ahead; see
    /// ``Channel/takeNext()``.
    case held
}
