internal import Foundation
internal import HandfastChannel
internal import HandfastNode

/// Times as people read them.
enum Moment {
    /// How long ago a time is, in the largest unit that fits: `3 min`.
    static func age(since seconds: UInt64) -> String {
        let now = TestClock.time.now().seconds
        let age = now > seconds ? now - seconds : 0
        return switch age {
        case ..<60: "\(age) s"
        case ..<3_600: "\(age / 60) min"
        case ..<86_400: "\(age / 3_600) h"
        default: "\(age / 86_400) d"
        }
    }

    /// The time in the machine's time zone, `2026-11-21 22:05:09`.
    static func text(_ seconds: UInt64) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyy-MM-dd HH:mm:ss"
        return formatter.string(from: Date(timeIntervalSince1970: TimeInterval(min(seconds, 253_402_300_799))))
    }
}
