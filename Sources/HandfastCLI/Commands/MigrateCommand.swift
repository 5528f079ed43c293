internal import ArgumentParser
internal import Foundation
internal import HandfastNode
internal import HandfastPostgres
internal import HandfastStore
internal import Synchronization

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Carry a vault, or a relay's queues, from SQLite into PostgreSQL.",
        discussion: """
            Stop the node or relay first. Everything is written in one transaction, read
            back and compared: it is carried over whole or not at all, and a database
            that holds a vault or queues already is left alone. Afterwards the SQLite
            file has another name, and the configuration must name the database
            (`store`). A vault stays sealed, and opens by what opened it before.

            EXAMPLES
              handfast migrate --from sqlite --to postgres --store postgres://handfast@db.example/handfast
              handfast migrate --from sqlite --to postgres --vault /srv/shop --json
              handfast migrate --from sqlite --to postgres --relay-folder /var/lib/handfast-relay
            """)

    /// An engine.
    enum Engine: String, ExpressibleByArgument, CaseIterable {
        case sqlite, postgres
    }

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(name: .long, help: "The engine that it is in: sqlite.")
    var from: Engine

    @Option(name: .long, help: "The engine that it is to be in: postgres.")
    var to: Engine

    @Option(name: .long, help: "The database, postgres://… (default: what the configuration says of `store`).")
    var store: String?

    @Option(
        name: .long, help: "Carry over the queues of the relay in this folder, and no vault.", completion: .directory)
    var relayFolder: String?

    func validate() throws {
        guard from == .sqlite, to == .postgres else {
            throw ValidationError("it goes from sqlite to postgres: --from sqlite --to postgres")
        }
    }

    func run() async throws {
        let settings = try await Settings.load(global, adding: [.store: store])
        guard let address = try settings.database() else {
            throw Failure(.usage, "no database is named", hint: "give --store postgres://…, or set HANDFAST_STORE")
        }
        var results: [(what: String, result: PostgresMigration.Result)] = []
        let progress = MigrationProgress()
        if relayFolder == nil {
            results.append(
                (
                    "vault",
                    try await PostgresMigration.vault(from: settings.folder, to: address) { progress.tell($0, $1) }
                ))
        }
        // The queues of a relay of its own are beside the vault.
        let queues = RelayHost.Files(in: relayFolder.map { Paths.absolute($0) } ?? settings.folder.path).database
        if relayFolder != nil || FileManager.default.fileExists(atPath: queues) {
            guard FileManager.default.fileExists(atPath: queues) else {
                throw Failure(.badData, "there is no \(queues)", hint: "name the folder that `relay run` uses")
            }
            results.append(
                ("relay", try await PostgresMigration.relay(from: queues, to: address) { progress.tell($0, $1) }))
        }
        progress.end()
        write(results, to: address)
    }

    private func write(_ results: [(what: String, result: PostgresMigration.Result)], to address: PostgresAddress) {
        var stores: [String: Document?] = [:]
        for (what, result) in results {
            stores[what] = [
                "tables": .object(
                    Dictionary(uniqueKeysWithValues: result.tables.map { ($0.name, Document.number($0.rows)) })),
                "retired": .text(result.retired),
            ]
        }
        global.output.write(["store": .text(address.description), "migrated": .object(stores)]) {
            var lines: [String] = []
            for (what, result) in results {
                let count = result.tables.reduce(0) { $0 + $1.rows }
                lines.append("Carried the \(what) over to \(address): \(count) rows, read back and found the same.")
                for table in result.tables where table.rows > 0 { lines.append("  \(table.name)  \(table.rows)") }
                lines.append(
                    "The SQLite file is \(result.retired) now; keep it until you have a backup of the database.")
            }
            lines.append("Next: set \"store\" in the configuration, or HANDFAST_STORE, to the same database.")
            return lines.joined(separator: "\n")
        }
    }
}

/// Shows how far a migration has come, where a person watches.
private final class MigrationProgress: Sendable {
    private let isShown = Mutex(false)

    func tell(_ table: String, _ rows: Int) {
        guard StandardStream.error.isTerminal, rows > 0 else { return }
        isShown.withLock { $0 = true }
        StandardStream.error.write("\r\u{1B}[K\(table): \(rows) rows")
    }

    func end() {
        if isShown.withLock({ $0 }) { StandardStream.error.write("\r\u{1B}[K") }
    }
}
