import Foundation

/// The rows as people read them: medians, spread and ratios.
enum Table {
    static let head = line("row", "median", "min", "max", "beside", "ratio")

    static func line(_ row: Row) -> String {
        line(
            row.name, number(row.median) + unit(row), number(row.min), number(row.max), number(row.besideMedian),
            String(format: "%.2f × %@", row.ratio, row.beside))
    }

    private static func line(
        _ name: String, _ median: String, _ min: String, _ max: String, _ beside: String, _ ratio: String
    ) -> String {
        pad(name, 40) + [median, min, max, beside].map { pad($0, 12) }.joined() + ratio
    }

    private static func unit(_ row: Row) -> String {
        switch row.unit {
        case "bytes": return " B"
        case "allocations": return ""
        default: return " " + row.unit
        }
    }

    private static func number(_ value: Double) -> String {
        value < 10 && value != value.rounded() ? String(format: "%.2f", value) : String(Int(value.rounded()))
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
