import Handfast
import HandfastCrypto
import HandfastStore
import Testing

@testable import HandfastNode

/// The one owner of a vault's state.
@Suite struct KeeperTests {
    /// Operations that share a commit read each other's rows, but not those of one that failed.
    @Test func whatAFailedOperationKeptIsNotReadByTheNext() async throws {
        let node = try await Node.open(NodeConfiguration(), store: MemoryVaultStore())
        let keeper = node.keeper
        let key = WalletKey(.recovery, Array("row".utf8))
        try await keeper.perform { keeper, draft in try keeper.keep(UInt64(1), at: key, draft) }
        // While this one works the others come, so that they are done together.
        async let first: Void = keeper.perform { _, _ in for _ in 0..<500 { await Task.yield() } }
        let failing = Task {
            try await keeper.perform { keeper, draft in
                try keeper.keep(UInt64(2), at: key, draft)
                try keeper.removeWalletRow(at: key, draft)
                throw NodeError.badData("on purpose")
            }
        }
        async let reading = keeper.perform { keeper, _ in try await keeper.walletRow(UInt64.self, key) }
        try await first
        await #expect(throws: NodeError.badData("on purpose")) { try await failing.value }
        let read = try await reading
        #expect(read == 1)
        #expect(try await keeper.walletRow(UInt64.self, key) == 1)
    }
}
