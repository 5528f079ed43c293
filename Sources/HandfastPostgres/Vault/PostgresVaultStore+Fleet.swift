internal import HandfastCrypto
public import HandfastStore

/// What several processes over one vault need of each other: whoever has it alone carries out what the others pass on.
///
/// - Source: Spec/08 §8.5
extension PostgresVaultStore {
    /// What a process that stands by has passed on.
    public struct PassedRequest: Sendable {
        /// Names it until it is answered.
        public let id: Int64
        /// What is asked.
        public let content: [UInt8]
    }

    /// How a request that was passed on stands.
    public enum RequestFate: Hashable, Sendable {
        /// Nobody has begun it.
        case waiting
        /// The process that has the vault carries it out.
        case underWay
        /// It was carried out.
        case answered([UInt8])
        /// The process that had begun it has the vault no more: nobody will tell what came of it.
        case abandoned
    }

    /// Rows that nobody asks for any more are deleted so long after their time, in milliseconds.
    private static let graceMilliseconds: Int64 = 3_600_000

    // MARK: Having the vault

    /// Who has the vault alone now; nil when nobody does.
    public func holder() async throws(StoreError) -> String? {
        try await database.read("feed") { transaction in try VaultTenure.holder(transaction) }
    }

    /// The vault for this process alone; nil while another holder's term lasts.
    ///
    /// - Parameter holder: a term that the same holder left behind is over at once.
    /// - Returns: the store that commits; it takes this one's connections over.
    public func take(as holder: String) async throws(StoreError) -> PostgresVaultStore? {
        let present = try await self.holder()
        guard present == nil || present == holder else { return nil }
        let tenure = try await database.commit("feed") { [address = tenure.address] transaction in
            var seen: Int64?
            return try VaultTenure.begin(transaction, at: address, as: holder, seen: &seen)
        }
        return tenure.map { PostgresVaultStore(database, seal, $0) }
    }

    /// Returns once another holder has taken the vault, or the task is cancelled.
    public func waitUntilTaken() async {
        while !tenure.isOver, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(100)) }
    }

    // MARK: Passing on

    /// Passes a request on to whoever has the vault, now or next.
    ///
    /// - Parameter seconds: nobody begins it after so long.
    /// - Returns: its name.
    public func pass(_ content: [UInt8], seconds: UInt32) async throws(StoreError) -> Int64 {
        var random = SecureRandom()
        let id = Int64(bitPattern: random.next() >> 1)
        try await database.commit("request") { [seal] transaction in
            guard let now = try transaction.rows("SELECT \(VaultTenure.now)").first?.number(0, of: "request") else {
                throw StoreError.inputOutput("the server does not tell the time")
            }
            let until = now + Int64(seconds) * 1_000
            try transaction.run(
                "INSERT INTO request (bucket, row, begun, until, sealed) VALUES (0, $1, 0, $2, $3)",
                [.number(id), .number(until), .bytes(seal.seal(content, at: .request(id, until: until)))])
        }
        return id
    }

    /// How a request stands. One that is answered or abandoned is forgotten thereby.
    public func fate(of id: Int64) async throws(StoreError) -> RequestFate {
        let fate = try await database.read("request") { [seal] transaction in
            let row = try transaction.rows(
                """
                SELECT r.begun, r.reply, f.term, f.until >= \(VaultTenure.now)
                FROM feed f JOIN request r ON r.bucket = f.bucket WHERE f.bucket = 0 AND f.row = 1 AND r.row = $1
                """, [.number(id)]
            ).first
            guard let row else { return RequestFate.abandoned }
            if let reply = row.raw(1) {
                return .answered(try seal.open(reply, at: .reply(to: id)))
            }
            let begun = try row.number(0, of: "request")
            guard begun != 0 else { return .waiting }
            let stands = try begun == row.number(2, of: "feed") && row.number(3, of: "feed") != 0
            return stands ? .underWay : .abandoned
        }
        switch fate {
        case .waiting, .underWay: break
        case .answered, .abandoned:
            try await database.commit("request") { transaction in
                try transaction.run("DELETE FROM request WHERE bucket = 0 AND row = $1", [.number(id)])
            }
        }
        return fate
    }

    /// Takes a request back.
    ///
    /// - Returns: whether nobody had begun it, and now nobody will.
    public func withdraw(_ id: Int64) async throws(StoreError) -> Bool {
        try await database.commit("request") { transaction in
            try transaction.rows(changing: [
                PostgresStatement("DELETE FROM request WHERE bucket = 0 AND row = $1 AND begun = 0", [.number(id)])
            ]).contains { $0.changed > 0 }
        }
    }

    // MARK: Carrying out

    /// Begins requests that were passed on, each once: whoever loses the vault meanwhile leaves them abandoned.
    ///
    /// - Throws: ``StoreError/locked(path:process:)`` when another process has the vault
    public func beginRequests(limit: Int) async throws(StoreError) -> [PassedRequest] {
        let waiting = try await database.read("request") { transaction in
            try transaction.rows(
                "SELECT row FROM request WHERE bucket = 0 AND begun = 0 AND until >= \(VaultTenure.now) LIMIT $1",
                [.number(limit)]
            ).map { row in try row.number(0, of: "request") }
        }
        guard !waiting.isEmpty else { return [] }
        let begun = try await database.commit("request") { [seal, tenure] transaction in
            _ = try PostgresVaultTables(transaction, seal, held: tenure)
            let statements = [
                PostgresStatement(
                    """
                    DELETE FROM request WHERE bucket = 0 AND until < \(VaultTenure.now) - $1
                    """, [.number(Self.graceMilliseconds)]),
                PostgresStatement(
                    """
                    UPDATE request SET begun = $1
                    WHERE bucket = 0 AND begun = 0 AND until >= \(VaultTenure.now) AND row = ANY ($2)
                    RETURNING row, sealed, until
                    """, [.number(tenure.term), .numbers(waiting)]),
            ]
            return try transaction.rows(changing: statements)[1].map { row in
                let (id, until) = (try row.number(0, of: "request"), try row.number(2, of: "request"))
                // What does not open is nobody's request: it counts as begun, and is not in the way of others.
                let content = try? seal.open(row.bytes(1, of: "request"), at: .request(id, until: until))
                return (request: content.map { PassedRequest(id: id, content: $0) }, until: until)
            }
        }
        // Who can write to the database can put a row back, until the time that is sealed with it.
        return begun.compactMap { request, until in
            request.flatMap { tenure.begins($0.id, until: until) ? $0 : nil }
        }
    }

    /// Answers a request.
    public func answer(_ id: Int64, _ content: [UInt8]) async throws(StoreError) {
        try await database.commit("request") { [seal] transaction in
            try transaction.run(
                "UPDATE request SET reply = $2 WHERE bucket = 0 AND row = $1",
                [.number(id), .bytes(seal.seal(content, at: .reply(to: id)))])
        }
    }
}

extension RowPlace {
    fileprivate static func request(_ id: Int64, until: Int64) -> RowPlace {
        RowPlace("request", number: UInt64(bitPattern: id), UInt64(bitPattern: until), version: 1)
    }

    fileprivate static func reply(to id: Int64) -> RowPlace {
        RowPlace("request", number: UInt64(bitPattern: id), version: 2)
    }
}
