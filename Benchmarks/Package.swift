// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

// A package of its own, so that users of the library never resolve what only benchmarks need.
let package = Package(
    name: "benchmarks",
    platforms: [.macOS("26.0")],
    dependencies: [.package(name: "handfast", path: "..")],
    targets: [
        .systemLibrary(name: "CSodiumPeer", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
        .systemLibrary(name: "CZlibPeer", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "CPeers",
            linkerSettings: [
                .linkedLibrary("olm"), .linkedLibrary("signal-protocol-c"), .linkedLibrary("crypto"),
                .linkedLibrary("sodium"),
            ]),
        .target(name: "CMemcheck"),
        .target(name: "CBrokers", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(name: "CFlushes"),
        .executableTarget(
            name: "RelayProcess",
            dependencies: ["CFlushes", .product(name: "HandfastNode", package: "handfast")],
            swiftSettings: strict),
        .executableTarget(
            name: "ConstantTime", dependencies: ["CMemcheck", .product(name: "Handfast", package: "handfast")],
            exclude: ["verdicts.supp"],
            swiftSettings: strict),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "CSodiumPeer", "CZlibPeer", "CPeers", "CBrokers", .product(name: "Handfast", package: "handfast"),
                .product(name: "HandfastNode", package: "handfast"),
            ],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
