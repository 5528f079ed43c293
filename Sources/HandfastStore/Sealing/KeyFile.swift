internal import HandfastCrypto

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The file that opens a vault in place of a passphrase: 32 random bytes, for its owner alone.
enum KeyFile {
    /// Makes the file with mode 0600 and flushes it.
    static func make(at path: String, using random: inout SecureRandom) throws -> StorageKey {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StoreError.keyFile(path: path, reason: SystemError.text(errno)) }
        defer { _ = close(descriptor) }
        let secret = SecretBytes(random: StorageKey.count, using: &random)
        let written = unsafe secret.bytes.withUnsafeBytes { bytes in
            unsafe write(descriptor, bytes.baseAddress, bytes.count)
        }
        guard written == StorageKey.count, fchmod(descriptor, 0o600) == 0, fsync(descriptor) == 0 else {
            throw StoreError.keyFile(path: path, reason: SystemError.text(errno))
        }
        return try StorageKey(copying: secret.bytes)
    }

    /// Reads the file, if nobody but the user of this process may.
    static func load(at path: String) throws -> StorageKey {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError.keyFile(path: path, reason: SystemError.text(errno)) }
        defer { _ = close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw StoreError.keyFile(path: path, reason: SystemError.text(errno))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw StoreError.keyFile(path: path, reason: "it is not a plain file")
        }
        guard status.st_mode & 0o077 == 0, status.st_uid == geteuid() else {
            throw StoreError.keyFilePermissions(path: path)
        }
        guard status.st_size == StorageKey.count else {
            throw StoreError.keyFile(path: path, reason: "it has \(status.st_size) bytes instead of 32")
        }
        var secret = SecretBytes(count: StorageKey.count)
        var output = secret.mutableBytes
        let count = unsafe output.withUnsafeMutableBytes { bytes in
            unsafe read(descriptor, bytes.baseAddress, bytes.count)
        }
        guard count == StorageKey.count else {
            throw StoreError.keyFile(path: path, reason: "it could not be read whole")
        }
        return try StorageKey(copying: secret.bytes)
    }
}

/// The system's words for an error number.
enum SystemError {
    static func text(_ number: CInt) -> String {
        unsafe String(cString: strerror(number))
    }
}
