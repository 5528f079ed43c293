internal import Dispatch
internal import HandfastCrypto
internal import HandfastStore
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// One connection with a thread of its own, connected anew when it is lost.
///
/// Each session has a row in table `writer` in which every one of its transactions leaves a token. After a connection
/// was lost in the middle of a commit the row tells whether the commit happened, so that it is neither repeated nor
/// forgotten.
final class PostgresSession: Sendable {
    /// For how long a transaction is tried again before its caller hears of the failure.
    private static let patience = Duration.seconds(20)
    /// The longest wait between two attempts.
    private static let longestPause = 0.5

    private struct Line {
        var connection: PostgresConnection?
        /// Whether this session has its row.
        var hasWriter = false
    }

    private let address: PostgresAddress
    private let schema: String
    /// The row's key.
    private let writer: Int64
    private let queue = DispatchQueue(label: "handfast.postgres")
    private let line = Mutex(Line())

    init(_ address: PostgresAddress, schema: String) {
        self.address = address
        self.schema = schema
        var random = SecureRandom()
        writer = Int64(bitPattern: random.next() >> 1)
    }

    /// Does something on the session's own thread.
    func perform<Value: Sendable>(
        _ body: @escaping @Sendable (PostgresSession) -> Result<Value, StoreError>
    ) async -> Result<Value, StoreError> {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: body(self)) }
        }
    }

    /// One transaction, run again while its failure may pass; blocks the thread.
    ///
    /// - Parameter repeats: further SQLSTATEs at which it is run again.
    func commit<Value: Sendable>(
        _ what: String, repeating repeats: Set<String>, _ body: @Sendable (PostgresTransaction) throws -> Value
    ) -> Result<Value, StoreError> {
        attempt(what, repeating: repeats) { line in
            let connection = try open(&line)
            try enrol(on: connection, &line)
            let transaction = PostgresTransaction(on: connection, beginning: "BEGIN ISOLATION LEVEL READ COMMITTED")
            let value = try body(transaction)
            guard transaction.hasWritten else {
                try transaction.flush()
                try end(connection)
                return value
            }
            var random = SecureRandom()
            let token = Int64(bitPattern: random.next() >> 1)
            try transaction.run(
                "UPDATE writer SET token = $2, bytes = bytes + $3 WHERE bucket = 0 AND id = $1",
                [.number(writer), .number(token), .number(transaction.growth)])
            // Everything has been done before the end is asked for: from here on the row is locked until it is decided.
            try transaction.flush()
            do throws(PostgresFailure) {
                try end(connection)
            } catch .lost(let reason) {
                line.connection = nil
                guard try hasCommitted(token, &line) else { throw PostgresFailure.lost(reason) }
            }
            return value
        }
    }

    /// Reads one state of the database; blocks the thread.
    func read<Value: Sendable>(
        _ what: String, _ body: @Sendable (PostgresTransaction) throws -> Value
    ) -> Result<Value, StoreError> {
        attempt(what, repeating: []) { line in
            let connection = try open(&line)
            let transaction = PostgresTransaction(
                on: connection, beginning: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            let value = try body(transaction)
            try transaction.flush()
            try end(connection)
            return value
        }
    }

    /// Runs statements by themselves; for opening only.
    func exchange<Value: Sendable>(
        _ statements: [String], _ value: @Sendable ([PostgresRows]) throws -> Value
    ) throws -> Value {
        let result = line.withLock { line in
            Result { try value(open(&line).exchange(statements.map { PostgresStatement(once: $0) })) }
        }
        return try result.get()
    }

    /// Gives the session's row back and disconnects.
    func close() async {
        _ = await perform { session in
            session.line.withLock { line in
                if line.hasWriter, let connection = line.connection {
                    let id = PostgresValue.number(session.writer)
                    // The row of all that are gone has the number 0.
                    _ = try? connection.exchange([
                        PostgresStatement(once: "BEGIN"),
                        PostgresStatement(
                            once: """
                                INSERT INTO writer (bucket, id, token, bytes)
                                SELECT 0, 0, 0, bytes FROM writer WHERE bucket = 0 AND id = $1
                                ON CONFLICT (bucket, id) DO UPDATE SET bytes = writer.bytes + excluded.bytes
                                """, [id]),
                        PostgresStatement(once: "DELETE FROM writer WHERE bucket = 0 AND id = $1", [id]),
                        PostgresStatement(once: "COMMIT"),
                    ])
                }
                line = Line()
            }
            return Result<Void, StoreError>.success(())
        }
    }

    // MARK: Attempts

    private func attempt<Value: Sendable>(
        _ what: String, repeating repeats: Set<String>, _ body: @Sendable (inout Line) throws -> Value
    ) -> Result<Value, StoreError> {
        let end = ContinuousClock.now + Self.patience
        var pause = 0.002
        while true {
            let failure: PostgresFailure
            let result: Result<Value, any Error> = line.withLock { line in
                let result = Result { try body(&line) }
                if case .failure = result { Self.abandon(&line) }
                return result
            }
            switch result {
            case .success(let value): return .success(value)
            case .failure(let error as PostgresFailure): failure = error
            case .failure(let error as StoreError): return .failure(error)
            case .failure(let error): return .failure(.inputOutput("\(what): \(error)"))
            }
            let isPassing = failure.isPassing || failure.state.map { repeats.contains($0) } ?? false
            guard isPassing, ContinuousClock.now < end else { return .failure(failure.storeError(in: what)) }
            usleep(UInt32(pause * 1_000_000 * Double.random(in: 0.5...1)))
            pause = min(pause * 2, Self.longestPause)
        }
    }

    /// Undoes a transaction that failed, or lets its connection go.
    private static func abandon(_ line: inout Line) {
        guard let connection = line.connection else { return }
        if connection.isLost || (try? connection.exchange([PostgresStatement("ROLLBACK")])) == nil {
            line.connection = nil
        }
    }

    private func open(_ line: inout Line) throws(PostgresFailure) -> PostgresConnection {
        if let connection = line.connection, !connection.isLost { return connection }
        let connection = try PostgresConnection(address, schema: schema)
        line.connection = connection
        return connection
    }

    private func enrol(on connection: PostgresConnection, _ line: inout Line) throws(PostgresFailure) {
        guard !line.hasWriter else { return }
        try connection.exchange([
            PostgresStatement(
                once: "INSERT INTO writer (bucket, id, token, bytes) VALUES (0, $1, 0, 0) ON CONFLICT DO NOTHING",
                [.number(writer)])
        ])
        line.hasWriter = true
    }

    private func end(_ connection: PostgresConnection) throws(PostgresFailure) {
        let rows = try connection.exchange([PostgresStatement("COMMIT")])
        // The answer to the end of a transaction that had failed before, which cannot be.
        guard rows.first?.command == "COMMIT" else { throw .refused(state: "25P02", message: "nothing was committed") }
    }

    /// Whether a transaction whose end was never heard of has happened: waits until its connection's process is done.
    private func hasCommitted(_ token: Int64, _ line: inout Line) throws -> Bool {
        let end = ContinuousClock.now + Self.patience
        while true {
            do throws(PostgresFailure) {
                let connection = try open(&line)
                let rows = try connection.exchange([
                    PostgresStatement(
                        once: "SELECT token FROM writer WHERE bucket = 0 AND id = $1 FOR UPDATE", [.number(writer)])
                ])
                guard let row = rows.first?.first, let stored = try? row.number(0, of: "writer") else {
                    throw PostgresFailure.refused(state: "02000", message: "the session's row is missing")
                }
                return stored == token
            } catch {
                guard error.isPassing, ContinuousClock.now < end else {
                    throw StoreError.inputOutput(
                        "the connection to PostgreSQL ended in a commit, whose outcome is unknown")
                }
                Self.abandon(&line)
                usleep(100_000)
            }
        }
    }
}
