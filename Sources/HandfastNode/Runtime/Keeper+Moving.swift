internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore

extension Keeper {
    /// What came of the wish to move one relationship.
    enum MoveStart: Hashable, Sendable {
        /// Its new queues are stored, and opened from now on.
        case began
        /// It receives there, or is about to.
        case already
        /// It stays where it is.
        case refused(String)
    }

    // MARK: The first step: new queues

    /// Begins to move a relationship to new queues; the peer is told once they are open.
    ///
    /// - Parameter renews: whether new queues are wanted where this side receives there already.
    func beginMove(
        _ id: RelationshipID, to queues: [OwnQueue], renews: Bool = false
    ) async throws(NodeError) -> MoveStart {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(id)
            if let reason = keeper.reasonToStay(relationship) { return .refused(reason) }
            guard keeper.uncommitted.retired.isDisjoint(with: queues.map(\.service)) else {
                throw NodeError.interrupted
            }
            let relays = queues.map(\.relay)
            let places = relationship.kept.places
            if places.targets.map(\.address.relay) == relays { return .already }
            if renews, places.areMoving { return .already }
            if !renews, places.targets.isEmpty, try await keeper.relays(of: relationship) == relays.map(\.description) {
                return .already
            }
            draft.touch(relationship)
            // Another goal before the peer was told of the last one.
            for target in places.targets {
                try await keeper.close(
                    .init(service: target.service, queue: target.address.queue), of: relationship, draft)
            }
            try keeper.aim(at: queues, in: relationship, draft)
            draft.event(.moveBegan, of: id, .init(reason: "to \(Self.names(of: relays))"))
            return .began
        }
    }

    private func reasonToStay(_ relationship: LoadedRelationship) -> String? {
        if let stop = relationship.kept.stop { return stop.text }
        switch relationship.kept.relationship.state {
        case .welcomed, .live: break
        case .greeted:
            return "the inviter has not answered yet, and was told the relay with the answer to its invitation"
        case .ending, .ended: return "it is at its end"
        case .frozen: return "it is frozen"
        }
        return relationship.kept.places.leaving.count > OwnPlaces.mostLeaving - Address.maximumCount
            ? "earlier moves are not finished" : nil
    }

    /// The relays at which this side receives, the preferred one first, without those that are being left.
    func relays(of relationship: LoadedRelationship) async throws -> [String] {
        let kept = relationship.kept
        var relays: [String] = []
        for service in [kept.service] + kept.places.others.map(\.service) {
            guard let row = try await store.service(service) else { continue }
            relays.append(try Row.decode(KeptService.self, row.bytes).relay)
        }
        return relays
    }

    private static func names(of relays: [RelayAddress]) -> String {
        relays.map { "\($0.host):\($0.port)" }.joined(separator: ", ")
    }

    // MARK: The second step: the peer is told

    /// Queues are open at their relay, which a vendor's node does not look at again; peers whose preferred new queue is
    /// among them are told.
    func opened(_ queues: [QueueID]) async throws(NodeError) {
        for queue in queues {
            try await perform { keeper, draft in
                guard let id = try await keeper.queue(queue)?.relationship else { return }
                let relationship = try await keeper.load(id)
                let targets = relationship.kept.places.targets
                guard targets.contains(where: { $0.address.queue == queue }) else {
                    return try await keeper.untend([queue], of: relationship, draft)
                }
                keeper.openedTargets.insert(queue)
                if targets.first?.address.queue == queue { try await keeper.tellMove(of: relationship, draft) }
            }
        }
    }

    /// Tells the peer of the new queues, which take the place of the old ones, where records can be signed.
    func tellMove(of relationship: LoadedRelationship, _ draft: Draft) async throws {
        let id = relationship.id
        let places = relationship.kept.places
        let isOpen = places.targets.first.map { openedTargets.contains($0.address.queue) } ?? false
        if isOpen, relationship.kept.policy.isWaiting {
            // No record can be signed, and the answer may be on its way to where this side listens no more.
            return try await tellByRejoin(of: relationship, draft)
        }
        guard isOpen || places.mustTellAgain, relationship.kept.stop == nil,
            relationship.channel != nil, !relationship.kept.isRejoining
        else { return }
        let targets = isOpen ? places.targets : places.told
        guard !targets.isEmpty else { return }
        var copy = relationship.kept.relationship
        guard copy.state == .welcomed || copy.state == .live else { return }
        let entry = try copy.move(
            to: targets.map(\.address), at: draft.now, with: relationship.identity, using: &entropy)
        draft.touch(relationship)
        try publish([entry], leaving: copy, in: relationship, draft)
        relationship.kept.places.mustTellAgain = false
        draft.event(.moveTold, of: id, .init(sequence: entry.record.sequence))
        guard isOpen else { return }
        relationship.kept.receive(at: targets, toldBy: entry.record.sequence)
        try await untendOpened(targets, of: relationship, draft)
    }

    // MARK: The third step: the old queues are emptied

    /// The peer has sent something by an own queue: where that is a newer one, it uses those before it no more.
    func noteUse(of queue: QueueID, in relationship: LoadedRelationship, _ draft: Draft) async throws {
        let leaving = relationship.kept.places.leaving
        guard !leaving.isEmpty else { return }
        let told = leaving.first { $0.place.queue == queue }?.sequence ?? .max
        for (index, old) in leaving.enumerated() where old.leftSince == nil && old.sequence < told {
            draft.touch(relationship)
            relationship.kept.places.leaving[index].leftSince = draft.now
            try await close(old.place, of: relationship, draft)
        }
    }

    /// Has the own relay close a queue; what waits there is still delivered.
    func close(_ place: OwnPlaces.Place, of relationship: LoadedRelationship, _ draft: Draft) async throws {
        relationship.kept.reception.untold.removeAll { $0 == place.queue }
        openedTargets.remove(place.queue)
        guard let stored = try await queue(place.queue) else { return }
        var row = try Row.decode(KeptQueue.self, stored.bytes)
        row.isClosing = true
        let bytes = try Row.encode(row)
        forget(place.queue)
        let id = relationship.id
        draft.add(id) {
            $0.queues.append(QueueRow(id: place.queue, relationship: id, tendedBy: place.service, bytes: bytes))
        }
        uncommitted.toStart.insert(id)
    }

    /// Queues of a service are closed and empty.
    ///
    /// - Parameter isLost: whether what they held is given up instead: the peer is asked for it.
    func left(_ queues: [QueueID], isLost: Bool = false) async throws(NodeError) {
        for queue in queues {
            try await perform { keeper, draft in
                guard let id = try await keeper.queue(queue)?.relationship else { return }
                let relationship = try await keeper.load(id)
                guard let old = relationship.kept.places.leaving.first(where: { $0.place.queue == queue }) else {
                    return
                }
                try await keeper.leave(old, in: relationship, isLost: isLost, draft)
            }
        }
    }

    private func leave(
        _ old: OwnPlaces.Leaving, in relationship: LoadedRelationship, isLost: Bool, _ draft: Draft
    ) async throws {
        let id = relationship.id
        draft.touch(relationship)
        relationship.kept.places.leaving.removeAll { $0 == old }
        relationship.kept.reception.untold.removeAll { $0 == old.place.queue }
        forget(old.place.queue)
        draft.add(id) { $0.closedQueues.append(old.place.queue) }
        if let row = try await store.service(old.place.service) {
            var kept = try Row.decode(KeptService.self, row.bytes)
            if !kept.isShared, !relationship.kept.receivingPlaces.contains(where: { $0.service == row.key }) {
                kept.isClosed = true
                let service = ServiceRow(key: row.key, bytes: try Row.encode(kept))
                draft.add(id) { $0.services.append(service) }
                uncommitted.retired.insert(row.key)
            }
        }
        if relationship.kept.places.leaving.isEmpty, relationship.kept.places.targets.isEmpty, old.wasMoved {
            draft.event(.moveDone, of: id)
        }
        // What a rejoin replaced held nothing that its epoch did not bring again.
        if isLost, old.wasMoved { try await rejoin(relationship, because: .queueWentBack, draft) }
    }

    /// A relay that is left and cannot be emptied for so long is given up.
    private static let secondsToEmpty: UInt64 = 3_600

    /// Goes on with a move where time makes something due.
    func continueMove(of relationship: LoadedRelationship, _ draft: Draft) async throws {
        try await tellMove(of: relationship, draft)
        for old in relationship.kept.places.leaving {
            guard let since = old.leftSince, draft.now >= since.adding(seconds: Self.secondsToEmpty) else { continue }
            try await leave(old, in: relationship, isLost: true, draft)
        }
    }

    /// Gives up what relays that are being left still hold: a person says that they will not come back.
    ///
    /// - Returns: whether there was such a relay.
    func giveUpOldRelays(of id: RelationshipID) async throws(NodeError) -> Bool {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(id)
            let leaving = relationship.kept.places.leaving
            for old in leaving {
                try await keeper.leave(old, in: relationship, isLost: old == leaving.last(where: \.wasMoved), draft)
            }
            return !leaving.isEmpty
        }
    }

    // MARK: After a rejoin

    /// An own record that told of a move has become void.
    func voidMove(_ entry: Entry, in relationship: LoadedRelationship) {
        guard entry.record.type == .move, !relationship.kept.places.told.isEmpty else { return }
        relationship.kept.places.mustTellAgain = true
    }

    /// An own record that told of a move came back to a vault that is older than the move: the peer sends to queues that
    /// nobody listens to, so it is told anew of those that this vault has.
    func restoreMove(from entry: Entry, in relationship: LoadedRelationship, _ draft: Draft) async throws {
        guard entry.record.type == .move, let move = try? entry.body(as: Move.self), let addresses = try? move.read(),
            relationship.kept.places.targets.isEmpty
        else { return }
        let kept = relationship.kept
        if kept.places.told.contains(where: { $0.address.queue == kept.queue }) {
            // The rejoin has told where this vault receives; the ledger still says otherwise.
            draft.touch(relationship)
            relationship.kept.places.mustTellAgain = true
            return
        }
        guard !addresses.contains(where: { $0.queue == kept.queue }) else { return }
        guard let row = try await store.service(kept.service) else { return }
        var service = try Row.decode(KeptService.self, row.bytes)
        let relay = try relays.current.first ?? RelayAddress(text: service.relay)
        var key = row.key
        var newService: ServiceRow?
        if !service.isShared || service.relay != relay.description {
            service = KeptService(
                relay: relay.description, seed: entropy.bytes(SigningKey.seedCount), isShared: service.isShared)
            key = try service.publicKey
            newService = ServiceRow(key: key, bytes: try Row.encode(service))
        }
        var queue = newQueue(at: relay, service: key, isTended: true)
        queue.newService = newService
        draft.touch(relationship)
        try aim(at: [queue], in: relationship, draft)
    }

    /// Stores queues about to be used.
    private func aim(at queues: [OwnQueue], in relationship: LoadedRelationship, _ draft: Draft) throws {
        relationship.kept.places.targets = queues.map { .init(service: $0.service, address: $0.address) }
        try store(queues, of: relationship, draft)
    }
}
