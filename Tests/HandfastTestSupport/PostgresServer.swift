public import Foundation

/// A PostgreSQL server of the tests' own, in a temporary folder: flushing as a real one does, reachable by a Unix socket
/// and a free port of the loopback, and gone when this process is, however it ends.
public final class PostgresServer: Sendable {
    /// The server that the tests of this process share, made when it is first asked for.
    public static let shared = Result { try PostgresServer() }

    /// What stops a test that needs the server.
    public struct Missing: Error, CustomStringConvertible {
        /// What is missing, and what to do.
        public let description: String

        /// Says what is missing.
        public init(description: String) { self.description = description }
    }

    /// The name of the superuser and of the database.
    private static let name = "handfast"

    /// The server's folder: data, socket and log.
    public let folder: String
    /// The port of the loopback, which also names the socket.
    public let port: UInt16
    private let watcher: Spawned
    /// As long as this is open, the server runs: whoever watches it reads until the end.
    private let lifeline: FileHandle

    /// The database by its socket, as a store's address.
    public var address: String { "postgres://\(Self.name)@/\(Self.name)?host=\(folder)&port=\(port)" }

    /// The database by its port.
    public var addressByPort: String { "postgres://\(Self.name)@127.0.0.1:\(port)/\(Self.name)" }

    /// Makes a data folder and starts the server; `PostgresServer.shared` does for most tests.
    public init() throws {
        let programs = try Self.programs()
        folder = NSTemporaryDirectory() + "handfast-pg-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        // The server refuses to be run by root.
        var asUser: [String] = []
        if geteuid() == 0 {
            guard let user = unsafe getpwnam("postgres") ?? getpwnam("nobody") else {
                throw Missing(description: "there is no user postgres or nobody to run the server; run Scripts/setup")
            }
            let (uid, gid) = unsafe (user.pointee.pw_uid, user.pointee.pw_gid)
            guard unsafe chown(folder, uid, gid) == 0 else { throw Missing(description: "chown \(folder) failed") }
            asUser = ["setpriv", "--reuid=\(uid)", "--regid=\(gid)", "--clear-groups"]
        }
        port = try Self.freePort()
        let quoted = (asUser + ["\(programs)/initdb"]).map { "'\($0)'" }.joined(separator: " ")
        let server = (asUser + ["\(programs)/postgres"]).map { "'\($0)'" }.joined(separator: " ")
        // The shell stays, and ends the server by its number as soon as it reads the end of the pipe.
        let script = """
            cd '\(folder)' && export LC_ALL=C && umask 077
            \(quoted) -D data -U \(Self.name) --auth=trust -E UTF8 --locale=C --no-sync --no-instructions >log 2>&1 || exit 9
            \(server) -D data -k '\(folder)' -p \(port) -c listen_addresses=127.0.0.1 -c max_connections=400 \\
                -c shared_buffers=64MB -c fsync=on -c synchronous_commit=on -c full_page_writes=on \\
                </dev/null >>log 2>&1 &
            server=$!
            echo $server >pid
            read -r end
            kill -QUIT $server
            wait $server
            cd / && rm -rf '\(folder)'
            """
        let pipe = Pipe()
        _ = fcntl(pipe.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        lifeline = pipe.fileHandleForWriting
        watcher = try Spawned(
            "/bin/sh", ["-c", script], environment: ProcessInfo.processInfo.environment,
            input: pipe.fileHandleForReading.fileDescriptor)
        try pipe.fileHandleForReading.close()
        try waitUntilReady(programs)
        try run(programs, "createdb", ["-U", Self.name, Self.name])
    }

    /// The address of a new, empty database.
    public func newDatabase() throws -> String {
        let name = "db_" + UUID().uuidString.lowercased().filter { $0 != "-" }
        try run(Self.programs(), "createdb", ["-U", Self.name, name])
        return "postgres://\(Self.name)@127.0.0.1:\(port)/\(name)"
    }

    deinit {
        try? lifeline.close()
        watcher.waitUntilEnd()
    }

    /// The number of the server's first process, for tests that end it or hold it up.
    public var processID: pid_t? {
        (try? String(contentsOfFile: "\(folder)/pid", encoding: .utf8))
            .flatMap { pid_t($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    /// The server's own words, for a failure's message.
    public var log: String { (try? String(contentsOfFile: "\(folder)/log", encoding: .utf8)) ?? "" }

    // MARK: Starting

    private static func programs() throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let newest = versions.compactMap { Int($0) }.sorted().last { version in
            FileManager.default.isExecutableFile(atPath: "\(root)/\(version)/bin/initdb")
        }
        guard let newest else { throw Missing(description: "PostgreSQL is not installed; run Scripts/setup") }
        return "\(root)/\(newest)/bin"
    }

    /// A port that nobody uses now.
    private static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &place) { place in
            unsafe place.withMemoryRebound(to: sockaddr.self, capacity: 1) { place in
                unsafe bind(descriptor, place, size) == 0 && getsockname(descriptor, place, &size) == 0
            }
        }
        guard isBound else { throw Missing(description: "there is no free port") }
        return UInt16(bigEndian: place.sin_port)
    }

    private func waitUntilReady(_ programs: String) throws {
        while watcher.status == nil {
            if try Self.status("\(programs)/pg_isready", ["-q", "-h", folder, "-p", "\(port)"]) == 0 { return }
            usleep(20_000)
        }
        throw Missing(description: "PostgreSQL did not start: \(log)")
    }

    private func run(_ programs: String, _ program: String, _ arguments: [String]) throws {
        let status = try Self.status("\(programs)/\(program)", ["-h", folder, "-p", "\(port)"] + arguments)
        guard status == 0 else { throw Missing(description: "\(program) failed: \(log)") }
    }

    private static func status(_ program: String, _ arguments: [String]) throws -> Int32 {
        try Spawned(program, arguments, environment: ProcessInfo.processInfo.environment, files: .none).waitUntilEnd()
    }
}
