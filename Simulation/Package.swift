// swift-tools-version: 6.2
import PackageDescription

// A package of its own, because it reaches into the modules as tests do, and runs optimised.
let package = Package(
    name: "simulation",
    platforms: [.macOS("26.0")],
    dependencies: [.package(name: "handfast", path: "..")],
    targets: [
        .executableTarget(
            name: "Simulate",
            dependencies: [.product(name: "Handfast", package: "handfast")],
            path: ".",
            exclude: ["Tests", "README.md"],
            sources: ["Driver", "Model"],
            swiftSettings: [
                .strictMemorySafety(),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableExperimentalFeature("Lifetimes"),
                .treatAllWarnings(as: .error),
            ])
    ],
    swiftLanguageModes: [.v6]
)
