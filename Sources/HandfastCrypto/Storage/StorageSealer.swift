internal import CSodium

/// Seals many values under one storage key with a single draw of randomness.
///
/// Each value is what ``StorageKey/seal(_:authenticating:using:)`` makes and ``StorageKey/open(_:authenticating:)`` opens.
/// Its nonce is 16 bytes that are drawn when the sealer is made, followed by a count of 8 bytes, little endian. XChaCha20
/// derives a key from the former, so that this is done once and no two values of a sealer share key and nonce.
/// - Source: draft-irtf-cfrg-xchacha-03 §2.3
public struct StorageSealer: ~Copyable, Sendable {
    /// Room that a value needs before its plaintext, in bytes.
    public static let prefixCount = drawnCount + countCount
    /// Room that it needs behind, in bytes.
    public static let tagCount = ChaCha20Poly1305.tagCount

    private static let drawnCount = 16
    private static let countCount = 8

    private let drawn: FixedBytes<16>
    private let key: AEADKey
    private var count: UInt64 = 0

    init(_ storageKey: borrowing StorageKey, using generator: inout some RandomNumberGenerator) {
        drawn = FixedBytes<16>(random: &generator)
        var key = AEADKey()
        storageKey.deriveKey(for: drawn, into: &key)
        self.key = key
    }

    /// Seals in place: `buffer` is ``prefixCount`` bytes that are overwritten, the plaintext, and ``tagCount`` bytes that
    /// are overwritten.
    /// - Throws: ``CryptoError/wrongLength(of:expected:actual:)`` if there is no room for them
    public mutating func sealInPlace(
        _ buffer: inout MutableRawSpan, authenticating associatedData: RawSpan
    ) throws(CryptoError) {
        guard buffer.byteCount >= StorageKey.overhead else {
            throw .wrongLength(of: "buffer of sealing", expected: StorageKey.overhead, actual: buffer.byteCount)
        }
        // The last 8 bytes of the long nonce are those of the short one, after 4 zeros.
        var nonce = FixedBytes<12>.zero
        var nonceBytes = nonce.mutableBytes
        nonceBytes.storeBytes(of: count.littleEndian, toByteOffset: 4, as: UInt64.self)
        count += 1
        try unsafe buffer.withUnsafeMutableBytes { (bytes) throws(CryptoError) in
            unsafe drawn.bytes.withUnsafeBytes { unsafe bytes.copyMemory(from: $0) }
            unsafe nonce.bytes.withUnsafeBytes { nonce in
                let place = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[Self.drawnCount...])
                unsafe place.copyMemory(from: UnsafeRawBufferPointer(rebasing: nonce.suffix(Self.countCount)))
            }
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[Self.prefixCount...])
            var sealed = unsafe MutableRawSpan(_unsafeBytes: rest)
            try ChaCha20Poly1305.sealInPlace(&sealed, key: key, nonce: nonce, authenticating: associatedData)
        }
    }
}

extension StorageKey {
    /// A sealer of many values, which draws its randomness now.
    public borrowing func sealer(using generator: inout some RandomNumberGenerator) -> StorageSealer {
        StorageSealer(self, using: &generator)
    }
}
