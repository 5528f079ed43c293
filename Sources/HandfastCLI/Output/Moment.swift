internal import Foundation

/// Times as people read them.
enum Moment {
    /// The time in the machine's time zone, `2026-11-21 22:05:09`.
    static func text(_ seconds: UInt64) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyy-MM-dd HH:mm:ss"
        return formatter.string(from: Date(timeIntervalSince1970: TimeInterval(min(seconds, 253_402_300_799))))
    }
}
