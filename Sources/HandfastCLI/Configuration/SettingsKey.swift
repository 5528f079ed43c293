internal import HandfastStore

/// The keys of the configuration file, written with a dot where the file nests objects.
enum SettingsKey: String, CaseIterable {
    case vault
    case store
    case keyFile
    case passphraseFile
    case name
    case relayAddress = "relay.address"
    case relayAlternatives = "relay.alternatives"
    case relayListen = "relay.listen"
    case relayAdvertise = "relay.advertise"
    case relayAllowPrivate = "relay.allowPrivate"
    case queueMessages = "limits.queueMessages"
    case queueBytes = "limits.queueBytes"
    case relayBytes = "limits.relayBytes"
    case serviceBytes = "limits.serviceBytes"
    case reservedPerQueue = "limits.reservedPerQueue"
    case openingsPerAddress = "limits.openingsPerAddress"
    case retentionDays = "limits.retentionDays"
    case connections = "limits.connections"
    case connectionsPerAddress = "limits.connectionsPerAddress"
    case handshakesPerSecond = "limits.handshakesPerSecond"
    case handshakesPerAddress = "limits.handshakesPerAddress"
    case loadedRelationships = "limits.loadedRelationships"
    case attachmentBytes = "limits.attachmentBytes"
    case attachmentTotalBytes = "limits.attachmentTotalBytes"
    case webListen = "web.listen"
    case webCertificate = "web.certificate"
    case webPrivateKey = "web.privateKey"
    case webRoots = "web.roots"
    case webRoutes = "web.routes"
    case webAllowPrivate = "web.allowPrivate"
    case metricsListen = "metrics.listen"
    case wait
    case logLevel = "log.level"

    /// What a value must be.
    enum Form {
        case text
        case flag
        case routes
        case number(ClosedRange<Int>)
        case choice([String])
        case relayAddress
        case relayAddresses
        case endpoint
        case database
    }

    var form: Form {
        switch self {
        case .vault, .keyFile, .passphraseFile, .name, .relayAdvertise, .webCertificate, .webPrivateKey, .webRoots:
            .text
        case .relayAddress: .relayAddress
        case .relayAlternatives: .relayAddresses
        case .store: .database
        case .relayListen, .webListen, .metricsListen: .endpoint
        case .webRoutes: .routes
        case .relayAllowPrivate, .webAllowPrivate: .flag
        case .queueMessages: .number(1...1_000_000)
        case .queueBytes: .number(65_614...1 << 40)
        case .relayBytes: .number(1 << 20...1 << 50)
        case .serviceBytes: .number(1 << 17...1 << 50)
        case .reservedPerQueue: .number(0...1 << 30)
        case .openingsPerAddress: .number(1...QueuePolicy.largestRate)
        case .retentionDays: .number(1...365)
        case .connections, .connectionsPerAddress: .number(1...1_000_000)
        case .handshakesPerSecond: .number(0...1_000_000)
        case .handshakesPerAddress: .number(1...1_000_000)
        case .loadedRelationships: .number(1...10_000_000)
        case .attachmentBytes, .attachmentTotalBytes: .number(0...1 << 50)
        case .wait: .number(0...Int(WaitOptions.maximum))
        case .logLevel: .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"])
        }
    }

    /// What it sets, for `config show` and `--help`.
    var summary: String {
        switch self {
        case .vault: "the vault's folder; only in a file given by --config"
        case .store: "where vault and served relay are kept, postgres://…; by default in SQLite files of their folder"
        case .keyFile: "the file that opens the vault"
        case .passphraseFile: "a file with the vault's passphrase"
        case .name: "the name by which this node introduces itself"
        case .relayAddress: "the relay at which this node receives, host:port/key"
        case .relayAlternatives: "further relays at which this node receives, at most 3, parted by commas"
        case .relayListen: "where this node serves a relay of its own, host:port"
        case .relayAdvertise: "the host name that others reach the own relay by"
        case .relayAllowPrivate: "whether relays at private addresses are connected to, true or false"
        case .queueMessages: "messages that wait in one queue of the served relay at most"
        case .queueBytes: "bytes that wait in one queue of the served relay at most"
        case .relayBytes: "bytes that the served relay keeps at most: 4 GiB for a node's own, 64 GiB for `relay run`"
        case .serviceBytes: "bytes that `relay run` keeps for one service at most: an eighth of limits.relayBytes"
        case .reservedPerQueue: "bytes that `relay run` keeps free for each open queue, whatever others store: 8 KiB"
        case .openingsPerAddress: "queues that one IPv4 address or IPv6 /64 may open at `relay run` an hour: 36,000"
        case .retentionDays: "days that the served relay keeps a message: 90 for a node's own, 21 for `relay run`"
        case .connections: "connections of the served relay at most: 10,000"
        case .connectionsPerAddress: "those of one IPv4 address or IPv6 /64 at most: 1,024"
        case .handshakesPerSecond: "new connections a second beyond which the served relay asks for a cookie first: 200"
        case .handshakesPerAddress: "new connections a second of one address, while it asks: 20"
        case .loadedRelationships: "relationships kept in memory at most"
        case .attachmentBytes: "bytes of the largest attachment that is taken unasked: 100 MiB"
        case .attachmentTotalBytes: "bytes of all attachments together with which none is taken unasked any more: 4 GiB"
        case .webListen: "where `node run` serves /.well-known/handfast, host:port"
        case .webCertificate: "a file with the web server's certificate chain (PEM); without it plain HTTP is served"
        case .webPrivateKey: "the file of that certificate's private key (PEM)"
        case .webRoots: "a file of certificates (PEM) that are trusted beside those of the system"
        case .webRoutes: "where domains are asked instead of what the name service says: shop.example=127.0.0.1:8443, …"
        case .webAllowPrivate: "whether domains that lead to private addresses are asked, true or false"
        case .metricsListen: "where /livez, /readyz and /metrics are served, host:port; not for the public"
        case .wait: "seconds that a command waits for the network"
        case .logLevel: "the least severe log message of `node run` and `relay run`"
        }
    }

    /// The environment variable that overrides it: `relay.allowPrivate` is `HANDFAST_RELAY_ALLOW_PRIVATE`.
    var variable: String {
        rawValue.reduce(into: "HANDFAST_") { name, character in
            if character == "." {
                name += "_"
            } else {
                name += character.isUppercase ? "_\(character)" : character.uppercased()
            }
        }
    }
}
