import Handfast
import HandfastNode
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite struct CommandSocketTests {
    @Test func aRunningNodeAnswersAndStreamsOnItsSocket() async throws {
        let relay = try await LoopbackRelay()
        let vendor = try await Person("Vendor", at: relay.address)
        let customer = try await Person("Customer", at: relay.address)
        vendor.start()
        customer.start()
        let path = "/tmp/handfast-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
        let executor = CommandExecutor(node: customer.node)
        let server = try await CommandServer.listen(socketPath: path) { executor.replies(to: $0) }
        let serving = Task { await server.run() }
        let client = CommandClient(socketPath: path)

        let invited = await CommandExecutor(node: vendor.node).execute(.invite(label: nil, wait: 120))
        guard case .invitation(let invitation) = invited else { throw Failure("\(invited)") }
        let watching = Task {
            var seen: [NodeEvent.Kind] = []
            for await reply in client.replies(to: .watch(after: 0, relationship: nil)) {
                guard case .events(let events) = reply else { throw Failure("\(reply)") }
                seen += events.map(\.kind)
                if seen.contains(.recordReceived) { break }
            }
            return seen
        }
        let accepted = await client.execute(.accept(invitation: invitation.uri, label: "Shop", wait: 120))
        guard case .relationship = accepted else { throw Failure("\(accepted)") }
        try await customer.event(.relationshipLive)
        let sent = await client.execute(
            .send(relationship: "Shop", messages: [try .text("by socket")], idempotencyKey: "1", wait: 120))
        guard case .sent(let report) = sent else { throw Failure("\(sent)") }
        #expect(report.waiting == 0)
        let arrived = try await vendor.event(.recordReceived) { $0.detail.text == "by socket" }
        let id = try RelationshipID(text: arrived.relationship ?? "")
        try await vendor.node.send([.text("answer")], to: id)
        let seen = try await watching.value
        #expect(seen.first == .relationshipGreeted)
        guard
            case .entries(let entries) = await client.execute(
                .read(relationship: "Shop", sender: .own, after: 0, limit: 10, wait: 0))
        else { throw Failure("no entries") }
        #expect(entries.compactMap(\.text) == ["by socket"])
        guard case .failed(let failure) = await client.execute(.show(relationship: "nobody")) else {
            throw Failure("shown")
        }
        #expect(failure.kind == .usage)
        serving.cancel()
        await serving.value
        await vendor.stop()
        await customer.stop()
        await relay.stop()
    }

    @Test func withoutANodeTheClientSaysSo() async {
        let client = CommandClient(socketPath: "/tmp/handfast-no-such-socket")
        guard case .failed(let failure) = await client.execute(.list) else {
            Issue.record("answered")
            return
        }
        #expect(failure.kind == .tryAgain)
    }
}
