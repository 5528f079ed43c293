internal import Glibc
internal import Synchronization

// SEEDS=n   runs so many seeds (100,000), on all cores
// TIME=s    stops after so many seconds (none)
// SEED=n    runs that seed alone and tells each step, to see why it fails

/// Runs seeds until one fails, all are done or the time is over.
@main
struct Simulate {
    static func main() async {
        do {
            let meetings = try Meetings()
            if let seed = number("SEED") {
                _ = try Simulation.run(seed: seed, meetings: meetings, isTelling: true)
                print("seed \(seed) holds")
                return
            }
            let runner = Runner(meetings: meetings, seeds: number("SEEDS") ?? 100_000, seconds: number("TIME"))
            exit(await runner.run() ? 0 : 1)
        } catch {
            print("\(error)")
            exit(1)
        }
    }

    private static func number(_ name: String) -> UInt64? {
        unsafe getenv(name).flatMap { unsafe UInt64(String(cString: $0)) }
    }
}

/// Shares the seeds out among the cores.
final class Runner: Sendable {
    fileprivate struct State {
        var next: UInt64 = 1
        var done: UInt64 = 0
        var failed = false
        var total = Simulation.Summary()
    }

    private let meetings: Meetings
    private let seeds: UInt64
    private let end: ContinuousClock.Instant?
    private let state = Mutex(State())

    init(meetings: Meetings, seeds: UInt64, seconds: UInt64?) {
        self.meetings = meetings
        self.seeds = seeds
        end = seconds.map { ContinuousClock.now + .seconds($0) }
    }

    /// Whether every seed that was run holds.
    func run() async -> Bool {
        let start = ContinuousClock.now
        let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        await withTaskGroup { group in
            for _ in 0..<cores { group.addTask { self.work() } }
        }
        return state.withLock { state in
            let total = state.total
            print(
                "\(state.done) seeds in \(ContinuousClock.now - start): \(total.epochs) epochs, \(total.records) records, "
                    + "\(total.voids) void, \(total.frozen) relationships frozen")
            return !state.failed
        }
    }

    private func work() {
        while let seed = take() {
            do {
                let summary = try Simulation.run(seed: seed, meetings: meetings)
                state.withLock { $0.add(summary) }
            } catch {
                state.withLock { $0.failed = true }
                print("seed \(seed): \(error)\nmake simulate SEED=\(seed) runs it again")
            }
        }
    }

    private func take() -> UInt64? {
        if let end, ContinuousClock.now >= end { return nil }
        return state.withLock { state in
            guard !state.failed, state.next <= seeds else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }
}

extension Runner.State {
    fileprivate mutating func add(_ summary: Simulation.Summary) {
        done += 1
        total.epochs += summary.epochs
        total.records += summary.records
        total.voids += summary.voids
        total.frozen += summary.frozen
    }
}
