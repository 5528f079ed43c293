internal import CSodium

/// A long-lived secret in locked memory between guard pages, read-only once filled.
///
/// It is never swapped out or written to a core dump, and a read or write beyond it stops the process. One costs
/// about 15 µs and four pages: it is for the few roots of a vault. Everything else lives in ``SecretBytes``.
@safe
public struct GuardedBytes: ~Copyable, @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer

    /// Size in bytes.
    public let count: Int

    /// Copies the bytes into guarded memory. The caller's copy stays as it is: wipe it where it need not live on.
    /// - Throws: ``CryptoError/outOfLockedMemory``
    public init(copying bytes: RawSpan) throws(CryptoError) {
        unsafe try self.init(count: bytes.byteCount) { target in
            unsafe bytes.withUnsafeBytes { source in unsafe target.copyMemory(from: source) }
        }
    }

    /// Draws `count` bytes from the generator straight into guarded memory.
    /// - Throws: ``CryptoError/outOfLockedMemory``
    public init(random count: Int, using generator: inout some RandomNumberGenerator) throws(CryptoError) {
        unsafe try self.init(count: count) { target in
            var bytes = unsafe target.mutableBytes
            generator.fill(&bytes)
        }
    }

    init(count: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) throws(CryptoError) {
        Sodium.start()
        guard let pointer = unsafe sodium_malloc(count) else { throw .outOfLockedMemory }
        // sodium_malloc goes on in silence where the system refuses to lock.
        guard unsafe sodium_mlock(pointer, count) == 0 else {
            unsafe sodium_free(pointer)
            throw .outOfLockedMemory
        }
        unsafe fill(UnsafeMutableRawBufferPointer(start: pointer, count: count))
        guard unsafe sodium_mprotect_readonly(pointer) == 0 else {
            unsafe sodium_free(pointer)
            throw .outOfLockedMemory
        }
        unsafe self.pointer = pointer
        self.count = count
    }

    deinit {
        unsafe sodium_free(pointer)
    }

    /// The secret, borrowed.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        borrowing get {
            let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(pointer), byteCount: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }
}
