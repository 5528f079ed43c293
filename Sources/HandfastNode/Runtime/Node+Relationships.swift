public import Handfast
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore

extension Node {
    // MARK: Reading

    /// All relationships, oldest first.
    public func relationships() async throws(NodeError) -> [RelationshipReport] {
        let rows = try await Steward.pages({ after, limit throws(StoreError) in
            try await self.store.relationships(after: after, limit: limit)
        }) { $0.position }
        var reports: [RelationshipReport] = []
        let receiving = await exchange.receiving()
        // The words take three signature checks for each: they are for who looks at one.
        for row in rows {
            reports.append(try await report(KeptRelationship(decoding: row.state), words: nil, receiving))
        }
        return reports
    }

    /// One relationship.
    ///
    /// - Throws: ``NodeError/unknownRelationship(_:)``
    public func relationship(_ id: RelationshipID) async throws(NodeError) -> RelationshipReport {
        guard let kept = try await keeper.kept(id) else { throw .unknownRelationship(id.description) }
        return try await report(
            kept, words: try await words(of: kept.relationship),
            await exchange.receiving(by: kept.receivingPlaces.map(\.service)))
    }

    /// Finds a relationship by its label, by a unique prefix of its id, or by the name the peer gave itself.
    ///
    /// A label is one's own word: what a peer calls itself never makes it ambiguous.
    ///
    /// - Throws: ``NodeError/unknownRelationship(_:)``, ``NodeError/ambiguousRelationship(_:candidates:)``
    public func find(_ name: String) async throws(NodeError) -> RelationshipID {
        if let id = try? RelationshipID(text: name), try await keeper.kept(id) != nil { return id }
        let rows = try await Steward.pages({ after, limit throws(StoreError) in
            try await self.store.relationships(after: after, limit: limit)
        }) { $0.position }
        var labelled: [RelationshipID] = []
        var named: [RelationshipID] = []
        var namedBesideLabel: [RelationshipID] = []
        for row in rows where !name.isEmpty {
            let kept = try KeptRelationship(decoding: row.state)
            let isNamed = kept.relationship.peerName == name
            if kept.label == name {
                labelled.append(row.id)
            } else if row.id.description.hasPrefix(name) || isNamed && kept.label == nil {
                named.append(row.id)
            } else if isNamed {
                namedBesideLabel.append(row.id)
            }
        }
        let matches = [labelled, named, namedBesideLabel].first { !$0.isEmpty } ?? []
        guard let match = matches.first else { throw .unknownRelationship(name) }
        guard matches.count == 1 else { throw .ambiguousRelationship(name, candidates: matches.count) }
        return match
    }

    /// Records of one direction, in order.
    ///
    /// - Parameters:
    ///   - sender: whose records.
    ///   - after: records with numbers above this.
    ///   - limit: the most records, 1…10,000.
    public func entries(
        of id: RelationshipID, sender: EntryReport.Sender, after: UInt64 = 0, limit: Int = 1_000
    ) async throws(NodeError) -> [EntryReport] {
        guard let kept = try await keeper.kept(id) else { throw .unknownRelationship(id.description) }
        let role = kept.relationship.role
        let direction = sender == .own ? role : role.other
        do {
            var reports: [EntryReport] = []
            for stored in try await store.entries(
                of: id, direction: direction, from: after + 1, limit: min(max(1, limit), 10_000))
            {
                let entry = try Entry(decoding: stored.bytes.bytes)
                var report = EntryReport(entry, sender: sender)
                if let attachment = try entry.body(as: AttachmentMessage.self) {
                    let key = TransferKey(relationship: id, direction: direction, sequence: stored.sequence)
                    report.attachment = try await self.report(attachment, key, from: sender)
                }
                reports.append(report)
            }
            return reports
        } catch {
            throw NodeError(error)
        }
    }

