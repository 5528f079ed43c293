import HandfastCrypto
import HandfastRelay
import Testing

@testable import Handfast
@testable import HandfastNode
@testable import HandfastStore

/// New epochs of a channel, and what neither crashes, replays nor a relay that forgets can make of them.
@Suite(.serialized) struct RejoinTests {
    enum Side: String, CaseIterable, Sendable { case asker, answerer }
    enum Moment: String, CaseIterable, Sendable { case before, after }

    @Test(arguments: Side.allCases, Moment.allCases)
    func aCrashAtAnyCommitOfARejoinLosesNothing(side: Side, moment: Moment) async throws {
        // A rejoin takes fewer commits than this; beyond its end nothing fails, and the test ends there.
        for number in 1...40 {
            let world = try await World()
            let id = try await Self.forget(in: world)
            var faults = StoreFaults()
            let count = side == .asker ? number : world.vendor.store.commitCount + number
            switch moment {
            case .before: faults.failBefore = [count]
            case .after: faults.failAfter = [count]
            }
            try await world.customer.restart(faults: side == .asker ? faults : StoreFaults())
            if side == .answerer { world.vendor.store.inject(faults) }
            let store = side == .asker ? world.customer.store : world.vendor.store
            world.customer.start()
            let comment = "\(side) crashes \(moment) commit \(number)"
            try await until("a new epoch, \(comment)", world.vendor, world.customer) {
                let report = try await world.customer.node.relationship(id)
                let other = try await world.vendor.node.relationship(id)
                return report.epoch > 0 && !report.isRejoining && other.epoch == report.epoch
            }
            for (person, text) in [(world.customer, "from customer"), (world.vendor, "from vendor")] {
                try await until("sending, \(comment)", world.vendor, world.customer) {
                    _ = try await person.node.send([.text(text)], to: id, idempotencyKey: text)
                    return true
                }
            }
            try await until("delivery, \(comment)", world.vendor, world.customer) {
                let texts = (try await world.vendor.texts(), try await world.customer.texts())
                return texts.0.last == "from customer" && texts.1.last == "from vendor"
            }
            // The crash may come this late, so that what is read is read again.
            try await until("each text once, \(comment)", world.vendor, world.customer) {
                let texts = (try await world.vendor.texts(), try await world.customer.texts())
                return texts == (["forgotten", "from customer"], ["forgotten, too", "from vendor"])
            }
            try await until("equal ledgers, \(comment)", world.vendor, world.customer) {
                try await world.agree(id)
                return true
            }
            let reached = store.commitCount
            await world.end()
            if reached < count { break }
        }
    }

    /// What was sealed under the old epoch is not put any more, and the old channel is gone from both stores.
    /// Nothing would begin: a person is told so, and what to do instead.
    @Test func aStoppedRelationshipIsNotSaidToBeBegunAnew() async throws {
        let world = try await World()
        let id = try await world.meet()
        try await world.settle(id)
        await world.customer.stop()
        for stop in [DeliveryStop.closed, .blocked] {
            try await world.customer.node.keeper.perform { keeper, draft in
                let relationship = try await keeper.load(id)
                draft.touch(relationship)
                relationship.kept.stop = stop
            }
            await #expect(throws: NodeError.stopped(stop.rejoinText)) { try await world.customer.node.rejoin(id) }
            #expect(stop.rejoinText.contains("new invitation"))
        }
        #expect(try await world.customer.events(.rejoinAsked).isEmpty)
        await world.end()
    }

    @Test func afterACopyIsPutBackTheOldEpochSealsNothing() async throws {
        let store = RecordingRelayStore()
        let world = try await World(relay: LoopbackRelay(store: store))
        let id = try await Self.forget(in: world)
        try await world.customer.restart()
        let old = try #require(try await world.customer.store.relationship(id)?.channel)
        // Signed without knowing that the vault is old, and sealed by the old epoch.
        try await world.customer.node.send([.text("in vain")], to: id)
        let sealed = try #require(try await world.customer.store.outbox(of: id, limit: 9).last?.envelope)
        let before = store.envelopes
        world.customer.start()
        try await world.customer.event(.rejoinDone)
        try await world.agree(id)
        try await world.settle(id)
        let put = store.envelopes.subtracting(before)
        #expect(!put.contains(sealed))
        #expect(put.contains { Rejoin.isRejoin($0.bytes) })
        let channel = try #require(try await world.customer.store.relationship(id)?.channel)
        #expect(channel != old)
        #expect(try await world.vendor.events(.envelopeRefused).isEmpty)
        #expect(try await world.customer.events(.recordVoided).map(\.detail.text) == ["in vain"])
        await world.end()
    }

