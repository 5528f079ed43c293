#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The sole use of a store on this machine, held until it is released or the process ends, however it ends.
package final class StoreLock: Sendable {
    private let descriptor: CInt

    /// Takes the lock of a vault's folder, which must exist.
    ///
    /// - Throws: ``StoreError/noVault(path:)`` when there is no such folder, and as ``init(file:of:)``
    package convenience init(_ folder: VaultFolder) throws(StoreError) {
        guard unsafe access(folder.path, F_OK) == 0 else { throw .noVault(path: folder.path) }
        try self.init(file: folder.lockPath, of: folder.path)
    }

    /// Takes the lock that a file stands for; the file is made where it is missing.
    ///
    /// - Throws: ``StoreError/locked(path:process:)`` naming the store and the process that holds it;
    ///   ``StoreError/inputOutput(_:)``
    init(file: String, of store: String) throws(StoreError) {
        let descriptor = unsafe open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .inputOutput("\(file): \(SystemError.text(errno))") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            defer { _ = close(descriptor) }
            guard reason == EWOULDBLOCK else {
                throw .inputOutput("\(file): \(SystemError.text(reason))")
            }
            throw .locked(path: store, process: Self.holder(descriptor))
        }
        self.descriptor = descriptor
        let text = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        _ = unsafe text.withUnsafeBytes { bytes in unsafe pwrite(descriptor, bytes.baseAddress, bytes.count, 0) }
    }

    deinit {
        // A process that is just being started has a copy of the descriptor until it runs its own program: closing this
        // one alone would keep the lock for so long.
        _ = flock(descriptor, LOCK_UN)
        _ = close(descriptor)
    }

    private static func holder(_ descriptor: CInt) -> Int32? {
        var text = [UInt8](repeating: 0, count: 16)
        let count = unsafe text.withUnsafeMutableBytes { bytes in
            unsafe pread(descriptor, bytes.baseAddress, bytes.count, 0)
        }
        guard count > 0 else { return nil }
        return Int32(String(decoding: text[..<count].prefix { $0 != 10 }, as: UTF8.self))
    }
}
