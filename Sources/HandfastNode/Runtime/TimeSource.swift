public import HandfastChannel

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The clock that a node goes by, given from outside so that tests can set it.
public struct TimeSource: Sendable {
    /// The present moment.
    public let now: @Sendable () -> Timestamp
    /// Waits; throws `CancellationError` when the task is cancelled.
    public let pause: @Sendable (Duration) async throws -> Void

    /// A clock of the caller's.
    public init(
        now: @escaping @Sendable () -> Timestamp,
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.now = now
        self.pause = pause
    }

    /// The clock of this machine.
    public static let system = TimeSource(now: { Timestamp(seconds: UInt64(max(0, time(nil)))) })
}
