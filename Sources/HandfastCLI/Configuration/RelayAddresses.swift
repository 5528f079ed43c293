internal import HandfastChannel
internal import HandfastNode

/// Several relays in one setting, parted by commas.
enum RelayAddresses {
    /// Reads one to three addresses.
    ///
    /// - Throws: `ChannelError` for what is none; ``Failure`` for too many.
    static func read(_ text: String) throws -> [RelayAddress] {
        let parts = text.split(separator: ",").map { $0.drop { $0 == " " } }
        guard (1..<Address.maximumCount).contains(parts.count) else {
            throw Failure(
                .badData, "relay.alternatives names \(parts.count) relays",
                hint: "give at most \(Address.maximumCount - 1)")
        }
        return try parts.map { part in
            let end = part.lastIndex { $0 != " " }.map { part.index(after: $0) } ?? part.endIndex
            return try RelayAddress(text: String(part[..<end]))
        }
    }
}
