internal import Synchronization

/// What a command gives back before its process ends, however the command does.
final class Closing: Sendable {
    /// That of the command that runs.
    @TaskLocal static var current: Closing?

    private let steps = Mutex<[@Sendable () async -> Void]>([])

    /// Does this at the end.
    func add(_ step: @escaping @Sendable () async -> Void) {
        steps.withLock { $0.append(step) }
    }

    /// Gives everything back, the latest first.
    func run() async {
        for step in steps.withLock(\.self).reversed() { await step() }
    }
}
