internal import CSodium

/// Seals a stream of chunks, each in its place: XChaCha20-Poly1305 as libsodium's secretstream has it.
///
/// A chunk opens only under the same key and header and after all chunks before it; the tag says which is the last.
/// - Source: libsodium documentation, crypto_secretstream ("Algorithm")
public struct SecretStreamSealer: ~Copyable, Sendable {
    /// Size of the header in bytes.
    public static let headerCount = 24
    /// How many bytes a sealed chunk is longer than its plaintext: the tag that says what it is, and 16 that prove it.
    public static let overhead = 17

    private let state: SecretStreamState
    private var hasEnded = false

    /// Begins a stream. A (key, header) must begin one stream only; draw the header anew for each.
    public init(_ key: borrowing SecretStreamKey, header: FixedBytes<24>) {
        state = SecretStreamState(key, header: header)
    }

    /// Seals the next chunk into a span that is exactly 17 bytes longer.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)``; ``CryptoError/streamEnded`` after the last chunk
    public mutating func seal(
        _ chunk: RawSpan, _ tag: SecretStreamTag, into output: inout MutableRawSpan
    ) throws(CryptoError) {
        guard !hasEnded else { throw .streamEnded }
        guard output.byteCount == chunk.byteCount + Self.overhead else {
            throw .wrongLength(
                of: "output of sealing", expected: chunk.byteCount + Self.overhead, actual: output.byteCount)
        }
        unsafe output.withUnsafeMutableBytes { output in
            unsafe chunk.withUnsafeBytes { chunk in
                guard let output = output.baseAddress else { return }
                _ = unsafe crypto_secretstream_xchacha20poly1305_push(
                    state.pointer, output, nil, chunk.baseAddress, UInt64(chunk.count), nil, 0, tag.rawValue)
            }
        }
        hasEnded = tag == .final
    }
}
