#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// An open file, read and written in pieces at given places, so that no file need ever be in memory as a whole.
final class AttachmentFile: Sendable {
    /// How a file is opened.
    enum Use {
        /// For reading only.
        case reading
        /// A new file, mode 0600, in place of one of that name.
        case replacing
        /// A file that goes on where it was left, made where it is missing, mode 0600.
        case continuing
        /// A new file where there is none yet, with the mode that the user's files have.
        case creating
    }

    /// The file's path.
    let path: String
    private let descriptor: CInt

    /// - Throws: ``NodeError/file(path:reason:)``
    init(_ path: String, for use: Use) throws(NodeError) {
        let (flags, mode): (CInt, mode_t) =
            switch use {
            case .reading: (O_RDONLY, 0)
            case .replacing: (O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)
            case .continuing: (O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
            case .creating: (O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666)
            }
        descriptor = unsafe open(path, flags | O_CLOEXEC | O_NONBLOCK, mode)
        self.path = path
        guard descriptor >= 0 else { throw Self.error(path) }
    }

    deinit {
        if descriptor >= 0 { _ = close(descriptor) }
    }

    /// The size in bytes of a regular file.
    ///
    /// - Throws: ``NodeError/file(path:reason:)``, also when it is a folder, a pipe or a device
    func size() throws(NodeError) -> UInt64 {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw Self.error(path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .file(path: path, reason: "it is not a file") }
        return UInt64(status.st_size)
    }

    /// Reads up to `count` bytes from a place on; fewer only at the end of the file.
    func read(_ count: Int, at offset: UInt64) throws(NodeError) -> [UInt8] {
        var failed = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = unsafe pread(
                    descriptor, buffer.baseAddress.map { unsafe $0 + filled }, count - filled,
                    off_t(offset) + off_t(filled))
                if got < 0, errno == EINTR { continue }
                failed = got < 0
                guard got > 0 else { return }
                filled += got
            }
        }
        guard !failed else { throw Self.error(path) }
        return bytes
    }

    /// Writes all bytes at a place.
    func write(_ bytes: [UInt8], at offset: UInt64) throws(NodeError) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe pwrite(
                    descriptor, buffer.baseAddress.map { unsafe $0 + done }, bytes.count - done,
                    off_t(offset) + off_t(done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.error(path) }
            done += count
        }
    }

    /// Cuts the file off.
    func truncate(to count: UInt64) throws(NodeError) {
        guard ftruncate(descriptor, off_t(count)) == 0 else { throw Self.error(path) }
    }

    /// Makes what was written durable.
    func sync() throws(NodeError) {
        guard fsync(descriptor) == 0 else { throw Self.error(path) }
    }

    /// Removes a file, if it is there.
    static func remove(_ path: String) {
        _ = unsafe unlink(path)
    }

    /// Whether there is something of this name.
    static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    /// Gives a file its final name in the same folder, durably, in place of what had it.
    static func rename(_ path: String, to target: String) throws(NodeError) {
        guard Self.systemRename(path, target) == 0 else { throw error(target) }
        try syncFolder(of: target)
    }

    /// Gives a file its final name in the same folder, durably, unless something has that name.
    static func renameToNew(_ path: String, to target: String) throws(NodeError) {
        guard unsafe link(path, target) == 0 else { throw error(target) }
        remove(path)
        try syncFolder(of: target)
    }

    private static func systemRename(_ path: String, _ target: String) -> CInt {
        #if canImport(Glibc)
            unsafe Glibc.rename(path, target)
        #else
            unsafe Darwin.rename(path, target)
        #endif
    }

    private static func syncFolder(of path: String) throws(NodeError) {
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let folder = unsafe open(parent.isEmpty ? "/" : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if folder >= 0 { _ = close(folder) } }
        guard folder >= 0, fsync(folder) == 0 else { throw error(parent) }
    }

    private static func error(_ path: String) -> NodeError {
        .file(path: path, reason: unsafe String(cString: strerror(errno)))
    }
}
