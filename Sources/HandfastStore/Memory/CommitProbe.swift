/// What a simulation does around each commit of a store in memory: the time that a disk takes, and its failures.
struct CommitProbe<Change: Sendable>: Sendable {
    /// Called before anything of the batch is on the pretended disk; what it throws is what the commit throws.
    let before: @Sendable ([Change]) async throws(StoreError) -> Void
    /// Called once the batch is on it and before that is said.
    let after: @Sendable () async -> Void

    /// A probe.
    init(
        before: @escaping @Sendable ([Change]) async throws(StoreError) -> Void,
        after: @escaping @Sendable () async -> Void
    ) {
        self.before = before
        self.after = after
    }
}
