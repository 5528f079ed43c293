/// One transaction on one connection. What need not be answered is sent with the next question, or with the end.
final class PostgresTransaction {
    /// How much may wait to be sent.
    private static let waitingStatements = 2_048

    private let connection: PostgresConnection
    private var waiting: [PostgresStatement]
    /// Whether anything was changed.
    private(set) var hasWritten = false
    /// By how much what the store keeps grows with this transaction, in bytes.
    var growth = 0

    init(on connection: PostgresConnection, beginning: String) {
        self.connection = connection
        waiting = [PostgresStatement(beginning)]
    }

    /// Changes something; nothing is heard of it but a failure, later.
    func run(_ sql: String, _ values: [PostgresValue]) throws(PostgresFailure) {
        hasWritten = true
        waiting.append(PostgresStatement(sql, values))
        if waiting.count >= Self.waitingStatements { try flush() }
    }

    /// Asks for rows, after everything that was run before.
    func rows(_ sql: String, _ values: [PostgresValue] = []) throws(PostgresFailure) -> PostgresRows {
        guard let rows = try rows(ofAll: [PostgresStatement(sql, values)]).first else {
            throw .lost("the server left an answer out")
        }
        return rows
    }

    /// Asks many questions in one round trip; one answer for each, in the same order.
    func rows(ofAll statements: [PostgresStatement]) throws(PostgresFailure) -> [PostgresRows] {
        guard !statements.isEmpty else { return [] }
        let all = waiting + statements
        let skipped = waiting.count
        waiting = []
        let rows = try connection.exchange(all)
        guard rows.count == all.count else { throw .lost("the server left an answer out") }
        return Array(rows[skipped...])
    }

    /// Asks for rows by a statement that changes something.
    func rows(changing statements: [PostgresStatement]) throws(PostgresFailure) -> [PostgresRows] {
        hasWritten = true
        return try rows(ofAll: statements)
    }

    /// Sends what waits, and hears of it.
    func flush() throws(PostgresFailure) {
        guard !waiting.isEmpty else { return }
        let all = waiting
        waiting = []
        try connection.exchange(all)
    }
}
