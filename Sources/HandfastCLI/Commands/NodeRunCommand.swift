internal import ArgumentParser
internal import HandfastChannel
internal import HandfastNode
internal import HandfastStore
internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

struct NodeRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Receive and deliver until stopped; other commands on the vault reach this node by themselves.",
        discussion: """
            Serves a relay of its own where the configuration says so (relay.listen), or
            with --serve-relay. SIGTERM and Ctrl-C end it politely; nothing is lost if
            it is killed.

            EXAMPLES
              handfast node run
              handfast node run --serve-relay 0.0.0.0:7447 --advertise relay.shop.example
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(name: .long, help: "Serve a relay of its own here, host:port, and receive there.")
    var serveRelay: String?

    @Option(name: .long, help: "The host name by which others reach that relay.")
    var advertise: String?

    @Option(name: .long, help: "Receive at this relay instead of the configured one.")
    var relay: String?

    func validate() throws {
        guard serveRelay.map({ Endpoint($0)?.port ?? 0 > 0 }) ?? true else {
            throw ValidationError("--serve-relay is host:port with a port from 1 to 65535")
        }
    }

    func run() async throws {
        let settings = try await Settings.load(
            global, adding: [.relayListen: serveRelay, .relayAdvertise: advertise, .relayAddress: relay])
        ProcessLog.start(settings, usual: .notice)
        let logger = Logger(label: "handfast.node")
        let healthServer = HealthServer(settings)
        let seat = try await NodeSeat.take(settings, logger: logger)
        let server = try await CommandServer.listen(
            socketPath: settings.folder.file(named: CommandServer.socketName)
        ) { command in seat.replies(to: command) }
        let web: WebServer? =
            if let place = settings.webListen {
                try await WebServer.listen(
                    for: seat.node, host: place.host, port: place.port, certificate: settings.webCertificate())
            } else {
                nil
            }
        let metrics = NodeMetrics()
        let healthPages = try await healthServer?.listen {
            (try? await seat.node.events(after: 0, limit: 1)) != nil
        } measure: {
            metrics.set(await seat.receiving(), at: TestClock.time.now())
        }
        let relay = seat.node.configuration.relay?.description
        let place = web.map { "\(settings.webListen?.host ?? ""):\($0.port)" }
        let health = healthPages.map { "\(settings.metricsListen?.host ?? ""):\($0.port)" }
        let standsBy = seat.standsBy
        global.output.write([
            "vault": .text(settings.folder.path), "relay": .text(relay), "web": .text(place), "metrics": .text(health),
            "standsBy": .flag(standsBy),
        ]) {
            "The node of \(settings.folder.path) "
                + (standsBy ? "stands by, since another process has the vault" : "runs")
                + (relay.map { "\(standsBy ? " and receives" : ", receiving") at \($0)" } ?? "")
                + (health.map { ", telling how it is at \($0)" } ?? "")
                + (place.map { ", serving /.well-known/handfast at \($0)" } ?? "") + "."
        }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: NodeService(seat: seat)), .init(service: SocketService(server: server)),
                ] + [web, healthPages].compactMap { $0 }.map { .init(service: WebService(server: $0)) },
                gracefulShutdownSignals: [.sigint, .sigterm], logger: logger))
        try await group.run()
        await seat.close()
    }
}

/// The node, whose end on demand is no failure.
private struct NodeService: Service {
    let seat: NodeSeat

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await seat.run() }
        } catch is CancellationError {}
    }
}

/// The documents of the node's domain, served while the node runs.
private struct WebService: Service {
    let server: WebServer

    func run() async throws {
        await cancelWhenGracefulShutdown { await server.run() }
    }
}

/// The vault's socket as a part of the running node.
private struct SocketService: Service {
    let server: CommandServer

    func run() async throws {
        await cancelWhenGracefulShutdown { await server.run() }
    }
}
