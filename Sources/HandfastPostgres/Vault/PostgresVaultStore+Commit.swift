public import HandfastChannel
public import HandfastStore

extension PostgresVaultStore {
    /// Applies a batch of changes in one transaction with one flush.
    public func commit(_ changes: [VaultChange]) async throws(StoreError) -> [ChangeOutcome] {
        guard !changes.isEmpty else { return [] }
        return try await database.commit("commit") { [seal, tenure] transaction in
            var rules = VaultTransaction(
                try PostgresVaultTables(transaction, seal, held: tenure, for: changes), seal)
            let outcomes = try changes.map { change in try rules.apply(change) }
            try rules.finish()
            return outcomes
        }
    }

    /// Erases what has reached its time.
    public func purge(expiredAt now: Timestamp, limit: Int) async throws(StoreError) -> Int {
        try await database.commit("purge") { [seal, tenure] transaction in
            _ = try PostgresVaultTables(transaction, seal, held: tenure)
            let statements = try SealedTable.expiring.map { table throws in
                try table.purge(expiredAt: now, limit: limit)
            }
            return try transaction.rows(changing: statements).reduce(0) { $0 + $1.changed }
        }
    }
}
