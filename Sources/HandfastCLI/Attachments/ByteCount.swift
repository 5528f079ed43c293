/// Sizes for people.
enum ByteCount {
    private static let units = ["KiB", "MiB", "GiB", "TiB"]

    /// A size in the largest unit of which there is at least one, with one digit behind the point.
    static func text(_ bytes: UInt64) -> String {
        guard bytes >= 1_024 else { return bytes == 1 ? "1 byte" : "\(bytes) bytes" }
        var (whole, unit) = (bytes, -1)
        var rest: UInt64 = 0
        while whole >= 1_024, unit < units.count - 1 {
            rest = whole % 1_024
            whole /= 1_024
            unit += 1
        }
        return "\(whole).\(rest * 10 / 1_024) \(units[unit])"
    }
}
