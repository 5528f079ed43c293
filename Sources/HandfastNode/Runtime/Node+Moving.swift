public import Handfast
internal import HandfastCrypto
internal import HandfastStore

extension Node {
    /// Moves where this node receives to other relays, without losing a message: new queues are opened there, the other
    /// side of each relationship is told by a record, and both places are listened to until the old one is empty.
    ///
    /// What was begun goes on by itself while the node runs, after a restart, too; asking again for the same changes
    /// nothing. With no relationship named, all are moved, and new ones begin there from now on.
    ///
    /// - Parameters:
    ///   - id: the relationship; all if nil.
    ///   - relays: 1 to 4, the preferred one first.
    /// - Throws: ``NodeError/badData(_:)``, ``NodeError/store(_:)``
    public func move(_ id: RelationshipID?, to relays: [RelayAddress]) async throws(NodeError) -> MoveReport {
        guard (1...Address.maximumCount).contains(relays.count), Set(relays).count == relays.count else {
            throw .badData("one moves to 1 to \(Address.maximumCount) different relays")
        }
        let (begun, isShared) = try await beginMoving(to: relays)
        var report = begun
        if let id {
            try await move([id], to: relays, isShared: isShared, &report)
        } else {
            let earlier = keeper.relays.current
            keeper.relays.current = relays
            report.voidInvitations = try await voidInvitations(exceptAt: relays)
            var after: Int64 = 0
            while let page = try await keeper.relationships(after: after, limit: Self.movesAtOnce) {
                try await move(page.map(\.id), to: relays, isShared: isShared, &report)
                after = page.last?.position ?? after
            }
            if isRunning, earlier != relays { await exchange.changed() }
        }
        return report
    }

    /// Gives one relationship new queues at the relays where this side receives: the peer is told by a record, and the
    /// capabilities that it had so far, with whoever else has them, open nothing once it uses the new ones.
    ///
    /// Asking again while that, or a move, is under way changes nothing.
    ///
    /// - Throws: ``NodeError/unknownRelationship(_:)``, ``NodeError/store(_:)``
    public func renewQueues(of id: RelationshipID) async throws(NodeError) -> MoveReport {
        guard let kept = try await keeper.kept(id) else { throw .unknownRelationship(id.description) }
        var relays: [RelayAddress] = []
        for place in kept.currentPlaces {
            guard let service = try await steward.service(place.service) else { continue }
            relays.append(try NodeError.reading("service") { try RelayAddress(text: service.kept.relay) })
        }
        let (begun, isShared) = try await beginMoving(to: relays)
        var report = begun
        try await move([id], to: relays, isShared: isShared, renews: true, &report)
        return report
    }

    /// - Returns: The report of a move that has done nothing yet, and whether all relationships share their services.
    private func beginMoving(to relays: [RelayAddress]) async throws(NodeError) -> (MoveReport, isShared: Bool) {
        var report = MoveReport()
        report.relays = relays.map(\.description)
        let isShared = try await publicIdentity() != nil
        if isShared { try await makeSharedServices(at: relays) }
        return (report, isShared)
    }

    private func voidInvitations(exceptAt relays: [RelayAddress]) async throws(NodeError) -> [String] {
        let names = Set(relays.map(\.description))
        return try await voidInvitations { !names.contains($0.relay) && !$0.isClosed }
    }

    /// Voids the invitations that name a knock queue of some services.
    func voidInvitations(of isLeft: (KeptService) -> Bool) async throws(NodeError) -> [String] {
        let left = try await steward.services().filter { isLeft($0.kept) && $0.kept.knockQueue != nil }
        guard !left.isEmpty else { return [] }
        let invitations = try await Steward.pages({ before, limit throws(StoreError) in
            try await self.store.invitations(before: before == 0 ? .max : before, limit: limit)
        }) { $0.position }
        return try await keeper.voidInvitations(invitations, of: left)
    }

    /// So many relationships begin to move in one commit.
    private static let movesAtOnce = 64

    /// The services of all relationships of a public identity are there before its first relationship uses them.
    private func makeSharedServices(at relays: [RelayAddress]) async throws(NodeError) {
        let queues = try await steward.newQueues(at: relays, isShared: true)
        let rows = queues.compactMap(\.newService)
        guard !rows.isEmpty else { return }
        try await keeper.perform { _, draft in draft.general.services += rows }
    }

    /// Puts new services in place of those by which all relationships of a public identity receive; each relationship
    /// goes over to them when its keys are rotated. Open invitations are void: the thief has their tickets as well.
    func replaceSharedServices() async throws(NodeError) {
        let replaced = try await steward.services().filter(\.kept.isForAll)
        guard !replaced.isEmpty else { return }
        let known = Set(replaced.map(\.stored.key))
        _ = try await voidInvitations { service in (try? service.publicKey).map(known.contains) ?? false }
        try await keeper.perform { keeper, draft in
            for relay in Set(replaced.map(\.kept.relay)).sorted() {
                let kept = KeptService(relay: relay, seed: keeper.entropy.bytes(SigningKey.seedCount), isShared: true)
                draft.general.services.append(ServiceRow(key: try kept.publicKey, bytes: try Row.encode(kept)))
            }
            for (stored, _) in replaced {
                guard let row = try await keeper.store.service(stored.key) else { continue }
                var kept = try Row.decode(KeptService.self, row.bytes)
                kept.isReplaced = true
                draft.general.services.append(ServiceRow(key: stored.key, bytes: try Row.encode(kept)))
            }
        }
    }

