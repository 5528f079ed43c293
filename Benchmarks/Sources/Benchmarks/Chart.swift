import Foundation

/// Seal and open of a stream, ours and each peer's, as bars on a logarithmic scale.
struct Chart {
    private static let width = 760.0
    private static let left = 190.0
    private static let right = 120.0
    private static let barHeight = 15.0
    private static let groupGap = 30.0
    private static let top = 74.0

    private struct Bar {
        let label: String
        let nanoseconds: Double
        /// Theirs ÷ ours; nil for our own bar.
        let ratio: Double?
    }

    private let groups: [(title: String, bars: [Bar])]
    private let machine: String

    init(_ rows: [Row], machine: String) {
        self.machine = machine
        groups = Suite.byteCounts.compactMap { byteCount in
            let rows = rows.filter { $0.name == "channel/stream/seal+open/\(byteCount)" }
            guard let first = rows.first else { return nil }
            let peers = rows.map { row in
                Bar(label: Self.label(row.beside), nanoseconds: row.besideMedian, ratio: 1 / row.ratio)
            }
            let ours = Bar(label: "Handfast", nanoseconds: first.median, ratio: nil)
            return (Self.title(byteCount), ([ours] + peers).sorted { $0.nanoseconds < $1.nanoseconds })
        }
    }

    var svg: String {
        var y = Self.top
        var body = ""
        for group in groups {
            body += text(8, y + 11, group.title, "group")
            for bar in group.bars {
                body += draw(bar, at: y)
                y += Self.barHeight + 3
            }
            y += Self.groupGap - 16
        }
        let height = Int(y + 40)
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(Self.width)) \(height)" role="img" \
            aria-labelledby="title desc" font-family="system-ui, sans-serif" font-size="12">
            <title id="title">Time to seal and open one message</title>
            <desc id="desc">\(Self.escape(summary))</desc>
            <style>
            .page { fill: #ffffff } .ink { fill: #1f2328 } .soft { fill: #59636e } .group { fill: #1f2328; \
            font-weight: 600 }
            .ours { fill: #0a7d5a } .theirs { fill: #9aa4af } .grid { stroke: #d8dee4 }
            @media (prefers-color-scheme: dark) {
            .page { fill: #0d1117 } .ink { fill: #f0f6fc } .soft { fill: #9198a1 } .group { fill: #f0f6fc }
            .ours { fill: #3fb98f } .theirs { fill: #59636e } .grid { stroke: #2a313a }
            }
            </style>
            <rect class="page" width="\(Int(Self.width))" height="\(height)"/>
            \(text(8, 22, "Time to seal and open one message of a stream, both ends", "group"))
            \(text(8, 40, "Median processor time, logarithmic; beside each bar: times Handfast's, from pairs in turns", "soft"))
            \(grid(to: y - 8))
            \(body)
            \(text(8, y + 14, "make bench on \(machine)", "soft"))
            </svg>

            """
    }

    private var summary: String {
        groups.map { group in
            group.title + ": " + group.bars.map { "\($0.label) \(Self.time($0.nanoseconds))" }.joined(separator: ", ")
        }.joined(separator: ". ")
    }

    private func draw(_ bar: Bar, at y: Double) -> String {
        let end = position(bar.nanoseconds)
        let isOurs = bar.ratio == nil
        let value = Self.time(bar.nanoseconds) + (bar.ratio.map { String(format: " · %@×", Self.short($0)) } ?? "")
        return """
            \(text(Self.left - 8, y + 11, bar.label, isOurs ? "group" : "ink", anchor: "end"))
            <rect class="\(isOurs ? "ours" : "theirs")" x="\(Self.number(Self.left))" y="\(Self.number(y))" \
            width="\(Self.number(end - Self.left))" height="\(Self.number(Self.barHeight))" rx="2"/>
            \(text(end + 6, y + 11, value, isOurs ? "group" : "ink"))

            """
    }

    private func grid(to bottom: Double) -> String {
        [100.0, 1_000, 10_000, 100_000, 1_000_000, 10_000_000].filter { $0 >= lowest && $0 <= highest }.map { value in
            let x = Self.number(position(value))
            return """
                <line class="grid" x1="\(x)" x2="\(x)" y1="62" y2="\(Self.number(bottom))"/>
                \(text(position(value), 58, Self.time(value), "soft", anchor: "middle"))
                """
        }.joined(separator: "\n")
    }

    private var lowest: Double { 100 }

    private var highest: Double { groups.flatMap(\.bars).map(\.nanoseconds).max() ?? 1_000 }

    private func position(_ nanoseconds: Double) -> Double {
        let share = log10(nanoseconds / lowest) / log10(highest / lowest)
        return Self.left + max(0.002, share) * (Self.width - Self.left - Self.right)
    }

    private func text(_ x: Double, _ y: Double, _ text: String, _ style: String, anchor: String = "start") -> String {
        """
        <text class="\(style)" x="\(Self.number(x))" y="\(Self.number(y))" text-anchor="\(anchor)">\
        \(Self.escape(text))</text>
        """
    }

    private static func label(_ peer: String) -> String {
        switch peer.split(separator: "/").first {
        case "libsodium": return "ChaCha20-Poly1305"
        case "noise": return "Noise transport"
        case "ed25519+chacha20poly1305": return "sign each"
        case "libsignal": return "libsignal"
        case "libsignal-tuned": return "libsignal, tuned"
        default: return "libolm"
        }
    }

    private static func title(_ byteCount: Int) -> String {
        byteCount < 1_024 ? "\(byteCount) B" : "\(byteCount / 1_024) KiB"
    }

    private static func time(_ nanoseconds: Double) -> String {
        switch nanoseconds {
        case ..<1_000: return "\(Int(nanoseconds.rounded())) ns"
        case ..<1_000_000: return "\(short(nanoseconds / 1_000)) µs"
        default: return "\(short(nanoseconds / 1_000_000)) ms"
        }
    }

    private static func short(_ value: Double) -> String {
        value == value.rounded() || value >= 100
            ? String(Int(value.rounded())) : String(format: value < 10 ? "%.2f" : "%.1f", value)
    }

    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }

    private static func escape(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
    }
}