    /// The whole ledger in a form that verifies by itself.
    ///
    /// - Throws: ``NodeError/unavailable(_:)`` before the handshake is complete
    public func exportLedger(_ id: RelationshipID) async throws(NodeError) -> LedgerExport {
        guard let kept = try await keeper.kept(id) else { throw .unknownRelationship(id.description) }
        let relationship = kept.relationship
        guard let proof = try await keeper.proof(of: id) else {
            throw .unavailable("there is nothing to export yet: the other side has not answered")
        }
        do {
            return LedgerExport(
                relationship: id, role: relationship.role, proof: proof,
                inviteeEntries: try await allEntries(of: id, .invitee),
                inviterEntries: try await allEntries(of: id, .inviter))
        } catch {
            throw NodeError(error)
        }
    }

    private func allEntries(of id: RelationshipID, _ direction: SenderRole) async throws -> [Entry] {
        var entries: [Entry] = []
        while true {
            let page = try await store.entries(
                of: id, direction: direction, from: UInt64(entries.count) + 1, limit: 1_000)
            entries += try page.map { try Entry(decoding: $0.bytes.bytes) }
            if page.count < 1_000 { return entries }
        }
    }

    // MARK: Doing

    /// Signs, seals and stores messages, in order, all or none. They leave while the node runs.
    ///
    /// - Parameters:
    ///   - messages: at least one; many in one call cost one commit and few envelopes.
    ///   - idempotencyKey: a key of the caller's choice, remembered for seven days: a repeat sends nothing and gives
    ///     the first answer.
    /// - Throws: ``NodeError/relationship(_:)`` when its state does not allow it, ``NodeError/stopped(_:)``,
    ///   ``NodeError/channel(_:)``, ``NodeError/store(_:)``
    @discardableResult
    public func send(
        _ messages: [OutgoingMessage], to id: RelationshipID, idempotencyKey: String? = nil
    ) async throws(NodeError) -> SendReport {
        try await keeper.send(messages, to: id, idempotencyKey: idempotencyKey)
    }

    /// Replaces the own keys in a relationship and tells the peer by a record.
    public func rotate(_ id: RelationshipID) async throws(NodeError) {
        try await keeper.rotate(id)
    }

    /// Asks the peer for a new epoch of the channel; its answer brings back what either side lacks.
    ///
    /// The node does so by itself where it notices that a store was taken back or that something is lost.
    ///
    /// - Throws: ``NodeError/unavailable(_:)`` where the relationship's state does not allow it
    public func rejoin(_ id: RelationshipID) async throws(NodeError) {
        try await keeper.rejoin(id)
    }

    /// Ends a relationship. The peer is told by a record where it can be; it has ended once the peer answers.
    public func end(_ id: RelationshipID, reason: String? = nil) async throws(NodeError) {
        try await keeper.end(id, reason: reason)
        guard isRunning, let kept = try await keeper.kept(id), kept.relationship.state == .ended else { return }
        await exchange.forget(id)
        try await exchange.tend(kept.receivingPlaces.map(\.service))
    }

    /// Changes what comes of the other side: pause, rate, sizes, for how long it waits. The own relay enforces it, whatever
    /// the other side does; what is held back waits with the other side.
    ///
    /// - Throws: ``NodeError/badData(_:)`` for a value out of its bounds, ``NodeError/stopped(_:)``
    public func change(_ change: ReceptionChange, of id: RelationshipID) async throws(NodeError) {
        try await keeper.change(change, of: id)
        guard isRunning, let kept = try await keeper.kept(id) else { return }
        try await exchange.tend(kept.receivingPlaces.map(\.service))
    }

    /// Shuts the other side out for good, without its help: the own relay takes nothing more of it, and nothing is sent
    /// to it. The ledger stays.
    public func block(_ id: RelationshipID) async throws(NodeError) {
        try await keeper.block(id)
        guard isRunning, let kept = try await keeper.kept(id) else { return }
        await exchange.forget(id)
        try await exchange.tend(kept.receivingPlaces.map(\.service))
    }

    /// Whether the own relay has confirmed what comes of the other side.
    func hasToldRelay(_ id: RelationshipID) async throws(NodeError) -> Bool {
        guard let kept = try await keeper.kept(id) else { return true }
        guard kept.stop == .blocked else { return kept.reception.isTold }
        for place in kept.receivingPlaces where try await keeper.queueOutsideBatch(place.queue) != nil { return false }
        return true
    }

