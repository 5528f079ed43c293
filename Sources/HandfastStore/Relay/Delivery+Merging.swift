extension [Delivery] {
    /// Messages and notices in order of position, as many as were asked for.
    ///
    /// - Parameter isCut: whether there may be more messages than these for another reason than the limit; notices
    ///   behind the last message then wait, so that no message is passed over.
    package func merging(_ notices: [Delivery], limit: Int, isCut: Bool) -> [Delivery] {
        guard !notices.isEmpty else { return self }
        let end = isCut || count >= limit ? last?.position ?? .max : .max
        let merged = (self + notices.filter { $0.position <= end }).sorted { $0.position < $1.position }
        return Array(merged.prefix(limit))
    }
}
