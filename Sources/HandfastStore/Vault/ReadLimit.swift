/// The bound on what one read returns.
enum ReadLimit {
    /// Rows that a read of `limit` rows may return: 1…10,000.
    static func rows(_ limit: Int) -> Int {
        min(max(limit, 1), 10_000)
    }
}
