internal import Configuration
internal import Foundation
internal import HandfastChannel
internal import HandfastNode
internal import HandfastPostgres
internal import HandfastStore

/// What the command line, the environment and the configuration file say together; the earlier overrides the later.
struct Settings: Sendable {
    /// Variables that stand for no key of the file.
    static let otherVariables = [
        "HANDFAST_CONFIG", "HANDFAST_PASSPHRASE", BackupPassphrase.variable, TestClock.variable,
    ]

    /// The vault's folder.
    let folder: VaultFolder
    /// The configuration file that was read, or `nil`.
    let file: String?
    private let reader: ConfigReader
    private let options: [SettingsKey: String]

    /// Reads and checks everything.
    ///
    /// - Parameter given: what a command's own options say.
    /// - Throws: ``Failure`` for the first thing that is wrong.
    static func load(
        _ options: GlobalOptions, adding given: [SettingsKey: String?] = [:]
    ) async throws -> Settings {
        let source = try SettingsSource(options)
        if let problem = try source.check(ofOurVariablesOnly: true).problems.first {
            let more = source.path.map { "; `handfast config check --config \($0)` shows all" } ?? ""
            throw Failure(.badData, problem.message, hint: problem.hint + more)
        }
        return try await Settings(source, options, given)
    }

    private init(
        _ source: SettingsSource, _ options: GlobalOptions, _ given: [SettingsKey: String?]
    ) async throws {
        var providers: [any ConfigProvider] = [EnvironmentVariablesProvider().prefixKeys(with: "handfast")]
        if let path = source.path {
            let place = ConfigReader(
                provider: InMemoryProvider(values: ["filePath": ConfigValue(.string(path), isSecret: false)]))
            providers.append(try await FileProvider<JSONSnapshot>(config: place))
        }
        reader = ConfigReader(providers: providers)
        file = source.path
        let named = reader.string(forKey: ConfigKey(SettingsKey.vault.rawValue))
        folder = VaultFolder(path: Paths.absolute(options.vault ?? named ?? Paths.defaultVault))
        var all = given.compactMapValues { $0 }
        all[.keyFile] = options.keyFile
        all[.passphraseFile] = options.passphraseFile
        self.options = all
    }

    /// A text, from wherever it was said first.
    func text(_ key: SettingsKey) -> String? {
        options[key] ?? reader.string(forKey: ConfigKey(key.rawValue))
    }

    /// A number; checked when it was read.
    func number(_ key: SettingsKey) -> Int? { reader.int(forKey: ConfigKey(key.rawValue)) }

    /// True or false.
    func flag(_ key: SettingsKey) -> Bool? { reader.bool(forKey: ConfigKey(key.rawValue)) }

    /// Seconds that a command waits for the network.
    var wait: UInt32 { UInt32(clamping: number(.wait) ?? 10) }

    /// The database that keeps vault and served relay, or `nil` for files in their folder.
    /// - Throws: ``StoreError/notAVault(path:)``
    func database() throws -> PostgresAddress? { try text(.store).map { try PostgresAddress($0) } }

    /// Where this node serves a relay, or `nil`.
    var listen: Endpoint? { text(.relayListen).flatMap { Endpoint($0) } }

    /// Where the node serves its domain's documents, or `nil`.
    var webListen: Endpoint? { text(.webListen).flatMap { Endpoint($0) } }

    /// Where the figures of this process are served, or `nil`.
    var metricsListen: Endpoint? { text(.metricsListen).flatMap { Endpoint($0) } }

    /// The files of the web server's certificate, or `nil` for plain HTTP.
    /// - Throws: ``Failure`` when only one of them is given.
    func webCertificate() throws -> (chain: String, privateKey: String)? {
        switch (text(.webCertificate), text(.webPrivateKey)) {
        case (nil, nil): return nil
        case (let chain?, let key?): return (Paths.absolute(chain), Paths.absolute(key))
        default:
            throw Failure(
                .badData, "web.certificate and web.privateKey go together", hint: "give both, or neither for plain HTTP"
            )
        }
    }

    /// What the node is told.
    func nodeConfiguration() throws -> NodeConfiguration {
        var configuration = NodeConfiguration(
            relay: try text(.relayAddress).map { try RelayAddress(text: $0) }, name: text(.name),
            allowsPrivateAddresses: flag(.relayAllowPrivate))
        configuration.alternatives = try text(.relayAlternatives).map { try RelayAddresses.read($0) } ?? []
        configuration.web.roots = text(.webRoots).map { Paths.absolute($0) }
        configuration.web.allowsPrivateAddresses = flag(.webAllowPrivate) ?? false
        configuration.web.routes = text(.webRoutes).flatMap { WebRoutes($0)?.routes } ?? [:]
        if let count = number(.loadedRelationships) { configuration.delivery.loadedRelationships = count }
        configuration.attachments.folder = folder.file(named: "attachments")
        configuration.backupFiles =
            ["relay.key", "issuers.json"].map { folder.file(named: $0) } + [SettingsSource.usualPath(in: folder.path)]
        configuration.issuersFile = folder.file(named: "issuers.json")
        if let bytes = number(.attachmentBytes) { configuration.attachments.acceptedBytes = UInt64(clamping: bytes) }
        if let bytes = number(.attachmentTotalBytes) { configuration.attachments.totalBytes = UInt64(clamping: bytes) }
        return configuration
    }

    /// The value of a key as text for `config show`, and whether it is anything but the default.
    func shown(_ key: SettingsKey) -> String? {
        switch key.form {
        case .number: number(key).map { "\($0)" }
        case .flag: flag(key).map { "\($0)" }
        case .text, .choice, .relayAddress, .relayAddresses, .endpoint, .routes: text(key)
        // Without its password.
        case .database: text(key).map { text in (try? PostgresAddress(text))?.description ?? "…" }
        }
    }
}
