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
            try database.run(
                """
                INSERT INTO run (service, position, queue, time, expires, count, ends, bytes)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    run.service, try last.stored, run.queue, try run.time.seconds.stored,
                    try run.expires?.seconds.stored, row.count, row.ends.blob, row.bytes.blob,
                ])
        }
    }

    func deleteMessages(ofService row: Int64, through position: UInt64) throws -> [RelayLoss] {
        var losses = RunLosses()
        let gone = try database.rows(
            "SELECT queue, count, length(bytes) FROM run WHERE service = ? AND position <= ?",
            [row, try position.stored])
        while let run = try gone.next() {
            losses.add(
                queue: try run.number(0, of: "run"), messages: Int(try run.number(1, of: "run")),
                bytes: Int(try run.number(2, of: "run")))
        }
        try database.run("DELETE FROM run WHERE service = ? AND position <= ?", [row, try position.stored])
        // The next row may begin with messages that are acknowledged, too.
        let next = try database.row(
            "SELECT row, position, count FROM run WHERE service = ? AND position > ? ORDER BY position LIMIT 1",
            [row, try position.stored])
        guard let next else { return losses.all }
        let (last, count) = (try next.count(1, of: "run"), try next.count(2, of: "run"))
        guard count <= last else { throw StoreError.corrupted("table run, row \(try next.number(0, of: "run"))") }
        if last - count < position {
            losses.add(try cut(try next.number(0, of: "run"), messages: Int(count - (last - position))))
        }
        return losses.all
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
        let found = try database.row("SELECT queue, count, length(bytes) FROM run WHERE row = ?", [row])
        guard let found else { throw StoreError.corrupted("table run, row \(row)") }
        let (queue, count) = (try found.number(0, of: "run"), Int(try found.number(1, of: "run")))
        let byteCount = Int(try found.number(2, of: "run"))
        guard messages < count else {
            try database.run("DELETE FROM run WHERE row = ?", [row])
            return RelayLoss(queue: queue, messages: count, bytes: byteCount)
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
        return RelayLoss(queue: queue, messages: messages, bytes: byteCount - rest.bytes.count)
    }
}