    /// A program that repeats a send must not be told that something void was sent.
    @Test func aSendThatBecameVoidIsNoSuccess() async throws {
        let world = try await World()
        _ = try await Self.forget(in: world)
        try await world.customer.restart()
        let commands = CommandExecutor(node: world.customer.node)
        let send = Command.send(
            relationship: "Vendor", messages: [try .text("in vain")], idempotencyKey: "once", wait: 20)
        // The vault looks like any other until the relay is asked.
        for _ in 0..<2 {
            guard case .failed(let failure) = await commands.execute(send) else { throw Failure("it was sent") }
            #expect(failure.message.contains("void"), "\(failure)")
        }
        let again = Command.send(
            relationship: "Vendor", messages: [try .text("in vain")], idempotencyKey: "twice", wait: 20)
        guard case .sent(let report) = await commands.execute(again) else { throw Failure("it was not sent") }
        #expect(report.waiting == 0 && !report.isRepeat)
        try await world.vendor.event(.recordReceived) { $0.detail.text == "in vain" }
        await world.end()
    }

    @Test func aStaleOrGarbledRejoinCausesAtMostOneOwnAnHour() async throws {
        let world = try await World()
        let id = try await world.meet()
        try await world.settle(id)
        let queue = try await world.queue(of: world.vendor, id)
        var rejoins: [[UInt8]] = []
        for epoch: UInt64 in 1...2 {
            rejoins.append(try await world.lastEnvelope { try await $0.rejoin(id) })
            try await world.agree(id, epoch: epoch)
        }
        // The one answered last is known; its answer is on its way.
        try await world.inject(rejoins[1], by: queue)
        #expect(try await world.vendor.events(.rejoinAsked).isEmpty)
        #expect(try await world.vendor.node.relationship(id).epoch == 2)
        var garbled = rejoins[1]
        garbled[600] ^= 1
        for bytes in [rejoins[0], rejoins[0], garbled, rejoins[0]] { try await world.inject(bytes, by: queue) }
        try await world.agree(id, epoch: 3)
        #expect(try await world.vendor.events(.rejoinAsked).count == 1)
        #expect(try await world.vendor.events(.rejoinRefused).count == 4)
        for bytes in [garbled, rejoins[0], rejoins[1]] { try await world.inject(bytes, by: queue) }
        #expect(try await world.vendor.events(.rejoinAsked).count == 1)
        try await world.customer.node.send([.text("goes on")], to: id)
        try await world.vendor.event(.recordReceived) { $0.detail.text == "goes on" }
        await world.end()
    }

    @Test func whatStandsWhereSomethingElseStoodShowsThatTheRelayWasTakenBack() async throws {
        let store = MemoryRelayStore()
        let key = LoopbackRelay.newKey()
        let world = try await World(relay: LoopbackRelay(store: store, key: key))
        let id = try await world.meet()
        try await world.settle(id)
        var faults = StoreFaults()
        faults.loseFrom = store.commitCount + 1
        store.inject(faults)
        try await world.customer.node.send([.text("one")], to: id)
        try await world.vendor.event(.recordReceived) { $0.detail.text == "one" }
        try await world.settle(id)
        await world.vendor.stop()
        await world.customer.stop()
        await world.relay.stop()
        let again = try await LoopbackRelay(store: store.reopened(), key: key, port: Int(world.relay.address.port))
        // The rejoin takes the position at which the vendor has received "one": numbers alone show nothing.
        try await world.customer.node.send([.text("two")], to: id)
        world.customer.start()
        try await world.customer.event(.rejoinAsked)
        try await world.settle(id)
        world.vendor.start()
        try await world.vendor.event(.relayRolledBack)
        try await world.vendor.event(.recordReceived) { $0.detail.text == "two" }
        #expect(try await world.vendor.texts() == ["one", "two"])
        try await world.agree(id)
        await world.end()
        await again.stop()
    }

