internal import Handfast
internal import HandfastCrypto
internal import HandfastStore

extension Keeper {
    /// What came of a batch of deliveries.
    struct Received: Sendable {
        /// Knock queues or relationships changed so that the service's own queues must be looked after.
        var needsUpkeep = false
    }

    /// Opens deliveries in order of position and commits states, records, events and cursor together.
    ///
    /// Once this returns, everything up to `through` may be acknowledged.
    ///
    /// - Parameters:
    ///   - deliveries: in order of position; those at or below the cursor are skipped.
    ///   - service: the service that they came by.
    ///   - cursor: the last position that was committed.
    ///   - openings: for each hello, by position, a queue that is open at the own relay for its relationship.
    func receive(
        _ deliveries: [Delivery], by service: VerificationKey, after cursor: UInt64, openings: [UInt64: OwnQueue]
    ) async throws(NodeError) -> Received {
        try await perform { keeper, draft in
            var received = Received()
            var last = cursor
            var touched: [RelationshipID] = []
            for delivery in deliveries where delivery.position > last {
                last = delivery.position
                guard let queue = try await keeper.queue(delivery.queue) else {
                    draft.event(.envelopeRefused, .init(reason: "it came by a queue that this vault does not know"))
                    continue
                }
                if let id = queue.relationship {
                    let relationship = try await keeper.load(id)
                    try await keeper.open(delivery.bytes, in: relationship, draft)
                    if touched.last != id { touched.append(id) }
                } else if let opening = openings[delivery.position] {
                    if try await keeper.answer(delivery.bytes, with: opening, draft) { received.needsUpkeep = true }
                }
            }
            for id in Set(touched) {
                let relationship = try await keeper.load(id)
                try keeper.turnIfDue(relationship, draft)
                if relationship.kept.relationship.state == .ended { received.needsUpkeep = true }
            }
            if last > cursor { draft.general.cursor = ServiceCursor(service: service, position: last) }
            return received
        }
    }

    // MARK: Envelopes

    private func open(_ bytes: [UInt8], in relationship: LoadedRelationship, _ draft: Draft) async throws {
        do {
            if relationship.kept.knocking != nil {
                return try await openWelcome(bytes, in: relationship, draft)
            }
            // What was on its way when the relationship ended or froze is of no use to anybody.
            guard relationship.kept.relationship.state.receives else { return }
            switch try relationship.channel?.open(bytes.bytes, now: draft.now, into: &plaintext) {
            case nil:
                refuse("it came before the handshake", in: relationship, draft)
            case .held:
                draft.touch(relationship)
            case .message(let kind, let content):
                draft.touch(relationship)
                relationship.unopened = 0
                try await take(kind, Array(plaintext[content]), in: relationship, draft)
            }
        } catch let error as ChannelError {
            if hasLostTrack(of: relationship, by: error) {
                return miss(relationship.kept.relationship.peerHead.sequence + 1, in: relationship, draft)
            }
            return refuse(error.description, in: relationship, draft)
        }
        for released in relationship.channel?.takeReleasable() ?? [] {
            try await open(released, in: relationship, draft)
        }
    }

    /// Notes an envelope that cannot be used: it is counted and reported, and the queue goes on.
    private func refuse(_ reason: String, in relationship: LoadedRelationship, _ draft: Draft) {
        draft.event(.envelopeRefused, of: relationship.id, .init(reason: reason))
    }

    /// Whether so many envelopes were lost before this one that the channel cannot follow any more.
    ///
    /// Repeated or foreign envelopes have no key either, but seldom come in such a row.
    private func hasLostTrack(of relationship: LoadedRelationship, by error: ChannelError) -> Bool {
        switch error {
        case .tooManySkipped: return true
        case .unknownTag:
            relationship.unopened += 1
            return relationship.unopened >= 32
        default: return false
        }
    }

    /// Notes that a record of the peer will not come any more, once.
    private func miss(_ sequence: UInt64, in relationship: LoadedRelationship, _ draft: Draft) {
        guard relationship.kept.missing == nil else { return }
        draft.touch(relationship)
        relationship.kept.missing = sequence
        draft.event(
            .recordsMissing, of: relationship.id, .init(sequence: sequence, reason: relationship.kept.trouble))
    }

    private func take(
        _ kind: PayloadKind, _ content: [UInt8], in relationship: LoadedRelationship, _ draft: Draft
    ) async throws {
        if relationship.kept.relationship.state == .welcomed {
            relationship.kept.relationship.peerIsLive()
            draft.event(.relationshipLive, of: relationship.id)
        }
        switch kind {
        case .turn:
            break
        case .records:
            let entries: [Entry]
            do {
                entries = try RecordContent.decode(content.bytes)
            } catch {
                return refuse(error.description, in: relationship, draft)
            }
            try await receive(entries, in: relationship, draft)
        case .ephemeral:
            let message: EphemeralMessage
            let ofTransfer: TransferMessage?
            do {
                message = try EphemeralMessage(decoding: content.bytes)
                ofTransfer = try TransferMessage(message)
            } catch {
                return refuse(error.description, in: relationship, draft)
            }
            if let ofTransfer { return try await take(ofTransfer, in: relationship, draft) }
            draft.event(.ephemeralReceived, of: relationship.id, .init(message))
        case .welcome, .rejoined:
            refuse("an epoch began twice", in: relationship, draft)
        case .returned:
            refuse("records came back that nobody asked for", in: relationship, draft)
        }
    }

