import CBrokers
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

    private static let received = 5_000
    private static let receiveRuns = 5
    /// The node commits what has gathered; the bare store so many at once.
    private static let bareBatch = 250

    static func receive(in folder: URL, _ report: (Row) -> Void) async throws {
        let place = folder.appendingPathComponent("receive-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let relay = try ServerProcess(
            program.appendingPathComponent("RelayProcess").path,
            [place.appendingPathComponent("relay.sqlite").path], in: place)
        defer { relay.stop() }
        let address = try RelayAddress(text: relay.line())
        let vaultFolder = VaultFolder(path: place.appendingPathComponent("vault").path)
        let keyFile = place.appendingPathComponent("key").path
        let sent = MemoryVaultStore()
        let customer = try await Person("Customer", vault: sent, at: address)
        let shop = try await meet(customer, vaultFolder, keyFile, at: address)
        let verification = try verificationNanoseconds()
        for signing in Signing.allCases {
            var ours: [Receiver.Report] = []
            var bares: [(elapsed: Double, processor: Double)] = []
            for run in 0...receiveRuns {
                try await send(signing, from: customer, to: shop, until: { try await sent.isConfirmed(shop) })
                let time = try Receiver.run(vaultFolder, keyFile, at: address, count: received)
                let bare = try storeBare(signing, in: place)
                guard run > 0 else { continue }
                ours.append(time)
                bares.append(bare)
            }
            let signatures = signing == .ephemeral ? 0 : 1 / Double(signing.together)
            let (elapsed, processor) = (ours.map(\.elapsedNanoseconds), ours.map(\.processorNanoseconds))
            let name = "node/receive/\(signing.rawValue)"
            report(Row(name, beside: "sqlite/bare", ours: elapsed, theirs: bares.map(\.elapsed)))
            report(
                Row(
                    name, beside: "node/receive/goal", ours: elapsed,
                    theirs: bares.map { 2 * $0.elapsed + 1.1 * signatures * verification }))
            report(
                Row(
                    "\(name)/cpu", beside: "node/receive/goal", ours: processor,
                    theirs: bares.map { 2 * $0.processor + 1.1 * signatures * verification }))
        }
        await customer.stop()
    }

    /// What a C loop takes that writes as many rows as the node must, of the sizes that they have sealed.
    private static func storeBare(
        _ signing: Signing, in place: URL
    ) throws -> (elapsed: Double, processor: Double) {
        let path = place.appendingPathComponent("bare-\(signing.rawValue).sqlite").path
        let run =
            signing == .ephemeral
            ? unsafe bare_vault(path, received, 0, 1_050, bareBatch)
            : unsafe bare_vault(path, received, signing == .batch ? 1_550 : 1_300, 130, bareBatch)
        guard run.elapsed > 0 else { throw BenchmarkError.peerFailed("sqlite/bare") }
        return (Double(run.elapsed) / Double(received), Double(run.clients) / Double(received))
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
        let message = try OutgoingMessage(
            type: "message/text", body: TextMessage(text: text), isEphemeral: signing == .ephemeral)
        let commands = received / signing.together
        // Commands that come together are committed together, each with its own signature.
        for start in stride(from: 0, to: commands, by: 100) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in start..<min(start + 100, commands) {
                    group.addTask { [node = customer.node] in
                        try await node.send(Array(repeating: message, count: signing.together), to: shop)
                    }
                }
                try await group.waitForAll()
            }
        }
        while try await !isConfirmed() { try await Task.sleep(for: .milliseconds(5)) }
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
