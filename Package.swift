// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
    .treatAllWarnings(as: .error),
]

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")

let package = Package(
    name: "handfast",
    platforms: [.macOS("26.0")],
    products: [
        .library(name: "Handfast", targets: ["Handfast"]),
        .library(name: "HandfastNode", targets: ["HandfastNode"]),
        .executable(name: "handfast", targets: ["HandfastCLI"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration.git", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
    ],
    targets: [
        .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CQREncode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(
            name: "HandfastCrypto",
            dependencies: ["CSodium", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict),
        .target(name: "HandfastEncoding", dependencies: ["HandfastCrypto"], swiftSettings: strict),
        .target(
            name: "HandfastClaims", dependencies: ["HandfastCrypto", "HandfastEncoding", "CZlib"],
            swiftSettings: strict),
        .target(
            name: "HandfastChannel", dependencies: ["HandfastCrypto", "HandfastEncoding"], swiftSettings: strict),
        .target(
            name: "Handfast",
            dependencies: ["HandfastCrypto", "HandfastEncoding", "HandfastChannel", "HandfastClaims"],
            swiftSettings: strict),
        .target(
            name: "HandfastStore",
            dependencies: [
                "HandfastCrypto", "HandfastEncoding", "HandfastChannel", "Handfast",
                .product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .target(
            name: "HandfastLink", dependencies: ["HandfastCrypto", "HandfastEncoding", logging] + nio,
            swiftSettings: strict),
        .target(
            name: "HandfastRelay",
            dependencies: [
                "HandfastCrypto", "HandfastEncoding", "HandfastChannel", "HandfastStore", "HandfastLink", logging,
                metrics,
            ] + nio,
            swiftSettings: strict),
        .target(
            name: "HandfastNode",
            dependencies: [
                "HandfastCrypto", "HandfastEncoding", "HandfastChannel", "HandfastClaims", "Handfast", "HandfastStore",
                "HandfastLink",
                "HandfastRelay", logging, .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ] + nio,
            swiftSettings: strict),
        .target(
            name: "HandfastPostgres",
            dependencies: ["HandfastCrypto", "HandfastChannel", "HandfastStore", "CLibpq"], swiftSettings: strict),
        .executableTarget(
            name: "HandfastCLI",
            dependencies: [
                "HandfastCrypto", "HandfastEncoding", "HandfastChannel", "HandfastClaims", "Handfast", "HandfastStore",
                "HandfastLink",
                "HandfastRelay", "HandfastNode", "HandfastPostgres", "CQREncode", logging, metrics,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ] + nio,
            swiftSettings: strict),
        .target(
            name: "HandfastTestSupport", dependencies: ["HandfastCrypto"], path: "Tests/HandfastTestSupport",
            swiftSettings: strict),
        .testTarget(
            name: "HandfastCryptoTests",
            dependencies: ["HandfastCrypto", "HandfastTestSupport", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict),
        .testTarget(
            name: "HandfastEncodingTests", dependencies: ["HandfastEncoding", "HandfastTestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "HandfastClaimsTests",
            dependencies: ["HandfastCrypto", "HandfastEncoding", "HandfastClaims", "HandfastTestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "HandfastChannelTests", dependencies: ["HandfastChannel", "HandfastTestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "HandfastTests",
            dependencies: ["HandfastCrypto", "HandfastEncoding", "Handfast", "HandfastTestSupport"],
            swiftSettings: strict),
        // Writes down what SQLite asks of the disk, for the tests of the stores.
        .target(name: "CTornDisk", path: "Tests/CTornDisk", linkerSettings: [.linkedLibrary("sqlite3")]),
        .testTarget(
            name: "HandfastStoreTests",
            dependencies: [
                "HandfastCrypto", "HandfastChannel", "HandfastStore", "HandfastPostgres", "HandfastTestSupport",
                "CTornDisk",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "HandfastLinkTests", dependencies: ["HandfastCrypto", "HandfastLink", "HandfastTestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "HandfastRelayTests",
            dependencies: [
                "HandfastCrypto", "HandfastEncoding", "HandfastChannel", "HandfastStore", "HandfastLink",
                "HandfastRelay", "HandfastPostgres", "HandfastTestSupport",
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "HandfastNodeTests", dependencies: ["HandfastNode", "HandfastTestSupport", "ForwardingStores"],
            swiftSettings: strict),
        // What the fuzzers run, without a fuzzer; Fuzz/ is a package of its own as well.
        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "HandfastCrypto", "HandfastEncoding", "HandfastChannel", "HandfastClaims", "Handfast", "HandfastStore",
                "HandfastLink",
                "HandfastRelay", "HandfastNode", "HandfastTestSupport",
            ],
            path: "Fuzz", exclude: ["Package.swift", "README.md", "Driver", "Corpus", "Regressions"],
            sources: ["Targets", "Tests"],
            swiftSettings: strict),
        // What `make simulate` runs, with fewer seeds; Simulation/ is a package of its own as well.
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "HandfastCrypto", "HandfastEncoding", "HandfastChannel", "Handfast", "HandfastStore", "HandfastLink",
                "HandfastRelay", "HandfastNode", "DeliveryHistory", "ForwardingStores", logging, metrics,
            ],
            path: "Simulation", exclude: ["Package.swift", "README.md", "Driver", "History", "Stores"],
            sources: ["Model", "Nodes", "Tests"],
            swiftSettings: strict),
        // What judges histories of messages, in simulations and of real processes.
        .target(name: "DeliveryHistory", path: "Simulation/History", swiftSettings: strict),
        // What stores of a relay have in common that do one thing otherwise, for simulations and tests.
        .target(
            name: "ForwardingStores", dependencies: ["HandfastCrypto", "HandfastChannel", "HandfastStore"],
            path: "Simulation/Stores", swiftSettings: strict),
        .testTarget(
            name: "HandfastCLITests",
            dependencies: [
                "HandfastCrypto", "HandfastEncoding", "HandfastClaims", "Handfast", "HandfastNode", "HandfastCLI",
                "HandfastTestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "HandfastCLI", "HandfastEncoding", "HandfastTestSupport", "DeliveryHistory",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
