internal import HandfastStore
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The tables of one store in one database, with a few connections that take turns.
///
/// - Source: Spec/08 §8.5
final class PostgresDatabase: Sendable {
    /// What a store needs, and by which version.
    struct Layout: Sendable {
        /// What tells one kind of store from another.
        let kind: String
        /// What makes the tables of version 1, then of each version those of the next. One that was released never
        /// changes.
        let steps: [[String]]

        var version: Int64 { Int64(steps.count) }
    }

    private struct Sessions {
        var idle: [PostgresSession]
        var waiting: [CheckedContinuation<PostgresSession, Never>] = []
        var isClosed = false
    }

    private let all: [PostgresSession]
    private let sessions: Mutex<Sessions>
    /// SQLSTATEs at which a transaction of this store is run again.
    private let repeats: Set<String>

    /// Connects on the calling thread, makes the tables where they are missing, and brings those of an earlier version
    /// to this one.
    ///
    /// - Parameters:
    ///   - schema: the tables' schema; made where it is missing.
    ///   - connections: connections at most, 1…64.
    /// - Throws: ``StoreError/notAVault(path:)``, ``StoreError/newerVersion(path:)``,
    ///   ``StoreError/unsafeDurability(_:)``, ``StoreError/corrupted(_:)``, ``StoreError/inputOutput(_:)``
    init(
        _ address: PostgresAddress, schema: String, layout: Layout, connections: Int, repeating repeats: Set<String>
    ) throws(StoreError) {
        guard (1...63).contains(schema.utf8.count),
            schema.utf8.allSatisfy({ ($0 >= 97 && $0 <= 122) || ($0 >= 48 && $0 <= 57) || $0 == 95 })
        else { throw .notAVault(path: "the schema \(schema)") }
        self.repeats = repeats
        all = (0..<min(max(connections, 1), 64)).map { _ in PostgresSession(address, schema: schema) }
        sessions = Mutex(Sessions(idle: all.reversed()))
        do {
            try Self.demandDurability(of: all[0])
            try Self.make(layout, in: schema, of: address, by: all[0])
        } catch let error as StoreError {
            throw error
        } catch let error as PostgresFailure {
            throw error.storeError(in: "\(address)")
        } catch {
            throw .inputOutput("\(address): \(error)")
        }
    }

    /// One transaction, durable when it returns, and run again where its failure may pass.
    ///
    /// - Parameter body: may run several times; whatever it throws undoes it.
    func commit<Value: Sendable>(
        _ what: String, _ body: @escaping @Sendable (PostgresTransaction) throws -> Value
    ) async throws(StoreError) -> Value {
        try await perform { [repeats] session in session.commit(what, repeating: repeats, body) }
    }

    /// Reads one state of the database, and keeps nothing of it open.
    func read<Value: Sendable>(
        _ what: String, _ body: @escaping @Sendable (PostgresTransaction) throws -> Value
    ) async throws(StoreError) -> Value {
        try await perform { session in session.read(what, body) }
    }

    /// As ``commit(_:_:)``, on the calling thread; for opening only.
    func commitNow<Value: Sendable>(
        _ what: String, _ body: @Sendable (PostgresTransaction) throws -> Value
    ) throws(StoreError) -> Value {
        try all[0].commit(what, repeating: repeats, body).get()
    }

    /// Waits for what is under way, disconnects, and refuses everything from then on.
    func close() async {
        let isFirst = sessions.withLock { sessions in
            defer { sessions.isClosed = true }
            return !sessions.isClosed
        }
        guard isFirst else { return }
        for session in all { await session.close() }
    }

    // MARK: Taking turns

    private func perform<Value: Sendable>(
        _ body: @escaping @Sendable (PostgresSession) -> Result<Value, StoreError>
    ) async throws(StoreError) -> Value {
        guard !sessions.withLock({ $0.isClosed }) else { throw .closed }
        let session = await take()
        let result: Result<Value, StoreError> =
            sessions.withLock({ $0.isClosed }) ? .failure(.closed) : await session.perform(body)
        give(session)
        return try result.get()
    }