    @Test func whoShowsNoSecretOfAnEarlierEpochIsAnsweredAndNamed() async throws {
        let world = try await World()
        let id = try await world.meet()
        try await world.settle(id)
        await world.customer.stop()
        var change = VaultChange()
        let version = try await world.customer.store.relationship(id)?.version
        change.relationship = RelationshipUpdate(id: id, expectedVersion: version, resume: .erased)
        _ = try await world.customer.store.commit([change])
        try await world.customer.restart()
        try await world.customer.node.rejoin(id)
        world.customer.start()
        try await world.agree(id, epoch: 1)
        #expect(try await world.vendor.event(.rejoinAnswered).detail.reason?.contains("words") == true)
        // From this epoch on there is one.
        try await world.customer.node.rejoin(id)
        try await world.agree(id, epoch: 2)
        #expect(try await world.vendor.events(.rejoinAnswered).last?.detail.reason == nil)
        await world.end()
    }

    /// Nothing breaks, nobody sends: only who asks again finds out.
    @Test func aRejoinThatTheRelayHasLostIsPutAgain() async throws {
        let store = ForgetfulRelayStore()
        let world = try await World(relay: LoopbackRelay(store: store))
        let id = try await world.meet()
        // An acknowledgement that is still on its way must not be among what is lost.
        try await until("quiet at the relay", world.vendor, world.customer) {
            let relay = store.behind
            let commits = relay.commitCount
            guard try relay.read({ $0.messages.isEmpty }), try await world.vendor.node.waiting(in: id) == 0,
                try await world.customer.node.waiting(in: id) == 0
            else { return false }
            return relay.commitCount == commits
        }
        await world.vendor.stop()
        store.loseWhatComes()
        try await world.customer.node.rejoin(id)
        try await until("the rejoin at the relay", world.customer) {
            try await world.customer.node.waiting(in: id) == 0
        }
        store.goBack()
        world.vendor.start()
        try await world.customer.event(.rejoinDone)
        try await world.agree(id, epoch: 1)
        #expect(try await world.customer.events(.rejoinAsked).count == 2)
        #expect(try await world.vendor.events(.rejoinAsked).isEmpty)
        await world.end()
    }

    /// What is said before all is returned goes behind it, whatever happens in between.
    @Test func manyRecordsComeBackInSeveralCommits() async throws {
        let store = RecordingRelayStore()
        let world = try await World(relay: LoopbackRelay(store: store))
        let (vendor, customer) = (world.vendor, world.customer)
        let id = try await world.meet()
        try await world.settle(id)
        var faults = StoreFaults()
        faults.loseFrom = customer.store.commitCount + 1
        customer.store.inject(faults)
        for hundred in 0..<3 {
            let texts = try (0..<100).map { try OutgoingMessage.text("\(hundred) \($0)") }
            try await vendor.node.send(texts, to: id)
            try await customer.node.send(texts, to: id)
        }
        try await world.agree(id)
        try await world.settle(id)
        await vendor.stop()
        try await customer.restart()
        customer.start()
        try await until("a rejoin", customer) { store.envelopes.contains { Rejoin.isRejoin($0.bytes) } }

        // The answer and the first records are committed; then nothing for a while.
        let failing = vendor.store.commitCount + 2
        faults = StoreFaults()
        faults.failBefore = [failing]
        vendor.store.inject(faults)
        let rejoin = try #require(store.envelopes.first { Rejoin.isRejoin($0.bytes) })
        try await world.inject(rejoin, by: try await world.queue(of: vendor, id))
        try await until("a failure") { vendor.store.commitCount >= failing }
        let rest = try #require(try await vendor.node.keeper.kept(id)?.returning)
        #expect((rest.own?.count ?? 0) + (rest.peer?.count ?? 0) > 600 - 2 * Int(Keeper.returnedPerCommit))
        try await vendor.node.send([.text("meanwhile")], to: id)
        let longer = try #require(try await vendor.node.keeper.kept(id)?.returning.own)
        #expect(longer.upperBound == (rest.own?.upperBound ?? 0) + 1)

        try await vendor.restart()
        vendor.start()
        try await customer.event(.recordReceived) { $0.detail.text == "meanwhile" }
        try await world.agree(id, epoch: 1)
        #expect(try await vendor.node.keeper.kept(id)?.returning.isEmpty == true)
        #expect(try await customer.events(.recordVoided).isEmpty)
        #expect(try await customer.events(.rejoinDone).count == 1)
        await world.end()
    }