    // MARK: Records

    /// Judges entries in order, and keeps and reports those that are accepted.
    func receive(_ entries: [Entry], in relationship: LoadedRelationship, _ draft: Draft) async throws {
        for entry in entries {
            let lookup = try await lookUp(relationship.kept.relationship.lookup(for: entry), in: relationship)
            let outcome: RecordOutcome
            do throws(RelationshipError) {
                outcome = try relationship.kept.relationship.receive(
                    entry, batches: &relationship.batches, ownHash: { _ in lookup.hash },
                    peerEntry: { _ in lookup.entry })
            } catch .missingRecord(let expected, _) {
                miss(expected, in: relationship, draft)
                continue
            } catch {
                refuse(error.description, in: relationship, draft)
                continue
            }
            switch outcome {
            case .duplicate:
                break
            case .accepted(let effect):
                relationship.uncommittedPeer[entry.record.sequence] = entry
                relationship.kept.missing = nil
                draft.add(relationship.id) { $0.entries.append(NewEntry(entry)) }
                draft.event(.recordReceived, of: relationship.id, .init(entry))
                try await act(on: effect, in: relationship, draft)
            case .forked(let evidence):
                draft.event(
                    .relationshipFrozen, of: relationship.id,
                    .init(reason: evidence.description))
            }
        }
    }

    private func act(on effect: Effect, in relationship: LoadedRelationship, _ draft: Draft) async throws {
        let id = relationship.id
        switch effect {
        case .message, .endorsed, .unknownType:
            break
        case .attachment(let attachment):
            let sequence = relationship.kept.relationship.peerHead.sequence
            try receive(attachment, sequence, in: relationship, draft)
        case .introduced(let introduction):
            draft.event(.peerIntroduced, of: id, .init(name: introduction.name))
        case .rotated:
            draft.event(.peerRotated, of: id)
        case .revoked:
            draft.event(.relationshipEnded, of: id, .init(reason: "the peer revoked its identity"))
            try await giveUpQueue(of: relationship, draft)
        case .ended(let ending, let mustAnswer):
            if mustAnswer {
                let answer = try relationship.kept.relationship.end(
                    at: draft.now, with: relationship.identity, using: &entropy)
                try publish([answer], of: relationship, draft)
            }
            draft.event(.relationshipEnded, of: id, .init(text: ending.reason))
            try await giveUpQueue(of: relationship, draft)
        }
    }

    private func lookUp(
        _ lookup: RecordLookup?, in relationship: LoadedRelationship
    ) async throws -> (hash: Digest?, entry: Entry?) {
        let role = relationship.kept.relationship.role
        switch lookup {
        case nil:
            return (nil, nil)
        case .ownHash(let number):
            if let hash = relationship.uncommittedOwn[number] { return (hash, nil) }
            return (try await store.recordHash(of: relationship.id, direction: role, sequence: number), nil)
        case .peerEntry(let number):
            if let entry = relationship.uncommittedPeer[number] { return (nil, entry) }
            let stored = try await store.entries(of: relationship.id, direction: role.other, from: number, limit: 1)
            return (nil, try stored.first.map { try Entry(decoding: $0.bytes.bytes) })
        }
    }

    /// Sends an empty message when the peer's chain is long or old, so that keys renew under one-sided traffic too.
    private func turnIfDue(_ relationship: LoadedRelationship, _ draft: Draft) throws {
        guard relationship.kept.stop == nil, relationship.address != nil,
            relationship.kept.relationship.state.receives, relationship.channel?.turnIsDue(now: draft.now) == true
        else { return }
        try seal(.turn, [], in: relationship, draft)
    }

    /// Marks the own queue of a relationship that ended, so that the relay is told to close it.
    func giveUpQueue(of relationship: LoadedRelationship, _ draft: Draft) async throws {
        if let board = attachments?.board {
            let id = relationship.id
            draft.afterCommit.append { board.post(.ended(id)) }
        }
        guard let stored = try await queue(relationship.kept.queue) else { return }
        var row = try Row.decode(KeptQueue.self, stored.bytes)
        row.isClosing = true
        let service = relationship.kept.service
        let bytes = try Row.encode(row)
        forget(stored.id)
        draft.add(relationship.id) {
            $0.queues.append(
                QueueRow(id: stored.id, relationship: stored.relationship, tendedBy: service, bytes: bytes))
        }
    }
}

extension NodeEvent.Detail {
    /// What an event says of an ephemeral message.
    init(_ message: EphemeralMessage) {
        self.init(type: message.type.text, thread: message.thread?.description, body: message.body)
    }
}
