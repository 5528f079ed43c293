public import Handfast
internal import HandfastCrypto
internal import HandfastStore

extension Node {
    /// Everything that the vault knows to hold no longer, the latest first: keys of both sides, invitations, queues,
    /// relationships, copies of own credentials, and credentials that were refused because they were revoked.
    ///
    /// - Parameter id: The one relationship to look at; nil for all of them and what belongs to none.
    /// - Throws: ``NodeError/unknownRelationship(_:)``, ``NodeError/store(_:)``
    public func revocations(of id: RelationshipID? = nil) async throws(NodeError) -> [RevocationReport] {
        var reports: [RevocationReport] = []
        if let id {
            guard let kept = try await keeper.kept(id) else { throw .unknownRelationship(id.description) }
            reports = try await revocations(in: kept)
        } else {
            reports = (try await publicIdentity()?.revoked(by: .own) ?? []).map { RevocationReport($0) }
            for row in try await Steward.pages(
                { after, limit throws(StoreError) in
                    try await self.store.relationships(after: after, limit: limit)
                }, position: { $0.position })
            {
                reports += try await revocations(in: KeptRelationship(decoding: row.state))
            }
        }
        reports += try await revokedInvitations(of: id)
        reports += try await revokedCopies(of: id)
        reports += try await refusedCredentials(of: id)
        return reports.enumerated().sorted {
            ($1.element.time ?? 0, $0.offset) < ($0.element.time ?? 0, $1.offset)
        }.map(\.element)
    }

    private func revocations(in kept: KeptRelationship) async throws(NodeError) -> [RevocationReport] {
        let relationship = kept.relationship
        var revoked = relationship.revokedKeys
        let endings = try await endings(of: relationship)
        switch relationship.state {
        case .greeted, .welcomed, .live: break
        case .frozen:
            revoked.append(
                Revoked(
                    .relationship(relationship.id), .frozen, at: nil, by: nil,
                    reason: relationship.evidence?.description))
        case .ending, .ended:
            let kind = relationship.state == .ending ? Revoked.Kind.ending : .ended
            revoked += endings.map {
                Revoked(.relationship(relationship.id), kind, at: $0.time, by: $0.party, reason: $0.reason)
            }
        }
        let blocked = kept.reception.blocked
        if kept.stop == .blocked {
            revoked.append(Revoked(.relationship(relationship.id), .blocked, at: blocked, by: .own))
        }
        if relationship.state == .ended || kept.stop == .blocked {
            // Its relay is told as soon as it can be reached; nothing that comes by it counts any more.
            let time = blocked ?? endings.map(\.time).max()
            revoked.append(Revoked(.queue(kept.queue), .closed, at: time, by: .own))
        }
        let name = kept.label ?? relationship.peerName
        return revoked.map { RevocationReport($0, relationship: relationship.id, label: name) }
    }

    /// What each side said when it ended the relationship.
    private func endings(
        of relationship: Relationship
    ) async throws(NodeError) -> [(party: Revoked.Party, time: Timestamp, reason: String?)] {
        guard relationship.state == .ending || relationship.state == .ended else { return [] }
        let heads = [
            (Revoked.Party.own, relationship.role, relationship.ownHead.sequence),
            (.peer, relationship.role.other, relationship.peerHead.sequence),
        ]
        var endings: [(party: Revoked.Party, time: Timestamp, reason: String?)] = []
        for (party, direction, sequence) in heads where sequence > 0 {
            do {
                let last = try await store.entries(
                    of: relationship.id, direction: direction, from: sequence, limit: 1)
                guard let stored = last.first else { continue }
                let entry = try Entry(decoding: stored.bytes.bytes)
                guard entry.record.type == .end else { continue }
                endings.append((party, entry.record.time, try entry.body(as: Ending.self)?.reason))
            } catch {
                throw NodeError(error)
            }
        }
        return endings
    }

    private func revokedInvitations(of id: RelationshipID?) async throws(NodeError) -> [RevocationReport] {
        let rows = try await Steward.pages({ after, limit throws(StoreError) in
            try await self.store.invitations(after: after, limit: limit)
        }) { $0.position }
        let now = keeper.time.now()
        var reports: [RevocationReport] = []
        for row in rows where id == nil || row.spentBy == id {
            let kept = try Row.decode(KeptInvitation.self, row.bytes)
            let revoked: Revoked
            if let relationship = row.spentBy {
                let began = try await keeper.kept(relationship)?.relationship.created
                revoked = Revoked(.invitation(row.knock), .spent, at: began, by: .peer)
            } else if kept.expires <= now.seconds {
                revoked = Revoked(.invitation(row.knock), .expired, at: Timestamp(seconds: kept.expires), by: nil)
            } else {
                continue
            }
            reports.append(RevocationReport(revoked, relationship: row.spentBy, label: kept.label))
        }
        return reports
    }

    /// Copies of the wallet that their issuer has taken back, or whose time is over.
    private func revokedCopies(of id: RelationshipID?) async throws(NodeError) -> [RevocationReport] {
        let now = keeper.time.now()
        var reports: [RevocationReport] = []
        for credential in try await keeper.wallet().credentials {
            for (number, copy) in credential.copies.enumerated() where id == nil || copy.relationship == id {
                var revoked = copy.revocation
                if revoked == nil, let expires = copy.expires, expires <= now.seconds {
                    revoked = Revoked(
                        .copy(credential.id, number: number), .expired, at: Timestamp(seconds: expires), by: nil)
                }
                guard let revoked else { continue }
                reports.append(RevocationReport(revoked, relationship: copy.relationship, label: credential.label))
            }
        }
        return reports
    }

    /// Credentials that others have shown and that were refused because their issuer had taken them back.
    private func refusedCredentials(of id: RelationshipID?) async throws(NodeError) -> [RevocationReport] {
        var reports: [RevocationReport] = []
        for row in try await keeper.walletRows(.answer) {
            let kept = try Row.decode(KeptClaimRequest.self, row.bytes)
            let (relationship, _, number) = try row.key.place()
            guard let refused = kept.refused, id == nil || relationship == id else { continue }
            let known = try await keeper.kept(relationship)
            for credential in refused {
                guard let revoked = credential.revoked else { continue }
                let named = Revoked(
                    revoked.subject, revoked.kind, at: revoked.time, by: revoked.party,
                    reason: "\(credential.type), shown for request \(number), was refused")
                reports.append(
                    RevocationReport(
                        named, relationship: relationship, label: known?.label ?? known?.relationship.peerName))
            }
        }
        return reports
    }
}
