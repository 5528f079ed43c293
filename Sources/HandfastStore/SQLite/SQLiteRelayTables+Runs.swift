internal import GRDB
internal import HandfastChannel

/// Messages in rows of several.
///
/// A row that only a part is taken from is cut, so that counts and what is kept are exact whatever is acknowledged.
extension SQLiteRelayTables {
    func append(_ run: RelayRun) throws {
        var rest = run.contents[...]
        var last = run.first - 1
        while !rest.isEmpty {
            let row = StoredRun(taking: &rest)
            last += UInt64(row.count)
            var statement = try DirectStatement(
                """
                INSERT INTO run (service, position, queue, time, expires, count, ends, bytes)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """, of: "run", in: database)
            try statement.bind(run.service)
            try statement.bind(last)
            try statement.bind(run.queue)
            try statement.bind(run.time.seconds)
            try statement.bind(try run.expires?.seconds.stored)
            try statement.bind(row.count)
            try statement.bind(row.ends)
            try statement.bind(row.bytes)
            try statement.run()
        }
    }

    func deleteMessages(ofService row: Int64, through position: UInt64) throws -> [RelayLoss] {
        var losses = RunLosses()
        try addLosses(ofService: row, through: position, to: &losses)
        var deletion = try DirectStatement(
            "DELETE FROM run WHERE service = ? AND position <= ?", of: "run", in: database)
        try deletion.bind(row)
        try deletion.bind(position)
        try deletion.run()
        // The next row may begin with messages that are acknowledged, too.
        if let (next, count) = try beginning(of: row, beforeAndAfter: position) {
            losses.add(try cut(next, messages: count))
        }
        return losses.all
    }

    private func addLosses(ofService row: Int64, through position: UInt64, to losses: inout RunLosses) throws {
        var gone = try DirectStatement(
            "SELECT queue, count, length(bytes) FROM run WHERE service = ? AND position <= ?", of: "run", in: database)
        try gone.bind(row)
        try gone.bind(position)
        while try gone.step() {
            losses.add(RelayLoss(queue: try gone.number(0), messages: try gone.int(1), bytes: try gone.int(2)))
        }
    }

    /// The row that a position lies within, if its first messages are at or below it, and how many those are.
    private func beginning(
        of service: Int64, beforeAndAfter position: UInt64
    ) throws -> (row: Int64, messages: Int)? {
        var next = try DirectStatement(
            "SELECT row, position, count FROM run WHERE service = ? AND position > ? ORDER BY position LIMIT 1",
            of: "run", in: database)
        try next.bind(service)
        try next.bind(position)
        guard try next.step() else { return nil }
        let (row, last, count) = (try next.number(0), try next.count(1), try next.count(2))
        guard count <= last else { throw StoreError.corrupted("table run, row \(row)") }
        return last - count < position ? (row, Int(count - (last - position))) : nil
    }

    func deleteMessages(storedBefore moment: Timestamp, limit: Int) throws -> [RelayLoss] {
        // From the oldest row on, up to the first that is young enough: no index on the time is needed.
        try deleteMessages(
            of: "SELECT row, count, time FROM run ORDER BY row LIMIT ?", [limit], limit: limit
        ) { run in try run.count(2, of: "run") < moment.seconds }
    }

    func deleteMessages(expiredAt now: Timestamp, limit: Int) throws -> [RelayLoss] {
        try deleteMessages(
            of: "SELECT row, count FROM run WHERE expires <= ? ORDER BY expires LIMIT ?",
            [try min(now, RelayLimits.latestTime).seconds.stored, limit], limit: limit
        ) { _ in true }
    }

    /// Deletes the first rows of a query, as long as they are to go and until so many messages are.
    private func deleteMessages(
        of sql: String, _ arguments: [any DatabaseValueConvertible], limit: Int, while isToGo: (Row) throws -> Bool
    ) throws -> [RelayLoss] {
        var runs: [(row: Int64, messages: Int)] = []
        var left = limit
        let rows = try database.rows(sql, arguments)
        while left > 0, let run = try rows.next(), try isToGo(run) {
            let count = min(left, Int(try run.number(1, of: "run")))
            runs.append((try run.number(0, of: "run"), count))
            left -= count
        }
        var losses = RunLosses()
        for run in runs { losses.add(try cut(run.row, messages: run.messages)) }
        return losses.all
    }

    /// Takes the first messages out of a row, and the row with the last of them.
    private func cut(_ row: Int64, messages: Int) throws -> RelayLoss {
        let found = try database.row("SELECT queue, count, length(bytes), time FROM run WHERE row = ?", [row])
        guard let found else { throw StoreError.corrupted("table run, row \(row)") }
        let (queue, count) = (try found.number(0, of: "run"), Int(try found.number(1, of: "run")))
        let byteCount = Int(try found.number(2, of: "run"))
        let time = Timestamp(seconds: try found.count(3, of: "run"))
        guard messages < count else {
            try database.run("DELETE FROM run WHERE row = ?", [row])
            return RelayLoss(queue: queue, messages: count, bytes: byteCount, lastStored: time)
        }
        guard let whole = try database.row("SELECT ends, bytes FROM run WHERE row = ?", [row]) else {
            throw StoreError.corrupted("table run, row \(row)")
        }
        let contents = try StoredRun.contents(of: whole, count: count, row: row)
        // It was one row, so what is left of it is one.
        var left = contents.dropFirst(messages)
        let rest = StoredRun(taking: &left)
        try database.run(
            "UPDATE run SET count = ?, ends = ?, bytes = ? WHERE row = ?",
            [rest.count, rest.ends.blob, rest.bytes.blob, row])
        return RelayLoss(
            queue: queue, messages: messages, bytes: byteCount - rest.bytes.count, lastStored: time)
    }
}
