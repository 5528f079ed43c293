public import HandfastChannel

extension SQLiteVaultStore {
    /// Applies a batch of changes in one transaction with one flush.
    public func commit(_ changes: [VaultChange]) async throws(StoreError) -> [ChangeOutcome] {
        guard !changes.isEmpty else { return [] }
        return try await file.commit("commit") { [seal] database in
            var transaction = VaultTransaction(try SQLiteVaultTables(database), seal)
            let outcomes = try changes.map { change in try transaction.apply(change) }
            try transaction.finish()
            return outcomes
        }
    }

    /// Erases what has reached its time.
    public func purge(expiredAt now: Timestamp, limit: Int) async throws(StoreError) -> Int {
        try await file.commit("purge") { database in
            try SealedTable.expiring.reduce(0) { count, table in
                try count + table.purge(expiredAt: now, limit: limit, in: database)
            }
        }
    }
}
