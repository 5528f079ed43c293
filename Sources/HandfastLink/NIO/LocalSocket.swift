internal import NIOCore

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A socket file that only its owner can connect to.
enum LocalSocket {
    /// The size of `sun_path` less the zero at its end, in bytes.
    static let maximumPathCount = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// Binds, without listening yet, a socket file of mode 0600. A file that a dead process left is replaced.
    static func bind(path: String) throws(LinkError) -> CInt {
        let address: SocketAddress
        do {
            address = try SocketAddress(unixDomainSocketPath: path)
        } catch {
            throw .socketPathTooLong(path, limit: Self.maximumPathCount)
        }
        try removeStale(path, address)
        let descriptor = try makeSocket(path)
        guard unsafe call(address, { unsafe Self.systemBind(descriptor, $0, $1) }) == 0,
            // Before listening nobody can connect, so that the mode is there in time.
            unsafe chmod(path, 0o600) == 0
        else {
            let reason = lastReason()
            closeDescriptor(descriptor)
            throw .cannotListen(path, reason: reason)
        }
        return descriptor
    }

    /// Removes the file of a socket that is closed.
    static func remove(path: String) {
        _ = unsafe unlink(path)
    }

    private static func removeStale(_ path: String, _ address: SocketAddress) throws(LinkError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path) }
        let probe = try makeSocket(path)
        defer { closeDescriptor(probe) }
        if unsafe call(address, { unsafe connect(probe, $0, $1) }) == 0 { throw .socketInUse(path) }
        guard errno == ECONNREFUSED else { throw .cannotListen(path, reason: lastReason()) }
        remove(path: path)
    }

    private static func makeSocket(_ path: String) throws(LinkError) -> CInt {
        #if canImport(Glibc)
            let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        #else
            let descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
        #endif
        guard descriptor >= 0 else { throw .cannotListen(path, reason: lastReason()) }
        return descriptor
    }

    private static func call(
        _ address: SocketAddress, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
    ) -> CInt {
        unsafe address.withSockAddr { unsafe body($0, socklen_t($1)) }
    }

    private static func systemBind(
        _ descriptor: CInt, _ address: UnsafePointer<sockaddr>, _ count: socklen_t
    ) -> CInt {
        #if canImport(Glibc)
            unsafe Glibc.bind(descriptor, address, count)
        #else
            unsafe Darwin.bind(descriptor, address, count)
        #endif
    }

    private static func closeDescriptor(_ descriptor: CInt) {
        #if canImport(Glibc)
            _ = Glibc.close(descriptor)
        #else
            _ = Darwin.close(descriptor)
        #endif
    }

    private static func lastReason() -> String {
        unsafe String(cString: strerror(errno))
    }
}
