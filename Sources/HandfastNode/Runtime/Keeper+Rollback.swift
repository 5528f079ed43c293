internal import Handfast
internal import HandfastCrypto
internal import HandfastStore

extension Keeper {
    /// Begins the channels anew with all who send to a service, because this vault was taken back to an older state.
    ///
    /// - Parameters:
    ///   - position: what the own relay knows to be acknowledged; the cursor from now on.
    ///   - isOfAnother: whether this process had acknowledged everything before: another node has done so since.
    func ownStoreWentBack(
        behind position: UInt64, of service: VerificationKey, isOfAnother: Bool
    ) async throws(NodeError) {
        try await perform { _, draft in
            draft.skipPositions()
            if isOfAnother {
                draft.event(.copyAtWork, .init(reason: "it has received what came for this vault"))
            }
        }
        try await retireFreeCopies()
        try await forgetAnonymousNonces()
        try await rejoinAll(of: service, because: .ownStoreWentBack)
        try await perform { _, draft in
            draft.general.cursor = ServiceCursor(service: service, position: position)
        }
    }

    /// Begins a service's positions anew, because its relay was taken back to an older state: what it had confirmed to
    /// them and not delivered is lost there. Its queues are to be opened again, and the channels to begin anew with all
    /// who send to it.
    ///
    /// - Parameter position: up to which the relay has delivered.
    func relayWentBack(
        to position: UInt64, of service: VerificationKey
    ) async throws(NodeError) {
        try await perform { keeper, draft in
            draft.general.cursor = ServiceCursor(service: service, position: position, goesBack: true)
            try await keeper.note(.init(rejoins: true), of: service, draft)
            draft.event(
                .relayRolledBack,
                .init(
                    reason: "the own relay was taken back to an older state: what it had not delivered is asked for "
                        + "anew"))
        }
    }

    /// Keeps how far the queues of a service are opened again, so that a node that stops goes on with the rest.
    func note(_ reopening: KeptService.Reopening?, of service: VerificationKey) async throws(NodeError) {
        try await perform { keeper, draft in try await keeper.note(reopening, of: service, draft) }
    }

    private func note(
        _ reopening: KeptService.Reopening?, of service: VerificationKey, _ draft: Draft
    ) async throws {
        guard let row = try await store.service(service) else { return }
        var kept = try Row.decode(KeptService.self, row.bytes)
        guard kept.reopening != reopening else { return }
        kept.reopening = reopening
        draft.general.services.append(ServiceRow(key: service, bytes: try Row.encode(kept)))
    }

    /// So many relationships begin anew in one commit.
    private static let rejoinsPerCommit = 64

    /// Begins the channels anew with all who send to a service, or with those whose relationships were stored after a
    /// position and no later than another.
    func rejoinAll(
        of service: VerificationKey, because cause: RejoinCause, after first: Int64 = 0, through last: Int64 = .max
    ) async throws(NodeError) {
        var after = first
        while let rows = try await relationships(after: after, limit: Self.rejoinsPerCommit) {
            let page = rows.filter { $0.position <= last }
            guard let end = page.last?.position else { return }
            try await perform { keeper, draft in
                for row in page {
                    let kept = try KeptRelationship(decoding: row.state)
                    // Who asked because of a restore has asked already.
                    guard kept.receivingPlaces.contains(where: { $0.service == service }),
                        kept.policy.waitingCause != .restored,
                        // By another relay the same may have been noticed already.
                        kept.service == service || kept.policy.waitingCause != cause
                    else { continue }
                    try await keeper.rejoin(try await keeper.load(row.id), because: cause, draft)
                }
            }
            after = end
        }
    }

    /// The next relationships in the order in which they were stored; nil after the last.
    nonisolated func relationships(
        after position: Int64, limit: Int
    ) async throws(NodeError) -> [RelationshipSummary]? {
        do {
            let page = try await store.relationships(after: position, limit: limit)
            return page.isEmpty ? nil : page
        } catch {
            throw .store(error)
        }
    }
}
