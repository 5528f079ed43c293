// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that users of the library never build with a fuzzer's flags.
let package = Package(
    name: "fuzz",
    platforms: [.macOS("26.0")],
    dependencies: [.package(name: "handfast", path: "..")],
    targets: [
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                .product(name: "Handfast", package: "handfast"), .product(name: "HandfastNode", package: "handfast"),
            ],
            path: ".",
            exclude: ["Corpus", "Regressions", "Tests", "README.md"],
            sources: ["Driver", "Targets"],
            swiftSettings: [
                .strictMemorySafety(),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .treatAllWarnings(as: .error),
            ])
    ],
    swiftLanguageModes: [.v6]
)