    private func take() async -> PostgresSession {
        await withCheckedContinuation { continuation in
            let session = sessions.withLock { sessions in
                guard let session = sessions.idle.popLast() else {
                    sessions.waiting.append(continuation)
                    return PostgresSession?.none
                }
                return session
            }
            if let session { continuation.resume(returning: session) }
        }
    }

    private func give(_ session: PostgresSession) {
        let next = sessions.withLock { sessions in
            guard !sessions.waiting.isEmpty else {
                sessions.idle.append(session)
                return CheckedContinuation<PostgresSession, Never>?.none
            }
            return sessions.waiting.removeFirst()
        }
        next?.resume(returning: session)
    }

    // MARK: Opening

    /// A server that may answer before it has flushed is refused.
    private static func demandDurability(of session: PostgresSession) throws {
        let sql = """
            SELECT name, setting FROM pg_catalog.pg_settings
            WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'
            """
        let off = try session.exchange([sql]) { answers in answers.flatMap { rows in rows.map { $0.text(0) } } }
        guard off.isEmpty else {
            throw StoreError.unsafeDurability("PostgreSQL has switched off: \(off.sorted().joined(separator: ", "))")
        }
    }

    private static func make(
        _ layout: Layout, in schema: String, of address: PostgresAddress, by session: PostgresSession
    ) throws {
        var failure: PostgresFailure?
        // Another process may be making the same tables: then one of the two finds them made.
        for _ in 0..<8 {
            if try isMade(layout, in: schema, of: address, by: session) { return }
            do {
                try session.exchange(
                    ["BEGIN", "CREATE SCHEMA IF NOT EXISTS \"\(schema)\""] + layout.steps.joined() + [
                        """
                        CREATE TABLE writer (
                            bucket smallint NOT NULL, id bigint NOT NULL, token bigint NOT NULL, bytes bigint NOT NULL,
                            PRIMARY KEY (bucket, id)) WITH (fillfactor = 50)
                        """,
                        """
                        CREATE TABLE layout (
                            bucket smallint NOT NULL, kind text NOT NULL, version bigint NOT NULL,
                            PRIMARY KEY (bucket, kind))
                        """,
                        "INSERT INTO layout (bucket, kind, version) VALUES (0, '\(layout.kind)', \(layout.version))",
                        "COMMIT",
                    ]
                ) { _ in }
            } catch let error as PostgresFailure {
                failure = error
                try? session.exchange(["ROLLBACK"]) { _ in }
                usleep(50_000)
            }
        }
        if let failure { throw failure }
    }

    /// Whether the tables are there; those of an earlier version take the steps that they lack first.
    private static func isMade(
        _ layout: Layout, in schema: String, of address: PostgresAddress, by session: PostgresSession
    ) throws -> Bool {
        while let (kind, version) = try stored(by: session) {
            guard kind == layout.kind else { throw StoreError.notAVault(path: "\(address), schema \(schema),") }
            guard version >= 1 else { throw StoreError.corrupted("table layout") }
            guard version <= layout.version else { throw StoreError.newerVersion(path: "\(address)") }
            guard version < layout.version else { return true }
            try session.commit("layout \(version + 1)", repeating: []) { transaction in
                // Of processes that open at once one gets the row; the others wait for it and find the step taken.
                let taken = try transaction.rows(changing: [
                    // Changing many rows takes its time.
                    PostgresStatement(once: "SET LOCAL statement_timeout = 0"),
                    PostgresStatement(once: "SET LOCAL lock_timeout = 0"),
                    PostgresStatement(
                        once: """
                            UPDATE layout SET version = version + 1
                            WHERE bucket = 0 AND kind = $1 AND version = $2 RETURNING version
                            """, [.text(kind), .number(version)]),
                ])
                guard taken.last?.first != nil else { return }
                let step = layout.steps[Int(version)].map { sql in PostgresStatement(once: sql) }
                _ = try transaction.rows(changing: step)
            }.get()
        }
        return false
    }

    private static func stored(by session: PostgresSession) throws -> (String, Int64)? {
        do {
            return try session.exchange(["SELECT kind, version FROM layout"]) { answers in
                try answers.first?.first.map { row in (row.text(0), try row.number(1, of: "layout")) }
            }
        } catch PostgresFailure.refused("42P01", _) {
            return nil
        } catch PostgresFailure.refused("3F000", _) {
            return nil
        }
    }
}
