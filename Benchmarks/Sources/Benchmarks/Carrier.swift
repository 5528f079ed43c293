import CBrokers
import Foundation

/// What stores messages and forwards them: our relay, another server, or a bare database.
protocol Carrier: AnyObject {
    /// What rows call it.
    var name: String { get }
    /// How many of so many messages it is given to store, drain or stream: a slow one would take too long.
    var share: Double { get }

    /// Does a piece of work with so many messages.
    func run(_ work: CarrierWork, count: Int) async throws -> CarrierRun

    func stop() async
}

/// A piece of work, with one publisher and one consumer.
enum CarrierWork: CaseIterable {
    /// Messages are published, and confirmed once they are stored.
    case store
    /// What is stored is delivered and acknowledged.
    case drain
    /// Both at once.
    case stream
    /// The next is published once the last was confirmed and delivered.
    case round
}

/// What a run came to, in nanoseconds.
struct CarrierRun {
    let count: Int
    let elapsed: Double
    /// Processor time of publisher and consumer together.
    let clients: Double
    /// Processor time of the server; of a bare database, all there is.
    let server: Double
    /// The time of each message where they go one by one.
    var rounds: [UInt64] = []

    /// With connecting and attaching.
    var whole = 0.0

    var perSecond: Double { Double(count) / elapsed * 1e9 }
    func each(_ time: Double) -> Double { time / Double(count) }

    /// The time that all but so many hundredths of the messages stay below.
    func round(percentile: Int) -> Double {
        rounds.isEmpty ? 0 : Double(rounds.sorted()[rounds.count * percentile / 100])
    }
}

/// What all of them are given.
enum CarrierLoad {
    static let messageBytes = 1_024
    /// Messages that are not confirmed yet, at most.
    static let window = 1_000
    /// Messages that we put together, and that a bare database writes in one transaction.
    static let batch = 250
}

/// redis or mosquitto, through clients in C.
final class Broker: Carrier {
    enum Kind: String, CaseIterable {
        case redis = "redis/always"
        case mosquitto = "mosquitto/save-on-change"
        /// Confirms before anything is on the disk: faster, and not comparable.
        case forgetfulMosquitto = "mosquitto/default"
    }

    private let kind: Kind
    private let server: ServerProcess
    private let port: Int

    var name: String { kind.rawValue }
    var share: Double { kind == .mosquitto ? 0.002 : 1 }

    /// Starts the server in a new folder.
    init(_ kind: Kind, in folder: URL) async throws {
        self.kind = kind
        let place = folder.appendingPathComponent(kind.rawValue.replacingOccurrences(of: "/", with: "-"))
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        port = try LocalPort.free()
        switch kind {
        case .redis:
            server = try ServerProcess(
                "/usr/bin/redis-server",
                [
                    "--port", "\(port)", "--bind", "127.0.0.1", "--dir", place.path, "--save", "", "--appendonly",
                    "yes",
                    "--appendfsync", "always",
                    // Its file is not written anew meanwhile: that would be work beside the work.
                    "--auto-aof-rewrite-percentage", "0",
                ], in: place)
        case .mosquitto, .forgetfulMosquitto:
            let saving = kind == .mosquitto ? "autosave_on_changes true\nautosave_interval 1\n" : ""
            let text = """
                listener \(port) 127.0.0.1
                allow_anonymous true
                user root
                persistence true
                persistence_location \(place.path)/
                \(saving)max_queued_messages 0
                max_inflight_messages \(CarrierLoad.window)
                log_dest none

                """
            let file = place.appendingPathComponent("mosquitto.conf")
            try Data(text.utf8).write(to: file)
            server = try ServerProcess("/usr/sbin/mosquitto", ["-c", file.path], in: place)
        }
        try await server.awaitPort(port)
    }

    func run(_ work: CarrierWork, count: Int) async throws -> CarrierRun {
        let before = try server.processorNanoseconds()
        var rounds = [UInt64](repeating: 0, count: work == .round ? count : 0)
        let client = unsafe kind == .redis ? redis_client : mqtt_client
        let run = unsafe client(
            Int32(port), work.inC, count, CarrierLoad.messageBytes, CarrierLoad.window, &rounds)
        guard run.elapsed > 0 else { throw BenchmarkError.peerFailed("\(name), \(work)") }
        return CarrierRun(
            count: count, elapsed: Double(run.elapsed), clients: Double(run.clients),
            server: try server.processorNanoseconds() - before, rounds: rounds)
    }

    func stop() async { server.stop() }
}

/// SQLite without anything around it.
final class BareDatabase: Carrier {
    let name = "sqlite/bare"
    let share = 1.0
    private let path: String

    init(in folder: URL) {
        path = folder.appendingPathComponent("bare.sqlite").path
    }

    func run(_ work: CarrierWork, count: Int) async throws -> CarrierRun {
        var rounds = [UInt64](repeating: 0, count: work == .round ? count : 0)
        let run = unsafe bare_database(
            path, work.inC, count, CarrierLoad.messageBytes, CarrierLoad.batch, &rounds)
        guard run.elapsed > 0 else { throw BenchmarkError.peerFailed("\(name), \(work)") }
        return CarrierRun(
            count: count, elapsed: Double(run.elapsed), clients: 0, server: Double(run.clients), rounds: rounds)
    }

    func stop() async {}
}

extension CarrierWork {
    fileprivate var inC: broker_work {
        switch self {
        case .store: broker_store
        case .drain: broker_drain
        case .stream: broker_stream
        case .round: broker_round
        }
    }
}
