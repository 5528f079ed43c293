internal import HandfastRelay
internal import Synchronization

@testable internal import HandfastLink

/// Connections between processes without sockets. What is sent on one comes in order, after a while that differs from
/// connection to connection; a connection may break, with what is on its way, or fall silent without anybody noticing.
final class SimulatedNetwork: Sendable {
    private struct State {
        var random: Randomness
        var connections: [Connection] = []
        var opened = 0
        /// Nobody reaches anybody until then.
        var partitionEnds = Duration.zero
        var slowness = 1
    }

    let time: SimulatedTime
    let trace: Trace
    fileprivate let audit: Audit
    private let state: Mutex<State>

    init(time: SimulatedTime, trace: Trace, audit: Audit, seed: UInt64) {
        self.time = time
        self.trace = trace
        self.audit = audit
        state = Mutex(State(random: Randomness(seed: seed)))
    }

    /// How slow the network is: the longest time that a frame takes, in tens of milliseconds.
    func setSlowness(_ slowness: Int) {
        state.withLock { $0.slowness = slowness }
    }

    /// For a while nothing arrives; connections stand, and what is on its way waits.
    func partition(for duration: Duration) {
        state.withLock { $0.partitionEnds = time.elapsed + duration }
    }

    /// The time that a frame takes.
    fileprivate func latency() -> Duration {
        let (milliseconds, ends) = state.withLock { ($0.random.below(10 * $0.slowness) + 1, $0.partitionEnds) }
        return max(.milliseconds(milliseconds), ends - time.elapsed + .milliseconds(milliseconds))
    }

    /// Connects a process to a relay, which serves its end.
    func connect(
        _ owner: SimulatedProcess, to relay: SimulatedRelay
    ) async throws(RelayError) -> LinkConnection {
        let delay = latency()
        try? await time.pause(min(delay, .seconds(10)))
        guard owner.isAlive, let server = relay.process, server.isAlive, delay < .seconds(10) else {
            throw .link(.unreachable("relay", reason: "simulated"))
        }
        let (number, hash) = state.withLock { state in
            state.opened += 1
            return (state.opened, (0..<64).map { _ in UInt8(truncatingIfNeeded: state.random.next()) })
        }
        let connection = Connection(number: number, client: owner, server: server, network: self)
        state.withLock { state in
            state.connections.removeAll { $0.isOver }
            state.connections.append(connection)
        }
        trace.note("connect", number, owner.number)
        relay.serve(connection.end(.server, hash))
        return connection.end(.client, hash)
    }

    /// Breaks one of the standing connections, or lets it fall silent.
    func disturb(silently: Bool) {
        let connection = state.withLock { state -> Connection? in
            let standing = state.connections.filter { !$0.isOver }
            return standing.isEmpty ? nil : standing[state.random.below(standing.count)]
        }
        guard let connection else { return }
        trace.note(silently ? "silence" : "break", connection.number)
        if silently { connection.fallSilent() } else { connection.breakDown() }
    }

    /// A process is gone; who talks to it hears of it after a while.
    func gone(_ process: SimulatedProcess) {
        let its = state.withLock { $0.connections.filter { $0.client === process || $0.server === process } }
        for connection in its { connection.breakDown() }
    }
}

/// One connection: two mailboxes, and what carries frames from one to the other.
final class Connection: Sendable {
    enum Side: Int { case client, server }

    private struct State {
        var isOver = false
        var isSilent = false
        /// When the last frame of each side arrives: what follows comes after it.
        var last = [Duration.zero, Duration.zero]
    }

    let number: Int
    let client: SimulatedProcess
    let server: SimulatedProcess
    private let network: SimulatedNetwork
    private let mailboxes: [LinkMailbox]
    private let state = Mutex(State())

    init(number: Int, client: SimulatedProcess, server: SimulatedProcess, network: SimulatedNetwork) {
        self.number = number
        self.client = client
        self.server = server
        self.network = network
        mailboxes = [
            LinkMailbox(limits: LinkLimits(), isServer: false), LinkMailbox(limits: LinkLimits(), isServer: true),
        ]
    }

    var isOver: Bool { state.withLock { $0.isOver } }

    /// What one side holds.
    func end(_ side: Side, _ hash: [UInt8]) -> LinkConnection {
        LinkConnection(
            handshakeHash: hash, remoteAddress: "198.51.100.\(number % 256)", mailbox: mailboxes[side.rawValue],
            carrier: SimulatedCarrier(connection: self, side: side))
    }

    /// Brings to the other side what waits in one side's mailbox.
    func flush(_ side: Side) {
        let frames = mailboxes[side.rawValue].takeOutbound()
        guard !frames.isEmpty else { return }
        let bytes = frames.reduce(0) { $0 + $1.count }
        _ = mailboxes[side.rawValue].sent(frames.count, bytes: bytes)
        network.trace.note("frames", number, side.rawValue, frames.count, bytes)
        if side == .client { network.audit.sees(frames, on: number) }
        schedule(side) { $0.deliver(frames) }
    }

    private func schedule(_ side: Side, _ action: @escaping @Sendable (LinkMailbox) -> Void) {
        let latency = network.latency()
        let now = network.time.elapsed
        let (arrival, isLost) = state.withLock { state in
            state.last[side.rawValue] = max(state.last[side.rawValue], now + latency)
            return (state.last[side.rawValue], state.isOver || state.isSilent)
        }
        if isLost { return }
        let other = mailboxes[1 - side.rawValue]
        network.time.after(arrival - now) { [self] in
            if state.withLock({ !$0.isOver && !$0.isSilent }) { action(other) }
        }
    }

    /// One side has said everything.
    func close(_ side: Side) {
        flush(side)
        schedule(side) { $0.end(.clean) }
        mailboxes[side.rawValue].end(.clean)
    }

    /// It ends at once, with everything that is on its way; each side hears of it in its own time.
    func breakDown() {
        guard
            state.withLock({ state in
                defer { state.isOver = true }
                return !state.isOver
            })
        else { return }
        for mailbox in mailboxes {
            network.time.after(network.latency()) { mailbox.end(.failed(.connectionLost("simulated"))) }
        }
    }

    /// Nothing more arrives, and nobody is told; a process that asks for nothing learns of it after five minutes.
    func fallSilent() {
        state.withLock { $0.isSilent = true }
        network.time.after(.seconds(300)) { [self] in breakDown() }
    }
}

/// One side's way into a connection.
private struct SimulatedCarrier: LinkCarrier {
    let connection: Connection
    let side: Connection.Side

    func flush() { connection.flush(side) }
    func resumeReading() {}
    func closeWhenFlushed() async { connection.close(side) }
    func abort() { connection.breakDown() }
}
