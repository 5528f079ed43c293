import CBrokers
import Foundation
import HandfastChannel
import HandfastLink
import HandfastRelay

/// Strangers that press a relay, in a process of their own: what they cost themselves is not the relay's.
///
/// Each brings a genuine first message, and every second one the cookie as well that it is asked for.
struct Strangers {
    private let server: ServerProcess

    /// The argument by which this program is asked to be them.
    static let argument = "--strangers"

    init(at relay: RelayAddress, in folder: URL) throws {
        let program = URL(fileURLWithPath: CommandLine.arguments[0])
        server = try ServerProcess(program.path, [Self.argument, relay.description], in: folder)
        guard try server.line() == "ready" else { throw BenchmarkError.peerFailed("strangers") }
    }

    /// Lets so many come, one a millisecond, and returns at once.
    func come(_ count: Int) throws { try server.say("\(count)") }

    /// Waits until they have come.
    func haveCome() throws { _ = try server.line() }

    func processorNanoseconds() throws -> Double { try server.processorNanoseconds() }

    func stop() { server.stop() }

    /// Is the strangers: reads how many shall come, and says when they have, to the end of its input.
    static func run(at text: String) async throws {
        let relay = try RelayAddress(text: text)
        let first = try await firstMessage(to: relay)
        print("ready")
        fflush(nil)
        while let line = readLine(), let count = Int32(line) {
            unsafe let_strangers_come(Int32(relay.port), first, first.count, count, 1_000_000)
            print("done")
            fflush(nil)
        }
    }

    /// What our own client says first to the relay, heard by a listener in its place.
    private static func firstMessage(to relay: RelayAddress) async throws -> [UInt8] {
        var port: Int32 = 0
        let listening = unsafe listen_on_any_port(&port)
        let client = Task { [port] in
            try await LinkClient.connect(host: "127.0.0.1", port: Int(port), key: relay.key)
        }
        var bytes = [UInt8](repeating: 0, count: 1_024)
        let count = unsafe first_message(listening, &bytes, bytes.count)
        _ = await client.result
        guard count > 0 else { throw BenchmarkError.peerFailed("first message") }
        return Array(bytes.prefix(count))
    }
}
