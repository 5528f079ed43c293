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

// A package of its own, because it reaches into the modules as tests do, and runs optimised.
let package = Package(
    name: "simulation",
    platforms: [.macOS("26.0")],
    dependencies: [.package(name: "handfast", path: "..")],
    targets: [
        .target(name: "DeliveryHistory", path: "History", swiftSettings: strict),
        .target(
            name: "ForwardingStores", dependencies: [.product(name: "HandfastNode", package: "handfast")],
            path: "Stores", swiftSettings: strict),
        .executableTarget(
            name: "Simulate",
            dependencies: ["DeliveryHistory", "ForwardingStores", .product(name: "HandfastNode", package: "handfast")],
            path: ".",
            exclude: ["Tests", "README.md", "History", "Stores"],
            sources: ["Driver", "Model", "Nodes"],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
