import Foundation
import Synchronization
import Testing

/// A folder for one test, the relay and the parties in it, and their end.
final class Scene: Sendable {
    let folder: String
    private let state = Mutex((files: 0, daemons: [Daemon]()))

    private init() throws {
        let place = URL(fileURLWithPath: NSTemporaryDirectory()).path
        folder = "\(place)/hf-\(UInt32.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    /// Plays a scene, and stops every process of it at the end.
    static func play(_ body: (Scene) async throws -> Void) async throws {
        let scene = try Scene()
        do {
            try await body(scene)
        } catch {
            scene.clear()
            throw error
        }
        scene.clear()
    }

    private func clear() {
        for daemon in state.withLock({ $0.daemons }) { daemon.abandon() }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// A path that nothing has used.
    func newFile(_ name: String) -> String {
        "\(folder)/\(name)-\(state.withLock { $0.files += 1; return $0.files })"
    }

    /// Nothing of the environment of the tests but the search path.
    func environment(_ more: [String: String]) -> [String: String] {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return ["PATH": path, "HOME": folder, "TZ": "UTC"].merging(more) { $1 }
    }

    /// Starts a process that ends with the scene.
    func start(
        _ arguments: [String], program: String = Tool.url.path, environment: [String: String] = [:]
    ) async throws -> Daemon {
        let daemon = try await Daemon.start(arguments, program: program, in: self, environment: environment)
        state.withLock { $0.daemons.append(daemon) }
        return daemon
    }

    /// Starts a relay at a free port, or again at the port of its address; others than the first have a name of their own.
    func startRelay(
        at address: String? = nil, named name: String = "relay"
    ) async throws -> (daemon: Daemon, address: String) {
        let place = address?.prefix { $0 != "/" } ?? "127.0.0.1:0"
        let daemon = try await start(["relay", "run", "--listen", String(place), "--folder", "\(folder)/\(name)"])
        return (daemon, daemon.firstLine)
    }

    /// Makes the vault of a party.
    func makeParty(
        _ name: String, relay: String, options: [String] = [], environment: [String: String] = [:]
    ) async throws -> Party {
        let party = Party(name: name, vault: "\(folder)/\(name)", scene: self, environment: environment)
        try await party.done(["init", "--relay", relay, "--name", name] + options)
        return party
    }
}
