internal import HandfastStore
internal import Synchronization

/// How a process has a vault: alone, for a term that another may end by taking it, beside others, or only to read.
///
/// A term's number only grows, and every commit compares it under the lock of the row that holds it: whoever was paused
/// while its term was ended commits nothing more, whatever it believes.
final class VaultTenure: Sendable {
    /// For how long a holder has the vault after it last said so, in milliseconds of the server's clock.
    static let milliseconds: Int64 = 8_000
    /// How often it says so.
    static let renewal = Duration.seconds(2)

    /// The server's clock in milliseconds.
    static let now = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"

    let address: PostgresAddress
    /// The term's number.
    let term: Int64
    /// Whether this holder began it, for itself alone.
    let isSole: Bool
    private let hasEnded = Mutex(false)
    /// Requests that were begun in this term, each with the time after which nobody begins it.
    private let begun = Mutex<[Int64: Int64]>([:])

    private init(_ address: PostgresAddress, term: Int64, isSole: Bool) {
        self.address = address
        self.term = term
        self.isSole = isSole
    }

    /// Shares the vault with others that do so as well, until one takes it for itself.
    ///
    /// - Throws: ``StoreError/locked(path:process:)`` when one has done so
    static func share(_ transaction: PostgresTransaction, at address: PostgresAddress) throws -> VaultTenure {
        let row = try transaction.rows(
            "SELECT term, until, \(now) FROM feed WHERE bucket = 0 AND row = 1 FOR UPDATE"
        ).first
        guard let row else { throw StoreError.corrupted("table feed is empty") }
        guard try row.number(1, of: "feed") < row.number(2, of: "feed") else {
            throw StoreError.locked(path: "\(address)", process: nil)
        }
        return VaultTenure(address, term: try row.number(0, of: "feed"), isSole: false)
    }

    /// Reads what whoever has the vault commits, and commits nothing.
    static func standBy(at address: PostgresAddress) -> VaultTenure {
        // No term has this number.
        VaultTenure(address, term: -1, isSole: false)
    }

    /// Who has the vault for a term that lasts; nil when nobody does.
    static func holder(_ transaction: PostgresTransaction) throws -> String? {
        try transaction.rows("SELECT holder FROM feed WHERE bucket = 0 AND row = 1 AND until >= \(now)").first?.text(0)
    }

    /// Begins a term, or finds that somebody else has one.
    ///
    /// - Parameters:
    ///   - holder: who begins it. A term of the same holder is over, as it knows by other means.
    ///   - seen: until when the term that stands in the way was to last when it was last looked at.
    /// - Returns: nil while a term stands in the way that was not renewed since it was `seen`.
    /// - Throws: ``StoreError/locked(path:process:)`` when it was
    static func begin(
        _ transaction: PostgresTransaction, at address: PostgresAddress, as holder: String, seen: inout Int64?
    ) throws -> VaultTenure? {
        let row = try transaction.rows(
            "SELECT term, holder, until, \(now) FROM feed WHERE bucket = 0 AND row = 1 FOR UPDATE"
        ).first
        guard let row else { throw StoreError.corrupted("table feed is empty") }
        let (term, until) = (try row.number(0, of: "feed") + 1, try row.number(2, of: "feed"))
        let present = try row.number(3, of: "feed")
        guard row.text(1) == holder || until < present else {
            guard seen == nil || seen == until else { throw StoreError.locked(path: "\(address)", process: nil) }
            seen = until
            return nil
        }
        try transaction.run(
            "UPDATE feed SET term = $1, holder = $2, until = \(now) + \(milliseconds) WHERE bucket = 0 AND row = 1",
            [.number(term), .text(holder)])
        return VaultTenure(address, term: term, isSole: true)
    }

    /// Refuses a commit that is not this term's any more.
    ///
    /// - Throws: ``StoreError/locked(path:process:)``
    func check(term stored: Int64) throws(StoreError) {
        guard term != stored else { return }
        hasEnded.withLock { $0 = true }
        throw .locked(path: "\(address)", process: nil)
    }

    /// Whether another holder was seen.
    var isOver: Bool { hasEnded.withLock { $0 } }

    /// Notes that a request is begun; false when it was before in this term.
    func begins(_ request: Int64, until: Int64) -> Bool {
        begun.withLock { begun in
            // An hour is longer than any request waits: what is older cannot be begun again.
            if begun.count >= 1_000 { begun = begun.filter { $0.value > until - 3_600_000 } }
            return begun.updateValue(until, forKey: request) == nil
        }
    }

    /// Says that the holder is there.
    func renew(_ transaction: PostgresTransaction) throws {
        guard isSole else { return }
        let rows = try transaction.rows(changing: [
            PostgresStatement(
                "UPDATE feed SET until = \(Self.now) + \(Self.milliseconds) WHERE bucket = 0 AND row = 1 AND term = $1",
                [.number(term)])
        ])
        if rows.first?.changed == 0 { try check(term: term + 1) }
    }

    /// Lets others have the vault.
    func end(_ transaction: PostgresTransaction) throws {
        guard isSole else { return }
        try transaction.run(
            "UPDATE feed SET until = 0, holder = '' WHERE bucket = 0 AND row = 1 AND term = $1", [.number(term)])
    }
}