    @Test func twoRejoinsThatCrossMakeOneEpoch() async throws {
        let world = try await World()
        let id = try await world.meet()
        try await world.settle(id)
        await world.vendor.stop()
        await world.customer.stop()
        try await world.vendor.node.rejoin(id)
        try await world.customer.node.rejoin(id)
        world.vendor.start()
        world.customer.start()
        try await world.agree(id, epoch: 1)
        for (person, text) in [(world.customer, "from customer"), (world.vendor, "from vendor")] {
            try await person.node.send([.text(text)], to: id)
        }
        try await world.vendor.event(.recordReceived) { $0.detail.text == "from customer" }
        try await world.customer.event(.recordReceived) { $0.detail.text == "from vendor" }
        await world.end()
    }

    @Test func aRotationInFrontOfARejoinArrives() async throws {
        let world = try await World()
        let id = try await world.meet()
        try await world.settle(id)
        await world.customer.stop()
        try await world.customer.node.rotate(id)
        try await world.customer.node.rejoin(id)
        world.customer.start()
        try await world.agree(id, epoch: 1)
        try await world.customer.node.send([.text("with the new key")], to: id)
        try await world.vendor.event(.recordReceived) { $0.detail.text == "with the new key" }
        #expect(try await world.vendor.events(.peerRotated).count == 1)
        await world.end()
    }

    @Test func whileNothingCanBeSentItIsSaidWhy() async throws {
        let world = try await World()
        let id = try await world.meet()
        try await world.settle(id)
        await world.vendor.stop()
        try await world.customer.node.rejoin(id)
        let report = try await world.customer.node.relationship(id)
        #expect(report.isRejoining && report.trouble?.contains("not answered yet") == true)
        #expect(try await world.customer.node.doctor().contains { $0.what.contains("not answered yet") })
        let node = world.customer.node
        await #expect(throws: NodeError.self) { try await node.send([.text("too early")], to: id) }
        await #expect(throws: NodeError.self) { try await node.rotate(id) }
        let reply = await CommandExecutor(node: node).execute(
            .send(relationship: "Vendor", messages: [try .text("too early")], idempotencyKey: nil, wait: 0))
        guard case .failed(let failure) = reply else { throw Failure("\(reply)") }
        #expect(failure.kind == .unavailable && failure.message.contains("not answered yet"))
        // Whoever does not want to wait can end it on this side.
        try await node.end(id)
        #expect(try await node.relationship(id).state == "ended")
        await #expect(throws: NodeError.self) { try await node.rejoin(id) }
        await world.end()
    }

