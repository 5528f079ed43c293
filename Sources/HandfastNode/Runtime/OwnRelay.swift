public import Handfast
internal import HandfastRelay

/// A relay that the node serves beside its own work.
public struct OwnRelay: Sendable {
    /// Where others find it.
    public let address: RelayAddress
    private let serve: @Sendable () async throws -> Void

    /// A relay that `serve` runs until its task is cancelled.
    public init(address: RelayAddress, serve: @escaping @Sendable () async throws -> Void) {
        self.address = address
        self.serve = serve
    }

    func run() async throws {
        try await serve()
    }
}
