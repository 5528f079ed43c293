import Foundation
import Handfast
import HandfastCrypto
import HandfastNode
import HandfastStore

/// What a node needs to receive: messages that wait at its relay are opened, verified, committed and acknowledged.
extension Suite {
    private enum Signing: String, CaseIterable {
        case singly, batch, ephemeral

        /// Messages that one command sends, which share a signature where they are several.
        var together: Int { self == .singly ? 1 : 50 }
    }

    private static let received = 2_000
    private static let receiveRuns = 5

    static func receive(in folder: URL, _ report: (Row) -> Void) async throws {
        let place = folder.appendingPathComponent("receive-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        let relay = try await RelayPlace(path: place.appendingPathComponent("relay.sqlite").path)
        let vaultFolder = VaultFolder(path: place.appendingPathComponent("vault").path)
        let keyFile = place.appendingPathComponent("key").path
        let sent = MemoryVaultStore()
        let customer = try await Person("Customer", vault: sent, at: relay.address)
        let shop = try await meet(customer, vaultFolder, keyFile, at: relay.address)
        let bare = BareDatabase(in: place)
        let verification = try verificationNanoseconds()
        for signing in Signing.allCases {
            var ours: [Double] = []
            var bares: [Double] = []
            for run in 0...receiveRuns {
                try await send(signing, from: customer, to: shop, until: { try await sent.isConfirmed(shop) })
                let time = try await receive(vaultFolder, keyFile, at: relay.address)
                let stored = try await bare.run(.store, count: received)
                _ = try await bare.run(.drain, count: received)
                guard run > 0 else { continue }
                ours.append(time)
                bares.append(stored.each(stored.elapsed))
            }
            let signatures = signing == .ephemeral ? 0 : 1 / Double(signing.together)
            report(Row("node/receive/\(signing.rawValue)", beside: "sqlite/bare", ours: ours, theirs: bares))
            report(
                Row(
                    "node/receive/\(signing.rawValue)", beside: "node/receive/goal", ours: ours,
                    theirs: bares.map { 2 * $0 + 1.1 * signatures * verification }))
        }
        await customer.stop()
        await relay.stop()
    }

    /// Makes a vendor, which is gone then: its vault is free.
    private static func meet(
        _ customer: Person, _ folder: VaultFolder, _ keyFile: String, at relay: RelayAddress
    ) async throws -> RelationshipID {
        let vault = try SQLiteVaultStore.create(in: folder, protection: .newKeyFile(path: keyFile))
        let vendor = try await Person("Vendor", vault: vault, at: relay)
        vendor.start()
        customer.start()
        try await Crowd.accept(try await vendor.node.invite().invitation.uri, by: customer)
        _ = try await customer.node.event(.relationshipLive)
        let shop = try await customer.node.find("Vendor")
        try await customer.node.send([.text("Hello")], to: shop)
        _ = try await vendor.node.event(.recordReceived) { $0.detail.text == "Hello" }
        await vendor.stop()
        await vault.close()
        return shop
    }

    /// Lets messages wait at the relay.
    private static func send(
        _ signing: Signing, from customer: Person, to shop: RelationshipID, until isConfirmed: () async throws -> Bool
    ) async throws {
        let text = String(repeating: "a", count: 900)
        for _ in stride(from: 0, to: received, by: signing.together) {
            let message = try OutgoingMessage(
                type: "message/text", body: TextMessage(text: text), isEphemeral: signing == .ephemeral)
            try await customer.node.send(Array(repeating: message, count: signing.together), to: shop)
        }
        while try await !isConfirmed() { try await Task.sleep(for: .milliseconds(5)) }
    }

    /// Elapsed time for each of the messages that wait, from the start of a node that is open until the last is committed.
    private static func receive(
        _ folder: VaultFolder, _ keyFile: String, at relay: RelayAddress
    ) async throws -> Double {
        let vault = try SQLiteVaultStore.open(folder, unlocking: .keyFile(path: keyFile))
        let vendor = try await Person("Vendor", vault: vault, at: relay)
        let before = vendor.node.lastEvent
        let began = ContinuousClock.now
        vendor.start()
        while vendor.node.lastEvent < before + Int64(received) { try await Task.sleep(for: .milliseconds(1)) }
        let time = Comparison.nanoseconds(began.duration(to: .now))
        await vendor.stop()
        await vault.close()
        return time / Double(received)
    }

    private static func verificationNanoseconds() throws -> Double {
        var random = SecureRandom()
        let key = SigningKey.generate(using: &random)
        let message = [UInt8](repeating: 0x61, count: 256)
        let signature = key.signature(for: message.bytes)
        func verify(_ count: Int) throws {
            for _ in 0..<count { try key.publicKey.verify(signature.bytes, of: message.bytes) }
        }
        return try Comparison.measure("", beside: "", ours: verify, theirs: { _ in }).median
    }
}

extension MemoryVaultStore {
    /// Whether the relay has everything that was sent to a relationship.
    fileprivate func isConfirmed(_ relationship: RelationshipID) async throws -> Bool {
        try await outboxHeads(of: relationship).allSatisfy { $0.next == $0.confirmed }
    }
}
