internal import Handfast
internal import HandfastCrypto
internal import HandfastRelay
internal import HandfastStore

extension Keeper {
    // MARK: What this side lets come

    /// Changes what the own queues of a relationship let come. Each own relay is told until it has confirmed.
    func change(_ change: ReceptionChange, of id: RelationshipID) async throws(NodeError) {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(id)
            if relationship.kept.stop == .blocked { throw NodeError.stopped(DeliveryStop.blocked.text) }
            let state = relationship.kept.relationship.state
            guard state != .ended else { throw NodeError.stopped("the relationship has ended: nothing comes any more") }
            let policy = try change.applied(to: relationship.kept.reception.policy)
            guard policy != relationship.kept.reception.policy else { return }
            draft.touch(relationship)
            relationship.kept.reception.policy = policy
            relationship.kept.reception.untold = relationship.kept.places.leaving.filter { $0.leftSince == nil }
                .map(\.place.queue)
            relationship.kept.reception.untold += relationship.kept.currentPlaces.map(\.queue)
            for place in relationship.kept.receivingPlaces {
                try await keeper.tend(relationship, place, true, draft)
            }
            draft.event(.receptionChanged, of: id, .init(reason: policy.text ?? "nothing is held back any more"))
        }
    }

    /// An own relay has confirmed these policies.
    func told(_ settings: [PolicySetting]) async throws(NodeError) {
        guard !settings.isEmpty else { return }
        try await perform { keeper, draft in
            for setting in settings {
                guard let stored = try await keeper.queue(setting.id) else { continue }
                guard let id = stored.relationship else {
                    try await keeper.toldOfStrangers(setting.policy, stored, draft)
                    continue
                }
                let relationship = try await keeper.load(id)
                // It may have been changed meanwhile: then it is told again.
                guard relationship.kept.reception.untold.contains(setting.id),
                    relationship.kept.reception.policy == setting.policy
                else { continue }
                draft.touch(relationship)
                relationship.kept.reception.untold.removeAll { $0 == setting.id }
                for place in relationship.kept.receivingPlaces where place.queue == setting.id {
                    try await keeper.tend(relationship, place, false, draft)
                }
                // A peer whose messages wait asks again when it hears of this side, and else only after a while.
                if !setting.policy.isPaused { try keeper.speak(in: relationship, draft) }
            }
        }
    }

    /// A relay has confirmed what a knock queue lets come.
    private func toldOfStrangers(_ policy: QueuePolicy, _ queue: StoredQueue, _ draft: Draft) async throws {
        let service = try Row.decode(KeptQueue.self, queue.bytes).service
        let key = try VerificationKey(service.bytes)
        guard let row = try await store.service(key) else { return }
        var kept = try Row.decode(KeptService.self, row.bytes)
        let told = ReceptionChange(policy)
        guard kept.toldOfStrangers != told, kept.knockQueue == queue.id.array else { return }
        kept.toldOfStrangers = told
        draft.general.services.append(ServiceRow(key: key, bytes: try Row.encode(kept)))
    }

    /// Has the service look after the queue at the relay or, where it is one of a million, no longer.
    private func tend(
        _ relationship: LoadedRelationship, _ place: OwnPlaces.Place, _ isDue: Bool, _ draft: Draft
    ) async throws {
        let service = place.service
        guard let stored = try await queue(place.queue) else { return }
        let isShared = try await self.isShared(service)
        let row = try Row.decode(KeptQueue.self, stored.bytes)
        if row.isClosing || row.beginsAnew == true { return }
        forget(stored.id)
        draft.add(relationship.id) {
            $0.queues.append(
                QueueRow(
                    id: stored.id, relationship: stored.relationship, tendedBy: isDue || !isShared ? service : nil,
                    bytes: stored.bytes))
        }
    }

    /// Has services of many relationships look after these queues no longer, since they are open, unless they have
    /// something to tell.
    func untend(_ queues: [QueueID], of relationship: LoadedRelationship, _ draft: Draft) async throws {
        for place in relationship.kept.receivingPlaces where queues.contains(place.queue) {
            try await tend(relationship, place, relationship.kept.reception.untold.contains(place.queue), draft)
        }
    }

    /// The same for those of a move that are open; the others stay looked after until their relays have opened them.
    func untendOpened(
        _ targets: [OwnPlaces.Target], of relationship: LoadedRelationship, _ draft: Draft
    ) async throws {
        let open = targets.map(\.address.queue).filter { openedTargets.remove($0) != nil }
        try await untend(open, of: relationship, draft)
    }

    private func isShared(_ service: VerificationKey) async throws -> Bool {
        guard let stored = try await store.service(service) else { return false }
        return try Row.decode(KeptService.self, stored.bytes).isShared
    }

    // MARK: Block

    /// Shuts the peer out for good: its queue is closed at the own relay, and nothing is sent to it any more. The peer
    /// is neither asked nor told.
    func block(_ id: RelationshipID) async throws(NodeError) {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(id)
            guard relationship.kept.stop != .blocked else { return }
            draft.touch(relationship)
            relationship.kept.stop = .blocked
            relationship.kept.reception.hold(nil)
            relationship.kept.reception.blocked = draft.now
            draft.event(.relationshipBlocked, of: id)
            try await keeper.dropOutbox(of: id, draft)
            try await keeper.giveUpQueue(of: relationship, draft)
            try await keeper.forgetKnock(of: relationship, draft)
        }
    }

    // MARK: What relays tell

    /// Takes what the own relay tells of messages that do not come.
    func take(_ notice: QueueNotice, in relationship: LoadedRelationship, _ draft: Draft) {
        guard relationship.kept.stop != .blocked else { return }
        let known = relationship.kept.reception.lost
        if notice.expired > known {
            draft.touch(relationship)
            relationship.kept.reception.lost = notice.expired
            draft.event(
                .messagesExpired, of: relationship.id,
                .init(
                    reason: "\(notice.expired - known) of the other side expired at the own relay before they were "
                        + "read"))
        }
        let reason: String? =
            switch notice.refusal {
            case .none: nil
            case .full: "the own queue was full"
            case .throttled: "more came than you let come in an hour"
            case .tooLarge: "a message was larger than you let come"
            case .serviceFull: "all own queues at the relay hold as much together as it keeps for one service"
            }
        if let reason { draft.event(.messagesHeldBack, of: relationship.id, .init(reason: reason)) }
    }

    /// Takes what the peer's relay tells of its queue.
    ///
    /// - Parameters:
    ///   - hold: why it takes nothing for now; `nil` when it does.
    ///   - expired: own messages that expired there unread.
    func note(_ hold: PeerHold?, expired: UInt64, of id: RelationshipID) async throws(NodeError) {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(id)
            var reception = relationship.kept.reception
            guard relationship.kept.stop == nil, reception.hold != hold || reception.unread < expired else { return }
            draft.touch(relationship)
            if reception.hold != hold {
                draft.event(hold == nil ? .deliveryResumed : .deliveryHeld, of: id, .init(reason: hold?.text))
                reception.hold(hold, since: draft.now)
            }
            if reception.unread < expired {
                draft.event(
                    .messagesExpired, of: id,
                    .init(
                        reason: "\(expired - reception.unread) of yours expired at the other side's relay before they "
                            + "were read"))
                reception.unread = expired
            }
            relationship.kept.reception = reception
        }
    }
}