    // MARK: Events

    /// Events above a position, in order, at most `limit` (1…10,000).
    public func events(after position: Int64, limit: Int = 1_000) async throws(NodeError) -> [NodeEvent] {
        try await feed.events(after: position, limit: limit)
    }

    /// Events above a position as they come, without end.
    public func events(following position: Int64) -> EventSequence {
        EventSequence(feed: feed, after: position)
    }

    /// Tells readers of ``events(following:)`` what other processes commit, until the task is cancelled.
    public func followOthers() async {
        while (try? await keeper.time.pause(.milliseconds(500))) != nil {
            guard let last = try? await store.lastEventPosition(), last > feed.last else { continue }
            feed.advance(to: last)
        }
    }

    /// The position of the latest event; 0 before the first.
    public var lastEvent: Int64 { feed.last }

    // MARK: Reports

    func waiting(in id: RelationshipID) async throws(NodeError) -> Int {
        // What waits for an address that is not in use waits for the one that is, too.
        let queue = try await keeper.kept(id)?.peerAddress?.queue
        do {
            return try await store.outboxHeads(of: id).reduce(0) { count, head in
                queue == nil || head.queue == queue ? count + Int(head.next - head.confirmed) : count
            }
        } catch {
            throw .store(error)
        }
    }

    private func report(
        _ kept: KeptRelationship, words: String?, _ receiving: [VerificationKey: ReceivingReport]
    ) async throws(NodeError) -> RelationshipReport {
        let relationship = kept.relationship
        return RelationshipReport(
            id: relationship.id.description, label: kept.label, name: relationship.peerName,
            domain: relationship.role == .invitee ? relationship.domain : nil,
            domainConfirmed: kept.domain?.confirmed?.seconds, domainFault: kept.domain?.fault,
            state: kept.stop == .blocked ? "blocked" : relationship.state.description, role: "\(relationship.role)",
            created: relationship.created.seconds, ownIdentity: relationship.ownLog.id.description,
            peerIdentity: relationship.peerLog?.id.description, epoch: kept.policy.epoch,
            isRejoining: kept.isRejoining, ownRecords: relationship.ownHead.sequence,
            peerRecords: relationship.peerHead.sequence, peerHasSeen: relationship.peerLastSeen.sequence,
            waiting: try await waiting(in: relationship.id), words: words,
            trouble: kept.trouble, receivesAt: try await relays(of: kept),
            receiving: kept.receivingPlaces.compactMap { receiving[$0.service] },
            sendsTo: relationship.peerAddresses.map { $0.relay.place }, sendingTo: kept.sendingTo,
            moving: kept.moveText, reception: ReceptionReport(kept.reception), heldBack: kept.reception.hold?.word,
            heldBackSince: kept.reception.heldSince?.seconds,
            expiredUnread: kept.reception.unread, lostUnread: kept.reception.lost)
    }

    private func relays(of kept: KeptRelationship) async throws(NodeError) -> [String] {
        var relays: [String] = []
        for service in [kept.service] + kept.places.others.map(\.service) {
            guard let text = try await steward.relay(of: service) else { continue }
            do {
                relays.append(try RelayAddress(text: text).place)
            } catch {
                throw .channel(error)
            }
        }
        return relays
    }

    private func words(of relationship: Relationship) async throws(NodeError) -> String? {
        guard let proof = try await keeper.proof(of: relationship.id) else { return nil }
        do {
            return try proof.verify().words
        } catch {
            throw .damaged("proof of the handshake of \(relationship.id) does not verify: \(error)")
        }
    }
}

extension EntryReport {
    /// What a person sees of an entry.
    init(_ entry: Entry, sender: Sender) {
        let detail = NodeEvent.Detail(entry)
        self.init(
            sender: sender, sequence: entry.record.sequence, time: entry.record.time.seconds,
            type: entry.record.type.text, thread: detail.thread, text: detail.text, body: entry.body,
            hash: Base32.encode(entry.hash.array))
    }
}
