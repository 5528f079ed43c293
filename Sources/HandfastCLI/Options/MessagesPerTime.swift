internal import ArgumentParser

/// A rate of messages as a person writes it.
struct MessagesPerTime: ExpressibleByArgument {
    /// Messages an hour, at least 1.
    let perHour: Int

    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, let count = Int(first), (1...3_600_000).contains(count), parts.count <= 2 else {
            return nil
        }
        let hour: Int? =
            switch parts.dropFirst().first {
            case nil, "hour", "h": count
            case "minute", "min": count * 60
            case "second", "s": count * 3_600
            case "day", "d": (count + 23) / 24
            default: nil
            }
        guard let hour else { return nil }
        perHour = hour
    }
}
