internal import Glibc
internal import Synchronization

// NODES=1|0 runs whole nodes and relays (1), or two sides of a channel alone (0); both one after the other without it
// SEEDS=n   runs so many seeds (100,000) of each, on all cores
// TIME=s    stops after so many seconds altogether (none), and then as many seeds are run as there is time for
// FROM=n    begins with that seed (1)
// SEED=n    runs that seed alone and tells each step, to see why it fails
// MUTANT=m  with a fault in the programs, which a seed must find

/// Runs seeds until one fails, all are done or the time is over.
@main
struct Simulate {
    static func main() async {
        // The order of sets and dictionaries is part of a run: it must be the same in every process.
        if unsafe getenv("SWIFT_DETERMINISTIC_HASHING") == nil {
            unsafe setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
            unsafe execv("/proc/self/exe", CommandLine.unsafeArgv)
        }
        do {
            let subjects = try subjects()
            if let seed = number("SEED") {
                for subject in subjects {
                    print("\(subject.name):")
                    print(try subject.run(seed, true))
                }
                print("seed \(seed) holds")
                return
            }
            let limit = number("TIME")
            var holds = true
            for (index, subject) in subjects.enumerated() where holds {
                let share = limit.map { $0 / UInt64(subjects.count) }
                _ = index
                let runner = Runner(
                    subject: subject, first: number("FROM") ?? 1,
                    seeds: number("SEEDS") ?? (limit == nil ? 100_000 : .max), seconds: share)
                holds = await runner.run()
            }
            exit(holds ? 0 : 1)
        } catch {
            print("\(error)")
            exit(1)
        }
    }

    private static func subjects() throws -> [Subject] {
        let mutant = text("MUTANT").flatMap(NodeSimulation.Mutant.init(rawValue:))
        var subjects: [Subject] = []
        if number("NODES") != 0 {
            let origins = try NodeOrigins()
            subjects.append(
                Subject(name: "nodes and relay", variable: "NODES=1 ") { seed, isTelling in
                    let outcome = try NodeSimulation.run(
                        seed: seed, origins: origins, mutant: mutant, isTelling: isTelling)
                    return Tally([
                        "acknowledged": outcome.acknowledged, "read": outcome.read, "epochs": outcome.epochs,
                        "envelopes": outcome.sealed, "jobs": outcome.jobs, "frozen": outcome.frozen,
                    ])
                })
        }
        if number("NODES") != 1 {
            let meetings = try Meetings()
            subjects.append(
                Subject(name: "channel and ledger", variable: "NODES=0 ") { seed, isTelling in
                    let summary = try Simulation.run(seed: seed, meetings: meetings, isTelling: isTelling)
                    return Tally([
                        "epochs": summary.epochs, "records": summary.records, "void": summary.voids,
                        "frozen": summary.frozen,
                    ])
                })
        }
        return subjects
    }

    private static func text(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    private static func number(_ name: String) -> UInt64? { text(name).flatMap { UInt64($0) } }
}

/// What is simulated, by seed.
struct Subject: Sendable {
    let name: String
    /// What chooses it in the environment.
    let variable: String
    let run: @Sendable (_ seed: UInt64, _ isTelling: Bool) throws -> Tally
}

/// Counts of what happened, by name.
struct Tally: Sendable, CustomStringConvertible {
    private var counts: [String: Int]

    init(_ counts: [String: Int] = [:]) {
        self.counts = counts
    }

    mutating func add(_ other: Tally) {
        counts.merge(other.counts, uniquingKeysWith: +)
    }

    var description: String {
        counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }
}

/// Shares the seeds out among the cores.
final class Runner: Sendable {
    private struct State {
        var next: UInt64
        var done: UInt64 = 0
        var failed = false
        var total = Tally()
    }

    private let subject: Subject
    private let last: UInt64
    private let end: ContinuousClock.Instant?
    private let state: Mutex<State>

    init(subject: Subject, first: UInt64, seeds: UInt64, seconds: UInt64?) {
        self.subject = subject
        last = seeds == .max ? .max : first + seeds - 1
        end = seconds.map { ContinuousClock.now + .seconds($0) }
        state = Mutex(State(next: first))
    }

    /// Whether every seed that was run holds.
    func run() async -> Bool {
        let start = ContinuousClock.now
        let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        await withTaskGroup { group in
            for _ in 0..<cores { group.addTask { self.work() } }
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        return state.withLock { state in
            let rate = Int(Double(state.done) / max(seconds, 0.001))
            print(
                "\(subject.name): \(state.done) seeds in \(Int(seconds.rounded())) s, \(rate) a second, "
                    + "\(state.failed ? "one failed" : "none failed"): \(state.total)")
            return !state.failed
        }
    }

    private func work() {
        while let seed = take() {
            do {
                let tally = try subject.run(seed, false)
                state.withLock { state in
                    state.done += 1
                    state.total.add(tally)
                }
            } catch {
                state.withLock { $0.failed = true }
                print("seed \(seed): \(error)\nmake simulate \(subject.variable)SEED=\(seed) runs it again")
            }
        }
    }

    private func take() -> UInt64? {
        if let end, ContinuousClock.now >= end { return nil }
        return state.withLock { state in
            guard !state.failed, state.next <= last else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }
}