    /// The customer's vault was at work twice, and the vendor's is an older copy that has heard the second one.
    @Test func whereCopiesOfBothSidesWereAtWorkBothFreeze() async throws {
        let world = try await World()
        let id = try await world.meet()
        try await world.settle(id)
        let another = try await world.customer.node.keeper.perform { keeper, draft in
            let relationship = try await keeper.load(id)
            var copy = relationship.kept.relationship
            return try copy.append(
                TextMessage(text: "another story"), at: draft.now, with: relationship.identity, using: &keeper.entropy)
        }
        var faults = StoreFaults()
        faults.loseFrom = world.vendor.store.commitCount + 1
        world.vendor.store.inject(faults)
        try await world.customer.node.send([.text("one story")], to: id)
        try await world.vendor.event(.recordReceived) { $0.detail.text == "one story" }
        try await world.vendor.node.send([.text("heard")], to: id)
        try await world.customer.event(.recordReceived) { $0.detail.text == "heard" }
        try await world.settle(id)
        try await world.vendor.restart()
        try await world.vendor.node.keeper.perform { keeper, draft in
            let relationship = try await keeper.load(id)
            draft.touch(relationship)
            try await keeper.receive([another], in: relationship, draft)
        }
        world.vendor.start()
        let own = try await world.customer.event(.relationshipFrozen)
        #expect(own.detail.reason?.contains("Two copies of this vault") == true)
        let peers = try await world.vendor.event(.relationshipFrozen)
        #expect(peers.detail.reason?.contains("two different records") == true)
        for person in [world.customer, world.vendor] {
            let report = try await person.node.relationship(id)
            #expect(report.state == "frozen" && !report.isRejoining)
            #expect(report.trouble?.contains("meet again by a new invitation") == true)
            #expect(try await person.events(.relationshipFrozen).count == 1)
            #expect(try await person.events(.recordVoided).isEmpty)
            try await person.node.end(id)
            #expect(try await person.node.relationship(id).state == "ended")
        }
        #expect(try await world.vendor.texts() == ["another story"])
        #expect(try await world.customer.texts() == ["heard"])
        await world.end()
    }

    /// A copy of the customer's vault has begun so many epochs that the vault shares none with the vendor, and has made the
    /// vendor send to a queue of which only the copy knows. The vault names a new one, as after a day without an answer.
    @Test func whoListensWhereACopyDidNotIsFoundThoughNoEpochIsShared() async throws {
        let world = try await World()
        let (vendor, customer) = (world.vendor, world.customer)
        let id = try await world.meet()
        try await world.settle(id)
        var faults = StoreFaults()
        faults.loseFrom = customer.store.commitCount + 1
        customer.store.inject(faults)
        try await Self.rejoinFromNewQueue(customer, id)
        for epoch: UInt64 in 1...4 {
            if epoch > 1 { try await customer.node.rejoin(id) }
            try await world.agree(id, epoch: epoch)
        }
        try await customer.restart()
        #expect(try await customer.node.relationship(id).epoch == 0)
        try await Self.rejoinFromNewQueue(customer, id, after: 5)
        customer.start()
        try await world.agree(id, epoch: 6)
        // Persons on both sides are told that the epoch resumes none.
        try await vendor.event(.rejoinAsked) { $0.detail.reason?.contains("words") == true }
        try await customer.event(.rejoinAnswered) { $0.detail.reason?.contains("words") == true }
        for (sender, reader) in [(customer, vendor), (vendor, customer)] {
            let text = "from \(sender.name)"
            try await until("sending", vendor, customer) {
                try await sender.node.send([.text(text)], to: id, idempotencyKey: text)
                return true
            }
            try await reader.event(.recordReceived) { $0.detail.text == text }
        }
        await world.end()
    }

    // MARK: Scenes

    /// Asks for the epoch after one that this side has heard of, and says that it receives by a new queue.
    private static func rejoinFromNewQueue(
        _ person: Person, _ id: RelationshipID, after epoch: UInt64 = 0
    ) async throws {
        try await person.node.keeper.perform { keeper, draft in
            let relationship = try await keeper.load(id)
            draft.touch(relationship)
            relationship.kept.policy.highestSeen = epoch
            try await keeper.renewQueues(of: relationship, withNewServices: false, draft)
            try await keeper.rejoin(relationship, because: .person, draft)
        }
    }

    /// Two meet; then the customer's disk keeps nothing of what both say. Its node is still to be restarted.
    private static func forget(in world: World) async throws -> RelationshipID {
        let id = try await world.meet()
        try await world.settle(id)
        var faults = StoreFaults()
        faults.loseFrom = world.customer.store.commitCount + 1
        world.customer.store.inject(faults)
        try await world.customer.node.send([.text("forgotten")], to: id)
        try await world.vendor.event(.recordReceived) { $0.detail.text == "forgotten" }
        try await world.vendor.node.send([.text("forgotten, too")], to: id)
        try await world.customer.event(.recordReceived) { $0.detail.text == "forgotten, too" }
        try await world.settle(id)
        return id
    }
}