    private func move(
        _ ids: [RelationshipID], to relays: [RelayAddress], isShared: Bool, renews: Bool = false,
        _ report: inout MoveReport
    ) async throws(NodeError) {
        var queues: [(id: RelationshipID, queues: [OwnQueue])] = []
        let shared = isShared ? try await steward.newQueues(at: relays, isShared: true) : []
        for id in ids {
            var own: [OwnQueue] = []
            if isShared {
                for queue in shared {
                    own.append(await keeper.newQueue(at: queue.relay, service: queue.service, isTended: true))
                }
            } else {
                own = try await steward.newQueues(at: relays, isShared: false)
            }
            queues.append((id, own))
        }
        for (id, outcome) in try await begin(queues, renews: renews) {
            switch outcome {
            case .began: report.began += 1
            case .already: report.already += 1
            case .refused(let reason):
                // What has ended needs no relay.
                if let kept = try await keeper.kept(id), kept.relationship.state == .ended { continue }
                report.refused.append(.init(relationship: id.description, reason: reason))
            }
        }
    }

    private func begin(
        _ queues: [(id: RelationshipID, queues: [OwnQueue])], renews: Bool
    ) async throws(NodeError) -> [(RelationshipID, Keeper.MoveStart)] {
        let keeper = keeper
        do {
            return try await withThrowingTaskGroup(of: (RelationshipID, Keeper.MoveStart).self) { group in
                for (id, queues) in queues {
                    group.addTask { (id, try await keeper.beginMove(id, to: queues, renews: renews)) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        } catch {
            throw NodeError(error)
        }
    }

    /// Gives up what relays that are being left still hold, because they will not come back: records that were there come
    /// again from the other side.
    ///
    /// - Parameter id: the relationship; all if nil.
    /// - Returns: in how many relationships something was given up.
    public func giveUpOldRelays(of id: RelationshipID?) async throws(NodeError) -> Int {
        var count = 0
        var ids: [RelationshipID] = []
        if let id { ids = [id] } else { ids = try await moving().map(\.id) }
        for id in ids {
            if try await keeper.giveUpOldRelays(of: id) { count += 1 }
        }
        if id == nil { try await retireServices() }
        return count
    }

    /// Receives no more for services at relays that were left, once no relationship has a queue of theirs.
    func retireServices() async throws(NodeError) {
        let names = Set(keeper.relays.current.map(\.description))
        let left = try await steward.services().filter {
            !$0.kept.isClosed && $0.kept.knockQueue == nil
                && (!names.contains($0.kept.relay) || $0.kept.isReplaced == true)
        }
        guard !left.isEmpty else { return }
        var unused = Set(left.map(\.stored.key))
        var after: Int64 = 0
        while !unused.isEmpty, let page = try await keeper.relationships(after: after, limit: 1_000) {
            for row in page {
                let kept = try KeptRelationship(decoding: row.state)
                guard kept.relationship.state != .ended else { continue }
                unused.subtract(kept.receivingPlaces.map(\.service) + kept.places.targets.map(\.service))
            }
            after = page.last?.position ?? after
        }
        let retired = left.filter { unused.contains($0.stored.key) }
        guard !retired.isEmpty else { return }
        try await keeper.perform { keeper, draft in
            for (stored, service) in retired {
                // A move to it may have begun since it was looked for.
                guard keeper.uncommitted.toStart.isEmpty,
                    try await keeper.store.queues(tendedBy: stored.key, after: 0, limit: 1).isEmpty
                else { continue }
                var kept = service
                kept.isClosed = true
                draft.general.services.append(ServiceRow(key: stored.key, bytes: try Row.encode(kept)))
                keeper.uncommitted.retired.insert(stored.key)
            }
        }
    }

    /// Relationships whose move is not finished.
    func moving() async throws(NodeError) -> [(id: RelationshipID, kept: KeptRelationship)] {
        let rows = try await Steward.pages({ after, limit throws(StoreError) in
            try await self.store.timedRelationships(after: after, limit: limit)
        }) { $0.position }
        var moving: [(id: RelationshipID, kept: KeptRelationship)] = []
        for row in rows {
            let kept = try KeptRelationship(decoding: row.state)
            if kept.places.areMoving { moving.append((row.id, kept)) }
        }
        return moving
    }

    /// Adds how far moves have come.
    func progress(of report: MoveReport, _ id: RelationshipID?) async throws(NodeError) -> MoveReport {
        var report = report
        let unfinished = try await moving().filter { id == nil || $0.id == id }
        report.untold = unfinished.count { !$0.kept.places.targets.isEmpty || $0.kept.places.mustTellAgain }
        report.unfinished = unfinished.count - report.untold
        report.confirmed = unfinished.count {
            $0.kept.places.targets.isEmpty && !$0.kept.places.mustTellAgain
                && $0.kept.places.leaving.allSatisfy { $0.leftSince != nil }
        }
        // Moves that ended long ago, or that another command began, count for this one no more than it began or found.
        report.done = max(0, report.began + report.already - report.untold - report.unfinished)
        return report
    }
}

extension KeptRelationship {
    /// How far a move has come, in words; nil where none is under way.
    var moveText: String? {
        guard places.areMoving else { return nil }
        if isRejoining { return "moving: the channel is begun anew, which tells the other side" }
        if !places.targets.isEmpty {
            return "moving: the new relay has not opened the queue yet; the other side is told then"
        }
        if places.mustTellAgain { return "moving: the other side is told again" }
        return places.leaving.contains { $0.leftSince == nil }
            ? "moving: the other side was told, and has not sent to the new relay yet"
            : "moving: the old relay is being emptied"
    }
}
