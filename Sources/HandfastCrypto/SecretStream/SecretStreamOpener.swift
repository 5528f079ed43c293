internal import CSodium

/// Opens the chunks that a ``SecretStreamSealer`` made, in their order.
///
/// - Source: libsodium documentation, crypto_secretstream ("Algorithm")
public struct SecretStreamOpener: ~Copyable, Sendable {
    private let state: SecretStreamState
    private var hasEnded = false

    /// Begins to open a stream.
    public init(_ key: borrowing SecretStreamKey, header: FixedBytes<24>) {
        state = SecretStreamState(key, header: header)
    }

    /// Opens the next chunk into a span that is exactly 17 bytes shorter.
    ///
    /// A chunk that is not the next one fails as a forged one does, and the stream stays where it was.
    ///
    /// - Returns: What the sealer said of it; nil for a tag that has no name.
    /// - Throws: ``CryptoError/authenticationFailed``, ``CryptoError/wrongLength(of:expected:actual:)``,
    ///   ``CryptoError/streamEnded`` after the last chunk
    public mutating func open(
        _ sealed: RawSpan, into output: inout MutableRawSpan
    ) throws(CryptoError) -> SecretStreamTag? {
        guard !hasEnded else { throw .streamEnded }
        guard sealed.byteCount >= SecretStreamSealer.overhead else { throw .authenticationFailed }
        guard output.byteCount == sealed.byteCount - SecretStreamSealer.overhead else {
            throw .wrongLength(
                of: "output of opening", expected: sealed.byteCount - SecretStreamSealer.overhead,
                actual: output.byteCount)
        }
        var tag: UInt8 = 0
        let isAuthentic = unsafe output.withUnsafeMutableBytes { output in
            unsafe sealed.withUnsafeBytes { sealed in
                guard let sealedStart = sealed.baseAddress else { return false }
                return unsafe crypto_secretstream_xchacha20poly1305_pull(
                    state.pointer, output.baseAddress, nil, &tag, sealedStart, UInt64(sealed.count), nil, 0) == 0
            }
        }
        guard isAuthentic else { throw .authenticationFailed }
        let named = SecretStreamTag(rawValue: tag)
        hasEnded = named == .final
        return named
    }
}
