internal import CLibpq

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// One connection in libpq's pipeline mode, used by one thread at a time.
///
/// Statements go out together and are answered together: a round trip costs one exchange, however many they are.
@safe final class PostgresConnection {
    /// What is done when the server says nothing, in seconds.
    private static let connectSeconds = 5
    private static let answerMilliseconds: Int32 = 60_000

    private let handle: OpaquePointer
    /// Names of the statements that the server keeps, by their text.
    private var names: [String: String] = [:]
    private var namesEver = 0

    /// Connects, and sets the session up: tables are found in `schema`, no lock, statement or open transaction outlasts
    /// its time, and a commit is flushed before it is answered.
    init(_ address: PostgresAddress, schema: String) throws(PostgresFailure) {
        // What stands in the address overrides what stands before it.
        let options = [
            ("application_name", "handfast"), ("connect_timeout", "\(Self.connectSeconds)"), ("keepalives_idle", "10"),
            ("keepalives_interval", "5"), ("keepalives_count", "3"), ("tcp_user_timeout", "20000"),
            ("dbname", address.text), ("client_encoding", "UTF8"),
        ]
        let keys = unsafe options.map { unsafe UnsafePointer(strdup($0.0)) } + [nil]
        let values = unsafe options.map { unsafe UnsafePointer(strdup($0.1)) } + [nil]
        defer { unsafe (keys + values).forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) } }
        guard let handle = unsafe PQconnectdbParams(keys, values, 1) else { throw .lost("out of memory") }
        unsafe self.handle = unsafe handle
        guard unsafe PQstatus(handle) == CONNECTION_OK else { throw .lost(unsafe Self.message(handle)) }
        unsafe PQsetNoticeProcessor(handle, { _, _ in }, nil)
        guard unsafe PQsetnonblocking(handle, 1) == 0, unsafe PQenterPipelineMode(handle) == 1 else {
            throw .lost("libpq refuses pipeline mode")
        }
        try exchange(
            [
                "SET search_path = \"\(schema)\"", "SET client_min_messages = error", "SET statement_timeout = '30s'",
                "SET lock_timeout = '10s'", "SET idle_in_transaction_session_timeout = '10s'",
            ].map { PostgresStatement(once: $0) })
    }

    deinit {
        unsafe PQfinish(handle)
    }

    /// Whether nothing can come over it any more.
    var isLost: Bool { unsafe PQstatus(handle) != CONNECTION_OK }

    /// Sends statements and waits for what they give.
    ///
    /// - Throws: the first failure; what was sent after it was not done.
    @discardableResult
    func exchange(_ statements: [PostgresStatement]) throws(PostgresFailure) -> [PostgresRows] {
        var isPrepared: [Bool] = []
        isPrepared.reserveCapacity(statements.count)
        for statement in statements { isPrepared.append(try send(statement)) }
        guard unsafe PQpipelineSync(handle) == 1 else { throw lost() }
        try flush()
        var rows: [PostgresRows] = []
        var failure: PostgresFailure?
        for (statement, isNew) in zip(statements, isPrepared) {
            if isNew, try receive(&failure) == nil { names[statement.sql] = nil }
            if let result = try receive(&failure) { rows.append(result) }
        }
        guard let end = unsafe try next() else { throw lost() }
        defer { unsafe PQclear(end) }
        guard unsafe PQresultStatus(end) == PGRES_PIPELINE_SYNC else { throw lost() }
        if let failure { throw failure }
        return rows
    }

    // MARK: Sending

    /// Queues one statement; true when it was prepared on the way.
    private func send(_ statement: PostgresStatement) throws(PostgresFailure) -> Bool {
        var buffer: [UInt8] = []
        var places: [(offset: Int, count: Int)?] = []
        for value in statement.values {
            let offset = buffer.count
            value.append(to: &buffer)
            if case .null = value { places.append(nil) } else { places.append((offset, buffer.count - offset)) }
        }
        // An empty value needs an address as well.
        buffer.append(0)
        let count = Int32(statement.values.count)
        let lengths = places.map { Int32($0?.count ?? 0) }
        let formats = [Int32](repeating: 1, count: places.count)
        let name = statement.isKept ? names[statement.sql] : nil
        var isNew = false
        if statement.isKept, name == nil {
            namesEver += 1
            let new = "s\(namesEver)"
            guard unsafe PQsendPrepare(handle, new, statement.sql, 0, nil) == 1 else { throw lost() }
            names[statement.sql] = new
            isNew = true
        }
        let isSent = unsafe buffer.withUnsafeBufferPointer { bytes in
            let pointers = unsafe places.map { place in
                unsafe place.flatMap { place in
                    unsafe bytes.baseAddress.map {
                        unsafe UnsafeRawPointer($0 + place.offset).assumingMemoryBound(to: CChar.self)
                    }
                }
            }
            if let name = names[statement.sql] {
                return unsafe PQsendQueryPrepared(handle, name, count, pointers, lengths, formats, 1)
            }
            return unsafe PQsendQueryParams(handle, statement.sql, count, nil, pointers, lengths, formats, 1)
        }
        guard isSent == 1 else { throw lost() }
        return isNew
    }

    /// Writes everything out. What the server says meanwhile is read, or both might wait for each other.
    private func flush() throws(PostgresFailure) {
        while true {
            switch unsafe PQflush(handle) {
            case 0: return
            case 1: try wait(for: Int16(POLLIN | POLLOUT))
            default: throw lost()
            }
        }
    }

    private func wait(for events: Int16) throws(PostgresFailure) {
        var descriptor = pollfd(fd: unsafe PQsocket(handle), events: events, revents: 0)
        let ready = unsafe poll(&descriptor, 1, Self.answerMilliseconds)
        if ready < 0, errno == EINTR { return }
        guard ready != 0 else { throw .lost("no answer within \(Self.answerMilliseconds / 1_000) s") }
        if descriptor.revents & ~Int16(POLLOUT) != 0 {
            guard unsafe PQconsumeInput(handle) == 1 else { throw lost() }
        }
    }

    // MARK: Receiving

    /// The next result; nil where one statement's results end.
    private func next() throws(PostgresFailure) -> OpaquePointer? {
        while unsafe PQisBusy(handle) == 1 { try wait(for: Int16(POLLIN)) }
        return unsafe PQgetResult(handle)
    }

    /// What one statement gave; nil when it failed or was not done, with the first failure noted.
    private func receive(_ failure: inout PostgresFailure?) throws(PostgresFailure) -> PostgresRows? {
        var rows: PostgresRows?
        while let result = unsafe try next() {
            switch unsafe PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK: rows = unsafe PostgresRows(owning: result)
            case PGRES_PIPELINE_ABORTED: unsafe PQclear(result)
            default:
                let state = unsafe Self.field("C", result)
                let message = unsafe Self.field("M", result)
                unsafe PQclear(result)
                guard !isLost, let state else { throw lost() }
                failure = failure ?? .refused(state: state, message: message ?? "no reason given")
            }
        }
        return rows
    }

    /// A part of an error; never its details, which quote stored values.
    private static func field(_ code: Unicode.Scalar, _ result: OpaquePointer) -> String? {
        unsafe PQresultErrorField(result, Int32(code.value)).map { unsafe String(cString: $0) }
    }

    private func lost() -> PostgresFailure { .lost(unsafe Self.message(handle)) }

    private static func message(_ handle: OpaquePointer) -> String {
        let text = unsafe String(cString: PQerrorMessage(handle))
        let lines = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        return lines.isEmpty ? "the connection ended" : lines
    }
}
