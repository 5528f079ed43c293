import CSodiumPeer
import Foundation

/// The kind of machine that the figures belong to.
enum Machine {
    static var kind: String {
        let processor = field("model name", of: "/proc/cpuinfo", separator: ":") ?? "unknown processor"
        let system = field("PRETTY_NAME", of: "/etc/os-release", separator: "=") ?? "unknown system"
        let cores = ProcessInfo.processInfo.processorCount
        let sodium = unsafe String(cString: sodium_version_string())
        return "\(processor), \(cores) cores, \(architecture), \(system), libsodium \(sodium)"
    }

    /// Memory that this process occupies now, in bytes; 0 where the system does not tell.
    static var residentByteCount: Int {
        guard let text = field("VmRSS", of: "/proc/self/status", separator: ":") else { return 0 }
        return (text.split(separator: " ").first.flatMap { Int($0) } ?? 0) << 10
    }

    /// Processor time of this process so far, in nanoseconds.
    static var processorNanoseconds: Double {
        var now = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now)
        return Double(now.tv_sec) * 1e9 + Double(now.tv_nsec)
    }

    private static var architecture: String {
        #if arch(x86_64)
            "x86-64"
        #elseif arch(arm64)
            "ARM64"
        #else
            "another architecture"
        #endif
    }

    private static func field(_ name: String, of path: String, separator: Character) -> String? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { return nil }
        return line.split(separator: separator, maxSplits: 1).last?
            .trimmingCharacters(in: CharacterSet(charactersIn: " \t\""))
    }
}
