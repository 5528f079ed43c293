/// The bound on what one read returns.
package enum ReadLimit {
    /// Rows that a read of `limit` rows may return: 1…10,000.
    package static func rows(_ limit: Int) -> Int {
        min(max(limit, 1), 10_000)
    }
}
