#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The folder of one vault, for its owner alone.
public struct VaultFolder: Sendable, Hashable {
    /// The folder's path.
    public let path: String

    /// Names a folder; nothing is read or made.
    public init(path: String) {
        self.path = path
    }

    /// The database; beside it stand its write-ahead log and index.
    public var databasePath: String { file(named: "vault.sqlite") }

    /// The file whose lock says who uses the vault.
    public var lockPath: String { file(named: "vault.lock") }

    /// The path of a file in the folder.
    public func file(named name: String) -> String { "\(path)/\(name)" }

    /// Whether there is a vault in the folder.
    public var holdsVault: Bool { unsafe access(databasePath, F_OK) == 0 }

    /// Makes the folder with mode 0700, and those above it, where they are missing.
    ///
    /// - Throws: ``StoreError/inputOutput(_:)``
    public func create() throws(StoreError) {
        var end = path.startIndex
        while end < path.endIndex {
            end = path[path.index(after: end)...].firstIndex(of: "/") ?? path.endIndex
            let part = String(path[..<end])
            guard unsafe mkdir(part, 0o700) == 0 || errno == EEXIST || errno == EISDIR else {
                throw .inputOutput("\(part): \(SystemError.text(errno))")
            }
        }
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw .inputOutput("\(path) is not a folder")
        }
    }

    /// Removes a database that was never finished.
    func removeDatabase(_ database: String) throws(StoreError) {
        for suffix in ["", "-wal", "-shm"] {
            guard unsafe unlink(database + suffix) == 0 || errno == ENOENT else {
                throw .inputOutput("\(database + suffix): \(SystemError.text(errno))")
            }
        }
    }

    /// Gives a closed database its final name, durably.
    func moveDatabase(_ database: String, to target: String) throws(StoreError) {
        let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if folder >= 0 { _ = close(folder) } }
        guard
            folder >= 0, unsafe chmod(database, 0o600) == 0, unsafe rename(database, target) == 0, fsync(folder) == 0
        else { throw .inputOutput("\(target): \(SystemError.text(errno))") }
    }
}
