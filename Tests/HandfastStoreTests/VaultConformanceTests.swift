import HandfastChannel
import HandfastCrypto
import Testing

@testable import HandfastStore

@Suite struct VaultConformanceTests {
    @Test(arguments: StoreEngine.allCases)
    func everythingOfAChangeIsThereAfterReopening(_ engine: StoreEngine) async throws {
        var vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        var change = Make.newRelationship(1)
        change.relationship?.auxiliary = .set([7])
        change.entries = [Make.entry(1, 1), Make.entry(1, 1, direction: .inviter), Make.entry(1, 2)]
        change.outbox = [try Make.outboxItem(1, queue: 5, 0)]
        change.cursor = ServiceCursor(service: try Make.service(1), position: 9)
        change.identities = [IdentityRow(id: IdentityID(Make.digest(2)), bytes: [1])]
        change.invitations = [InvitationRow(knock: Make.knock(3), bytes: [2])]
        change.bundles = [BundleRow(hash: Make.digest(4), bytes: [3], eraseAfter: Make.time(100))]
        change.hellos = [HelloRow(hash: Make.digest(6), relationship: Make.relationship(1), eraseAfter: Make.time(100))]
        change.spentTickets = [SpentTicket(knock: Make.knock(3), relationship: Make.relationship(1))]
        change.services = [ServiceRow(key: try Make.service(1), bytes: [4])]
        change.queues = [
            QueueRow(id: try Make.queue(7), relationship: Make.relationship(1), bytes: [5]),
            QueueRow(id: try Make.queue(8), relationship: nil, tendedBy: try Make.service(1), bytes: [6]),
        ]
        change.events = [
            EventDraft(relationship: Make.relationship(1), payload: [8]), EventDraft(relationship: nil, payload: []),
        ]
        change.idempotency = [IdempotencyRow(key: [9], result: [10], eraseAfter: Make.time(100))]
        #expect(try await vault.store.commit([change]) == [.committed(events: [1, 2])])
        try await vault.reopen()

        let store = vault.store
        let stored = try #require(try await store.relationship(Make.relationship(1)))
        #expect(stored.version == 1)
        #expect(stored.state == Make.bytes(1))
        #expect(stored.channel == Make.bytes(1))
        #expect(stored.auxiliary == [7])
        #expect(try await store.relationships(after: 0, limit: 10).map(\.id) == [Make.relationship(1)])
        let entries = try await store.entries(of: Make.relationship(1), direction: .invitee, from: 1, limit: 10)
        #expect(entries.map(\.sequence) == [1, 2])
        #expect(entries.map(\.bytes) == [Make.bytes(1), Make.bytes(2)])
        #expect(
            try await store.recordHash(of: Make.relationship(1), direction: .inviter, sequence: 1)
                == Make.digest(1001))
        #expect(try await store.recordHash(of: Make.relationship(1), direction: .inviter, sequence: 2) == nil)
        #expect(try await store.outbox(of: Make.relationship(1), limit: 10) == change.outbox)
        #expect(try await store.relationshipsWithOutbox(after: 0, limit: 10).map(\.id) == [Make.relationship(1)])
        #expect(try await store.identity(IdentityID(Make.digest(2)))?.bytes == [1])
        #expect(try await store.identities(after: 0, limit: 10).count == 1)
        let invitation = try #require(try await store.invitation(Make.knock(3)))
        #expect(invitation.bytes == [2])
        #expect(invitation.spentBy == Make.relationship(1))
        #expect(try await store.invitations(after: 0, limit: 10) == [invitation])
        #expect(try await store.bundle(Make.digest(4))?.bytes == [3])
        #expect(try await store.bundles(after: 0, limit: 10).map(\.eraseAfter) == [Make.time(100)])
        #expect(try await store.hello(Make.digest(6)) == Make.relationship(1))
        #expect(try await store.services(after: 0, limit: 10).map(\.cursor) == [9])
        #expect(try await store.service(Make.service(1))?.cursor == 9)
        #expect(try await store.service(Make.service(2)) == nil)
        #expect(try await store.queue(Make.queue(7))?.relationship == Make.relationship(1))
        #expect(
            try await store.queues(tendedBy: Make.service(1), after: 0, limit: 10).map(\.bytes) == [[6]])
        #expect(try await store.events(after: 0, limit: 10).map(\.payload) == [[8], []])
        #expect(try await store.events(after: 1, limit: 10).map(\.relationship) == [nil])
        #expect(try await store.lastEventPosition() == 2)
        #expect(try await store.idempotentResult([9]) == [10])
    }

    @Test(arguments: StoreEngine.allCases)
    func queuesAreListedUnderAServiceWhileItHasSomethingToDo(_ engine: StoreEngine) async throws {
        let vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        let store = vault.store
        let services = (try Make.service(1), try Make.service(2))
        func row(_ number: Int, tendedBy service: VerificationKey?) throws -> QueueRow {
            QueueRow(id: try Make.queue(number), relationship: nil, tendedBy: service, bytes: [UInt8(number)])
        }
        func tended(by service: VerificationKey, after: Int64 = 0, limit: Int = 10) async throws -> [StoredQueue] {
            try await store.queues(tendedBy: service, after: after, limit: limit)
        }
        var change = VaultChange()
        change.queues = [
            try row(1, tendedBy: services.0), try row(2, tendedBy: nil), try row(3, tendedBy: services.0),
            try row(4, tendedBy: services.1),
        ]
        _ = try await store.commit([change])
        let first = try #require(try await tended(by: services.0, limit: 1).first)
        #expect(first.bytes == [1])
        #expect(try await tended(by: services.0, after: first.position).map(\.bytes) == [[3]])
        change.queues = [try row(1, tendedBy: nil), try row(2, tendedBy: services.0)]
        change.closedQueues = [try Make.queue(3)]
        _ = try await store.commit([change])
        #expect(try await tended(by: services.0).map(\.bytes) == [[2]])
        #expect(try await tended(by: services.1).map(\.bytes) == [[4]])
        #expect(try await store.queue(Make.queue(1))?.bytes == [1])
    }

    @Test(arguments: StoreEngine.allCases)
    func relationshipsAreListedWhileTimeMayGiveThemSomethingToDo(_ engine: StoreEngine) async throws {
        var vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        func timed(after: Int64 = 0, limit: Int = 10) async throws -> [RelationshipSummary] {
            try await vault.store.timedRelationships(after: after, limit: limit)
        }
        func step(_ number: Int, from version: Int64, state: [UInt8]?, isTimed: Bool) -> VaultChange {
            var change = VaultChange()
            change.relationship = RelationshipUpdate(
                id: Make.relationship(number), expectedVersion: version, state: state.map { .set($0) } ?? .unchanged,
                isTimed: isTimed)
            return change
        }
        var changes = (1...4).map { Make.newRelationship($0) }
        for index in [0, 2, 3] { changes[index].relationship?.isTimed = true }
        _ = try await vault.store.commit(changes)
        let first = try #require(try await timed(limit: 1).first)
        #expect(first.id == Make.relationship(1))
        #expect(first.state == Make.bytes(1))
        #expect(try await timed(after: first.position).map(\.id) == [Make.relationship(3), Make.relationship(4)])
        var forgotten = VaultChange()
        forgotten.forgotten = [Make.relationship(4)]
        _ = try await vault.store.commit([
            step(1, from: 1, state: [1], isTimed: false), step(2, from: 1, state: [2], isTimed: true),
            step(3, from: 1, state: nil, isTimed: false), forgotten,
        ])
        try await vault.reopen()
        let last = try await timed()
        #expect(last.map(\.id) == [Make.relationship(2), Make.relationship(3)])
        #expect(last.map(\.state) == [[2], Make.bytes(3)])
        #expect(last.map(\.version) == [2, 2])
    }

    @Test(arguments: StoreEngine.allCases)
    func invitationsAreReadFromEitherEnd(_ engine: StoreEngine) async throws {
        let vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        let store = vault.store
        var change = VaultChange()
        change.invitations = (1...5).map { InvitationRow(knock: Make.knock($0), bytes: [UInt8($0)]) }
        _ = try await store.commit([change])
        let oldest = try await store.invitations(after: 0, limit: 2)
        #expect(oldest.map(\.bytes) == [[1], [2]])
        let latest = try await store.invitations(before: .max, limit: 2)
        #expect(latest.map(\.bytes) == [[5], [4]])
        let rest = try await store.invitations(before: try #require(latest.last).position, limit: 10)
        #expect(rest.map(\.bytes) == [[3], [2], [1]])
    }

    @Test(arguments: StoreEngine.allCases)
    func aLostComparisonFailsOnlyItsOwnChange(_ engine: StoreEngine) async throws {
        let vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        let store = vault.store
        _ = try await store.commit([Make.newRelationship(1), Make.newRelationship(2)])
        var stale = VaultChange()
        stale.relationship = RelationshipUpdate(
            id: Make.relationship(1), expectedVersion: 7, channel: .set([1]))
        stale.entries = [Make.entry(1, 1)]
        stale.events = [EventDraft(relationship: nil, payload: [1])]
        var good = VaultChange()
        good.relationship = RelationshipUpdate(id: Make.relationship(2), expectedVersion: 1, channel: .set([2]))
        good.events = [EventDraft(relationship: nil, payload: [2])]
        let outcomes = try await store.commit([stale, good, Make.newRelationship(2)])
        #expect(
            outcomes == [
                .conflict(.version(Make.relationship(1), stored: 1)), .committed(events: [1]),
                .conflict(.version(Make.relationship(2), stored: 2)),
            ])
        #expect(try await store.relationship(Make.relationship(1))?.channel == Make.bytes(1))
        #expect(try await store.relationship(Make.relationship(2))?.channel == [2])
        #expect(try await store.entries(of: Make.relationship(1), direction: .invitee, from: 0, limit: 9).isEmpty)
    }

    @Test(arguments: StoreEngine.allCases)
    func oneOfTwoStepsFromTheSameVersionWins(_ engine: StoreEngine) async throws {
        let vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        let store = vault.store
        _ = try await store.commit([Make.newRelationship(1)])
        var step = VaultChange()
        step.relationship = RelationshipUpdate(id: Make.relationship(1), expectedVersion: 1, channel: .set([1]))
        #expect(
            try await store.commit([step, step]) == [
                .committed(events: []), .conflict(.version(Make.relationship(1), stored: 2)),
            ])
    }

    @Test(arguments: StoreEngine.allCases)
    func partsNotNamedStayAsTheyAre(_ engine: StoreEngine) async throws {
        var vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        _ = try await vault.store.commit([Make.newRelationship(1)])
        var change = VaultChange()
        change.relationship = RelationshipUpdate(
            id: Make.relationship(1), expectedVersion: 1, state: .set([1]), auxiliary: .set([2]))
        _ = try await vault.store.commit([change])
        change.relationship = RelationshipUpdate(id: Make.relationship(1), expectedVersion: 2, auxiliary: .erased)
        _ = try await vault.store.commit([change])
        try await vault.reopen()
        let stored = try #require(try await vault.store.relationship(Make.relationship(1)))
        #expect(stored.version == 3)
        #expect(stored.state == [1])
        #expect(stored.channel == Make.bytes(1))
        #expect(stored.auxiliary == nil)
        change.relationship = RelationshipUpdate(id: Make.relationship(1), expectedVersion: 3, channel: .erased)
        _ = try await vault.store.commit([change])
        #expect(try await vault.store.relationship(Make.relationship(1))?.channel == nil)
    }

    @Test(arguments: StoreEngine.allCases)
    func aHelloATicketAndAKeyCountOnce(_ engine: StoreEngine) async throws {
        let vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        let store = vault.store
        var hello = VaultChange()
        hello.hellos = [HelloRow(hash: Make.digest(1), relationship: Make.relationship(1), eraseAfter: Make.time(5))]
        var ticket = VaultChange()
        ticket.spentTickets = [SpentTicket(knock: Make.knock(2), relationship: Make.relationship(1))]
        var key = VaultChange()
        key.idempotency = [IdempotencyRow(key: [3], result: [1], eraseAfter: Make.time(5))]
        _ = try await store.commit([hello, ticket, key])
        #expect(
            try await store.commit([hello, ticket, key]) == [
                .conflict(.hello(Make.digest(1))), .conflict(.ticket(Make.knock(2))), .conflict(.idempotency(key: [3])),
            ])
    }

    @Test(arguments: StoreEngine.allCases)
    func aRecordStoredTwiceFailsTheWholeBatch(_ engine: StoreEngine) async throws {
        let vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        let store = vault.store
        var first = Make.newRelationship(1)
        first.entries = [Make.entry(1, 1)]
        _ = try await store.commit([first])
        var again = VaultChange()
        again.entries = [Make.entry(1, 1)]
        await #expect(throws: StoreError.self) { _ = try await store.commit([Make.newRelationship(2), again]) }
        #expect(try await store.relationship(Make.relationship(2)) == nil)
        var orphan = VaultChange()
        orphan.entries = [Make.entry(3, 1)]
        await #expect(throws: StoreError.missing("relationship \(Make.relationship(3))")) {
            _ = try await store.commit([orphan])
        }
    }

    @Test(arguments: StoreEngine.allCases)
    func anErasedBodyLeavesHashAndPlace(_ engine: StoreEngine) async throws {
        var vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        var change = Make.newRelationship(1)
        change.entries = [Make.entry(1, 1), Make.entry(1, 2)]
        _ = try await vault.store.commit([change])
        var erased = Make.entry(1, 1)
        erased.bytes = [0]
        var erasure = VaultChange()
        erasure.erasedEntries = [erased]
        _ = try await vault.store.commit([erasure])
        _ = try await vault.store.commit([erasure])
        try await vault.reopen()
        let entries = try await vault.store.entries(of: Make.relationship(1), direction: .invitee, from: 1, limit: 5)
        #expect(entries.map(\.bytes) == [[0], Make.bytes(2)])
        #expect(entries.first?.hash == Make.entry(1, 1).hash)
        erasure.erasedEntries[0].hash = Make.digest(0)
        let store = vault.store
        await #expect(throws: StoreError.self) { _ = try await store.commit([erasure]) }
    }

    @Test(arguments: StoreEngine.allCases)
    func theOutboxOfOneQueueIsReadFromANumberOn(_ engine: StoreEngine) async throws {
        let vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        var change = Make.newRelationship(1)
        for queue in 4...5 { change.outbox += try (0..<3).map { try Make.outboxItem(1, queue: queue, $0) } }
        _ = try await vault.store.commit([change])
        for (queue, from, limit, numbers) in [
            (4, 0, 10, [0, 1, 2]), (5, 0, 10, [0, 1, 2]), (5, 1, 10, [1, 2]), (4, 1, 1, [1]), (4, 3, 10, []),
            (6, 0, 10, []),
        ] as [(Int, UInt64, Int, [UInt64])] {
            let items = try await vault.store.outbox(
                of: Make.relationship(1), queue: Make.queue(queue), from: from, limit: limit)
            #expect(try items == numbers.map { try Make.outboxItem(1, queue: queue, $0) })
        }
        let none = try await vault.store.outbox(of: Make.relationship(2), queue: Make.queue(4), from: 0, limit: 10)
        #expect(none.isEmpty)
    }

    @Test(arguments: StoreEngine.allCases)
    func theOutboxKeepsOrderAndRemembersWhatWasConfirmed(_ engine: StoreEngine) async throws {
        var vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        var change = Make.newRelationship(1)
        change.outbox = try (0..<5).map { try Make.outboxItem(1, queue: 5, $0) }
        _ = try await vault.store.commit([Make.newRelationship(2), change])
        var confirmation = VaultChange()
        confirmation.outboxConfirmed = [
            OutboxConfirmation(relationship: Make.relationship(1), queue: try Make.queue(5), through: 2)
        ]
        _ = try await vault.store.commit([confirmation])
        _ = try await vault.store.commit([confirmation])
        #expect(try await vault.store.outbox(of: Make.relationship(1), limit: 10).map(\.number) == [3, 4])
        #expect(try await vault.store.outbox(of: Make.relationship(1), limit: 1).map(\.number) == [3])
        let head = OutboxHead(
            queue: try Make.queue(5), confirmed: 3, confirmedChain: Make.digest(2002), next: 5,
            chain: Make.digest(2004))
        #expect(try await vault.store.outboxHeads(of: Make.relationship(1)) == [head])
        confirmation.outboxConfirmed[0].through = 4
        _ = try await vault.store.commit([confirmation])
        try await vault.reopen()
        #expect(try await vault.store.outbox(of: Make.relationship(1), limit: 10).isEmpty)
        #expect(try await vault.store.relationshipsWithOutbox(after: 0, limit: 10).isEmpty)
        let done = OutboxHead(
            queue: try Make.queue(5), confirmed: 5, confirmedChain: Make.digest(2004), next: 5,
            chain: Make.digest(2004))
        #expect(try await vault.store.outboxHeads(of: Make.relationship(1)) == [done])
    }

    @Test(arguments: StoreEngine.allCases)
    func anAdoptedQueueForgetsWhatWaitedAndGoesOnFromTheRelaysNumber(_ engine: StoreEngine) async throws {
        var vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        var change = Make.newRelationship(1)
        change.outbox = try (0..<5).map { try Make.outboxItem(1, queue: 5, $0) }
        change.outbox.append(try Make.outboxItem(1, queue: 6, 0))
        change.outboxConfirmed = [
            OutboxConfirmation(relationship: Make.relationship(1), queue: try Make.queue(5), through: 2)
        ]
        _ = try await vault.store.commit([change])
        // Ahead of all that was sent, behind what was confirmed, and to the beginning.
        for next: UInt64 in [9, 1, 0] {
            var adoption = VaultChange()
            adoption.adoptions = [
                QueueAdoption(
                    relationship: Make.relationship(1), queue: try Make.queue(5), next: next, chain: Make.digest(7))
            ]
            adoption.outbox = [try Make.outboxItem(1, queue: 5, next)]
            _ = try await vault.store.commit([adoption])
            try await vault.reopen()
            let item = try Make.outboxItem(1, queue: 5, next)
            let items = try await vault.store.outbox(of: Make.relationship(1), limit: 10)
            #expect(items.filter { $0.queue == item.queue } == [item])
            #expect(items.count == 2, "another queue is left alone")
            let head = OutboxHead(
                queue: item.queue, confirmed: next, confirmedChain: Make.digest(7), next: next + 1, chain: item.chain)
            #expect(try await vault.store.outboxHeads(of: Make.relationship(1)).contains(head))
        }
    }

    @Test(arguments: StoreEngine.allCases)
    func voidedRecordsMakeRoomForOthers(_ engine: StoreEngine) async throws {
        var vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        var change = Make.newRelationship(1)
        change.entries = [
            Make.entry(1, 1), Make.entry(1, 2), Make.entry(1, 3), Make.entry(1, 1, direction: .inviter),
            Make.entry(1, 2, direction: .inviter),
        ]
        _ = try await vault.store.commit([change])
        var other = Make.entry(1, 2)
        other.hash = Make.digest(99)
        other.bytes = [9]
        var voiding = VaultChange()
        voiding.voided = [VoidedEntries(relationship: Make.relationship(1), direction: .invitee, from: 2)]
        voiding.entries = [other]
        _ = try await vault.store.commit([voiding])
        try await vault.reopen()
        let own = try await vault.store.entries(of: Make.relationship(1), direction: .invitee, from: 1, limit: 9)
        #expect(own.map(\.bytes) == [Make.entry(1, 1).bytes, [9]])
        #expect(
            try await vault.store.recordHash(of: Make.relationship(1), direction: .invitee, sequence: 2)
                == Make.digest(99))
        let peers = try await vault.store.entries(of: Make.relationship(1), direction: .inviter, from: 1, limit: 9)
        #expect(peers.count == 2, "the other direction is left alone")
    }

    @Test(arguments: StoreEngine.allCases)
    func secretsOfLaterEpochsStayUntilTheyChange(_ engine: StoreEngine) async throws {
        var vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        _ = try await vault.store.commit([Make.newRelationship(1)])
        #expect(try await vault.store.relationship(Make.relationship(1))?.resume == nil)
        var change = VaultChange()
        change.relationship = RelationshipUpdate(id: Make.relationship(1), expectedVersion: 1, resume: .set([5]))
        _ = try await vault.store.commit([change])
        change.relationship = RelationshipUpdate(id: Make.relationship(1), expectedVersion: 2, channel: .erased)
        _ = try await vault.store.commit([change])
        try await vault.reopen()
        let stored = try #require(try await vault.store.relationship(Make.relationship(1)))
        #expect(stored.resume == [5])
        #expect(stored.channel == nil)
        change.relationship = RelationshipUpdate(id: Make.relationship(1), expectedVersion: 3, resume: .erased)
        _ = try await vault.store.commit([change])
        #expect(try await vault.store.relationship(Make.relationship(1))?.resume == nil)
    }

    @Test(arguments: StoreEngine.allCases)
    func aCursorNeverGoesBack(_ engine: StoreEngine) async throws {
        let vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        let store = vault.store
        var change = VaultChange()
        change.services = [ServiceRow(key: try Make.service(1), bytes: [])]
        for position: UInt64 in [5, 9, 3] {
            change.cursor = ServiceCursor(service: try Make.service(1), position: position)
            _ = try await store.commit([change])
        }
        #expect(try await store.services(after: 0, limit: 1).map(\.cursor) == [9])
    }

    @Test(arguments: StoreEngine.allCases)
    func eventPositionsGrowAndSurviveReopening(_ engine: StoreEngine) async throws {
        var vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        var change = VaultChange()
        change.events = [EventDraft(relationship: nil, payload: [1])]
        _ = try await vault.store.commit([change, change])
        try await vault.reopen()
        #expect(try await vault.store.commit([change, change]) == [.committed(events: [3]), .committed(events: [4])])
        #expect(try await vault.store.events(after: 1, limit: 2).map(\.position) == [2, 3])
        #expect(try await vault.store.events(after: 4, limit: 2).isEmpty)
    }

    @Test(arguments: StoreEngine.allCases)
    func positionsThatAreSkippedStayEmpty(_ engine: StoreEngine) async throws {
        var vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        var change = VaultChange()
        change.events = [EventDraft(relationship: nil, payload: [1])]
        var skipping = change
        skipping.skippedPositions = 100
        #expect(
            try await vault.store.commit([change, skipping, change]) == [
                .committed(events: [1]), .committed(events: [102]), .committed(events: [103]),
            ])
        try await vault.reopen()
        #expect(try await vault.store.events(after: 1, limit: 9).map(\.position) == [102, 103])
        #expect(try await vault.store.events(after: 50, limit: 1).map(\.position) == [102])
        #expect(try await vault.store.events(after: 102, limit: 9).map(\.position) == [103])
        #expect(try await vault.store.events(after: 103, limit: 9).isEmpty)
        #expect(try await vault.store.lastEventPosition() == 103)
        skipping.events = []
        #expect(try await vault.store.commit([skipping]) == [.committed(events: [])])
        try await vault.reopen()
        #expect(try await vault.store.lastEventPosition() == 203)
    }

    @Test(arguments: StoreEngine.allCases)
    func replayEntriesOutliveTheirRelationshipAndEndWithTheirBundle(_ engine: StoreEngine) async throws {
        let vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        let store = vault.store
        var change = Make.newRelationship(1)
        change.entries = [Make.entry(1, 1)]
        change.outbox = [try Make.outboxItem(1, queue: 5, 0)]
        change.hellos = [HelloRow(hash: Make.digest(6), relationship: Make.relationship(1), eraseAfter: Make.time(50))]
        change.spentTickets = [SpentTicket(knock: Make.knock(3), relationship: Make.relationship(1))]
        change.bundles = [BundleRow(hash: Make.digest(4), bytes: [3], eraseAfter: Make.time(50))]
        change.idempotency = [IdempotencyRow(key: [1], result: [2], eraseAfter: Make.time(60))]
        _ = try await store.commit([change])
        var forgetting = VaultChange()
        forgetting.forgotten = [Make.relationship(1)]
        _ = try await store.commit([forgetting])
        #expect(try await store.relationship(Make.relationship(1)) == nil)
        #expect(try await store.entries(of: Make.relationship(1), direction: .invitee, from: 1, limit: 5).isEmpty)
        #expect(try await store.relationshipsWithOutbox(after: 0, limit: 5).isEmpty)
        #expect(try await store.hello(Make.digest(6)) == Make.relationship(1))

        #expect(try await store.purge(expiredAt: Make.time(49), limit: 10) == 0)
        #expect(try await store.purge(expiredAt: Make.time(50), limit: 10) == 2)
        #expect(try await store.hello(Make.digest(6)) == nil)
        #expect(try await store.bundle(Make.digest(4)) == nil)
        #expect(try await store.idempotentResult([1]) == [2])
        var ticket = VaultChange()
        ticket.spentTickets = change.spentTickets
        #expect(try await store.commit([ticket]) == [.conflict(.ticket(Make.knock(3)))])
    }

    @Test(arguments: StoreEngine.allCases)
    func listsAreReadInPages(_ engine: StoreEngine) async throws {
        let vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        let store = vault.store
        _ = try await store.commit((0..<25).map(Make.newRelationship))
        var seen: [RelationshipID] = []
        var position: Int64 = 0
        while true {
            let page = try await store.relationships(after: position, limit: 10)
            guard let last = page.last else { break }
            #expect(page.count <= 10)
            seen += page.map(\.id)
            position = last.position
        }
        #expect(seen == (0..<25).map(Make.relationship))
        #expect(try await store.relationships(after: 0, limit: -3).count == 1)
    }

    @Test(arguments: StoreEngine.allCases)
    func aClosedStoreRefuses(_ engine: StoreEngine) async throws {
        let vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        let store = vault.store
        await store.close()
        await #expect(throws: StoreError.closed) { _ = try await store.commit([Make.newRelationship(1)]) }
        await #expect(throws: StoreError.closed) { _ = try await store.relationships(after: 0, limit: 1) }
    }

    @Test(arguments: StoreEngine.allCases)
    func transfersAreListedWhileTheyAreOpenAndFoundForEver(_ engine: StoreEngine) async throws {
        var vault = try await VaultUnderTest(engine)
        defer { withExtendedLifetime(vault) {} }
        func key(_ number: UInt64, _ direction: SenderRole = .invitee) -> TransferKey {
            TransferKey(relationship: Make.relationship(1), direction: direction, sequence: number)
        }
        var change = Make.newRelationship(1)
        change.transfers = [
            TransferRow(key: key(1), bytes: [1], isOpen: true),
            TransferRow(key: key(1, .inviter), bytes: [2], isOpen: true),
            TransferRow(key: key(1 << 40), bytes: [3], isOpen: false),
        ]
        _ = try await vault.store.commit([change])
        try await vault.reopen()
        #expect(try await vault.store.openTransfers(after: 0, limit: 10).map(\.bytes) == [[1], [2]])
        #expect(try await vault.store.transfer(key(1 << 40))?.bytes == [3])
        #expect(try await vault.store.transfer(key(2)) == nil)

        change = VaultChange()
        change.transfers = [
            TransferRow(key: key(1), bytes: [4], isOpen: false),
            TransferRow(key: key(1 << 40), bytes: [5], isOpen: true),
            TransferRow(key: key(1, .inviter), bytes: [6], isOpen: true),
        ]
        _ = try await vault.store.commit([change])
        try await vault.reopen()
        let open = try await vault.store.openTransfers(after: 0, limit: 10)
        #expect(Set(open.map(\.bytes)) == [[5], [6]])
        #expect(Set(open.map(\.key)) == [key(1 << 40), key(1, .inviter)])
        #expect(try await vault.store.transfer(key(1))?.bytes == [4])
        #expect(try await vault.store.openTransfers(after: open[0].position, limit: 10) == [open[1]])
    }

    @Test(arguments: StoreEngine.allCases)
    func rowsOfTheWalletAreFoundListedAndRemovedByTable(_ engine: StoreEngine) async throws {
        var vault = try await VaultUnderTest(engine)
        var change = VaultChange()
        for (number, table) in WalletTable.allCases.enumerated() {
            change.wallet.append(WalletRow(key: WalletKey(table, [1]), bytes: [UInt8(number)]))
            change.wallet.append(WalletRow(key: WalletKey(table, [1, 2]), bytes: Make.bytes(number)))
            change.wallet.append(WalletRow(key: WalletKey(table, Make.bytes(number, count: 200)), bytes: []))
        }
        _ = try await vault.store.commit([change])
        try await vault.reopen()
        for (number, table) in WalletTable.allCases.enumerated() {
            let rows = try await vault.store.walletRows(table, after: 0, limit: 10)
            #expect(rows.map(\.bytes) == [[UInt8(number)], Make.bytes(number), []])
            #expect(rows.map(\.key.bytes) == [[1], [1, 2], Make.bytes(number, count: 200)])
            #expect(try await vault.store.walletRow(WalletKey(table, [1, 2])) == rows[1])
            #expect(try await vault.store.walletRow(WalletKey(table, [2])) == nil)
            #expect(try await vault.store.walletRows(table, after: rows[0].position, limit: 1) == [rows[1]])
        }
        change = VaultChange()
        change.wallet = [
            WalletRow(key: WalletKey(.copy, [1]), bytes: [9]), WalletRow(key: WalletKey(.copy, [1, 2]), bytes: nil),
            WalletRow(key: WalletKey(.request, [1]), bytes: nil), WalletRow(key: WalletKey(.answer, [1]), bytes: [7]),
        ]
        _ = try await vault.store.commit([change])
        try await vault.reopen()
        #expect(try await vault.store.walletRow(WalletKey(.copy, [1]))?.bytes == [9])
        #expect(try await vault.store.walletRow(WalletKey(.copy, [1, 2])) == nil)
        #expect(try await vault.store.walletRow(WalletKey(.request, [1])) == nil)
        #expect(try await vault.store.walletRow(WalletKey(.answer, [1]))?.bytes == [7])
        #expect(try await vault.store.walletRows(.copy, after: 0, limit: 10).count == 2)
    }
}
