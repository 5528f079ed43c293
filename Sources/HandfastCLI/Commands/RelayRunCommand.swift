internal import ArgumentParser
internal import HandfastChannel
internal import HandfastNode
internal import Logging

struct RelayRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Serve a relay until stopped, and print its address.",
        discussion: """
            The first run makes the relay's key, whose public half is part of the
            address: keep the folder. The last line before serving is the address to
            give to nodes (`handfast init --relay ADDRESS`).

            EXAMPLES
              handfast relay run
              handfast relay run --listen '[::]:7447' --advertise relay.example --folder /var/lib/handfast-relay
              handfast relay run --metrics 127.0.0.1:9447
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(name: .long, help: "Where to listen, host:port; port 0 takes a free one (default: 127.0.0.1:7447).")
    var listen: String?

    @Option(name: .long, help: "The host name by which others reach it (default: the host of --listen).")
    var advertise: String?

    @Option(
        name: .long, help: "The folder of its key and messages (default: ~/.local/share/handfast-relay).",
        completion: .directory)
    var folder: String?

    @Option(name: .long, help: "Where /livez, /readyz and /metrics are served, host:port (default: nowhere).")
    var metrics: String?

    func validate() throws {
        guard metrics.map({ Endpoint($0) != nil }) ?? true else {
            throw ValidationError("--metrics is host:port, such as 127.0.0.1:9447")
        }
    }

    func run() async throws {
        let settings = try await Settings.load(
            global, adding: [.relayListen: listen, .relayAdvertise: advertise, .metricsListen: metrics])
        ProcessLog.start(settings, usual: .notice)
        let health = HealthServer(settings)
        guard let endpoint = Endpoint(settings.text(.relayListen) ?? "127.0.0.1:7447") else {
            throw Failure(.usage, "--listen is not host:port", hint: "such as 127.0.0.1:7447 or [::]:7447")
        }
        let path = Paths.absolute(folder ?? Paths.defaultRelay)
        let host = try await RelayHost.open(
            RelayHost.Files(in: path), at: endpoint, for: nil, settings: settings,
            logger: Logger(label: "handfast.relay"))
        let web = try await health?.listen { await host.isReady() }
        let place = web.map { "\(settings.metricsListen?.host ?? ""):\($0.port)" }
        global.output.write([
            "address": .text(host.address.description), "folder": .text(path), "metrics": .text(place),
        ]) {
            host.address.description
        }
        try await Interruption.ending(
            {
                // Ends with the relay.
                async let _ = web?.run()
                try await host.run()
            }, thenPolitely: { await host.shutDown() })
    }
}
