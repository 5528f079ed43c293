import CBrokers
import Foundation
import HandfastChannel
import HandfastCrypto
import HandfastLink
import HandfastRelay
import HandfastStore

/// Strangers that press a relay, in a process of their own: what they cost themselves is not the relay's.
///
/// Every second one says a genuine first message and goes when it is asked for a cookie. The others bring the cookie
/// back, have their handshake, and knock: one with a ticket that it has made up, the next with one that the relay
/// admits.
struct Strangers {
    /// What became of those that knocked.
    struct Knocks {
        var admitted = 0
        var refused = 0
        /// They got no handshake, or no answer.
        var failed = 0

        static func += (all: inout Knocks, more: Knocks) {
            all.admitted += more.admitted
            all.refused += more.refused
            all.failed += more.failed
        }
    }

    private let server: ServerProcess

    /// The argument by which this program is asked to be them.
    static let argument = "--strangers"

    /// Starts them, with tickets for a quarter of so many.
    init(_ count: Int, at relay: RelayAddress, in folder: URL) throws {
        let program = URL(fileURLWithPath: CommandLine.arguments[0])
        server = try ServerProcess(program.path, [Self.argument, relay.description, "\(count)"], in: folder)
        guard try server.line() == "ready" else { throw BenchmarkError.peerFailed("strangers") }
    }

    /// Lets so many come, one a millisecond, and returns at once.
    func come(_ count: Int) throws { try server.say("\(count)") }

    /// Waits until they have come and gone.
    func haveCome() throws -> Knocks {
        let numbers = try server.line().split(separator: " ").compactMap { Int($0) }
        guard numbers.count == 3 else { throw BenchmarkError.peerFailed("strangers") }
        return Knocks(admitted: numbers[0], refused: numbers[1], failed: numbers[2])
    }

    func processorNanoseconds() throws -> Double { try server.processorNanoseconds() }

    func stop() { server.stop() }
}

// MARK: - Their process

extension Strangers {
    private static let helloBytes = 4_096

    /// Is the strangers: reads how many shall come, and tells how they fared, to the end of its input.
    static func run(_ count: Int, at text: String) async throws {
        let relay = try RelayAddress(text: text)
        let first = try await firstMessage(to: relay)
        var random = SecureRandom()
        let queue = QueueID.random(using: &random)
        var tickets = (0..<count / 4 + 1).map { _ in Ticket.random(using: &random) }
        try await invite(tickets, to: queue, at: relay)
        print("ready")
        fflush(nil)
        while let line = readLine(), let count = Int(line) {
            async let pressed: Void = press(relay, first, count - count / 2)
            let knocking = (0..<count / 2).map { number in
                (number % 2 == 0 ? nil : tickets.popLast()) ?? Ticket.random(using: &random)
            }
            let knocks = await knock(knocking.map(\.knock), at: queue, of: relay)
            await pressed
            print("\(knocks.admitted) \(knocks.refused) \(knocks.failed)")
            fflush(nil)
        }
    }

    /// Admits tickets at a new queue, whose owner is away from then on.
    private static func invite(_ tickets: [Ticket], to queue: QueueID, at relay: RelayAddress) async throws {
        var random = SecureRandom()
        let service = SigningKey.generate(using: &random)
        let inviter = try await RelayClient.connect(to: relay)
        _ = try await inviter.attach(service)
        try await inviter.open([QueueOpening(id: queue, kind: .knock)])
        try await inviter.admit(tickets.map(\.knock), to: queue)
        await inviter.shutDown()
    }

    /// Those that bring no cookie back, one in two milliseconds.
    private static func press(_ relay: RelayAddress, _ first: [UInt8], _ count: Int) async {
        await withCheckedContinuation { continuation in
            // Blocking sockets have a thread of their own.
            Thread.detachNewThread {
                unsafe let_strangers_come(Int32(relay.port), first, first.count, Int32(count), 2_000_000)
                continuation.resume()
            }
        }
    }

    /// Those that knock, one in two milliseconds, each with a connection of its own.
    private static func knock(_ knocks: [Knock], at queue: QueueID, of relay: RelayAddress) async -> Knocks {
        let start = ContinuousClock.now
        return await withTaskGroup { group in
            for (number, knock) in knocks.enumerated() {
                try? await Task.sleep(until: start + .milliseconds(2 * number), tolerance: .zero)
                group.addTask { await isAdmitted(knock, at: queue, of: relay) }
            }
            var all = Knocks()
            for await isAdmitted in group {
                switch isAdmitted {
                case true?: all.admitted += 1
                case false?: all.refused += 1
                case nil: all.failed += 1
                }
            }
            return all
        }
    }

    private static func isAdmitted(_ knock: Knock, at queue: QueueID, of relay: RelayAddress) async -> Bool? {
        guard let stranger = try? await RelayClient.connect(to: relay) else { return nil }
        let isAdmitted: Bool?
        do {
            let hello = [UInt8](repeating: 0x68, count: helloBytes)
            try await stranger.knock(knock, at: queue, hello: hello)
            isAdmitted = true
        } catch {
            isAdmitted = error == .refused(.refused) ? false : nil
        }
        await stranger.shutDown()
        return isAdmitted
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
