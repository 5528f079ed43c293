internal import Handfast
internal import HandfastCrypto
internal import HandfastStore

extension Keeper {
    /// What came of a batch of deliveries.
    struct Received: Sendable {
        /// Knock queues or relationships changed so that the service's own queues must be looked after.
        var needsUpkeep = false
        /// A position that was committed before came with something new: the relay was taken back in between.
        var relayWentBack = false
    }

    /// Opens deliveries in order of position and commits states, records, events and cursor together.
    ///
    /// Mostly the commit before is still under way then. Once the result is given, all of them may be acknowledged.
    ///
    /// - Parameters:
    ///   - deliveries: in order of position; those at or below `delivered` are skipped.
    ///   - service: the service that they came by.
    ///   - delivered: the last position given to this session before.
    ///   - cursor: the last position that was committed; what comes at or below it should be known.
    ///   - openings: for each hello, by position, queues for its relationship, of which the first is open at its relay.
    ///   - predecessor: the deliveries before, which may not be committed yet; where they fail these do.
    func receive(
        _ deliveries: [Delivery], by service: VerificationKey, after delivered: UInt64, committed cursor: UInt64,
        openings: [UInt64: [OwnQueue]], following predecessor: OperationResult<Received>?
    ) -> OperationResult<Received> {
        begin(runsAhead: true) { keeper, draft in
            draft.predecessor = predecessor
            var received = Received()
            var last = delivered
            var touched: [LoadedRelationship] = []
            // A batch mostly has many messages of one queue after the other.
            var latest: (queue: QueueID, relationship: LoadedRelationship)?
            for delivery in deliveries where delivery.position > last {
                last = delivery.position
                let relationship: LoadedRelationship
                if let latest, latest.queue == delivery.queue {
                    relationship = latest.relationship
                } else {
                    let queue = try await keeper.queue(delivery.queue)
                    guard let id = queue?.relationship else {
                        await keeper.settled()
                        guard case .message(let bytes) = delivery.content else { continue }
                        if queue == nil {
                            let reason = "it came by a queue that this vault does not know"
                            draft.event(.envelopeRefused, .init(reason: reason))
                        } else if let opening = openings[delivery.position],
                            try await keeper.answer(bytes, with: opening, draft)
                        {
                            received.needsUpkeep = true
                        }
                        continue
                    }
                    relationship = try await keeper.load(id)
                    latest = (delivery.queue, relationship)
                }
                switch delivery.content {
                case .notice(let notice):
                    keeper.take(notice, in: relationship, draft)
                case .message(let bytes):
                    // What came before the relay knew of the block.
                    if relationship.kept.stop == .blocked { continue }
                    if !relationship.kept.isSteady || Rejoin.isRejoin(bytes.bytes) { await keeper.settled() }
                    let isKnown = delivery.position <= cursor
                    let isNew = try await keeper.open(
                        bytes, in: relationship, by: delivery.queue, isKnown: isKnown, draft)
                    if isNew, isKnown { received.relayWentBack = true }
                    if touched.last !== relationship { touched.append(relationship) }
                }
            }
            for id in Set(touched.map(\.id)) {
                let relationship = try await keeper.load(id)
                try keeper.turnIfDue(relationship, draft)
                try await keeper.rejoinIfDue(relationship, draft)
                try await keeper.forgetEarlierKeyIfSeen(relationship, draft)
                if relationship.kept.relationship.state == .ended { received.needsUpkeep = true }
            }
            if last > cursor, !received.relayWentBack {
                draft.general.cursor = ServiceCursor(service: service, position: last)
            }
            return received
        }
    }

    // MARK: Envelopes

    /// - Parameters:
    ///   - queue: the own queue by which it came.
    ///   - isKnown: whether it came and was committed before, unless the relay was taken back since; then it counts for
    ///     nothing that it cannot be opened.
    ///   - isLast: whether nothing before it is waited for, although it may come by another queue.
    /// - Returns: whether it was something new.
    private func open(
        _ bytes: [UInt8], in relationship: LoadedRelationship, by queue: QueueID, isKnown: Bool, isLast: Bool = false,
        _ draft: Draft
    ) async throws -> Bool {
        let several = relationship.kept.hasSeveralPlaces || relationship.kept.aheadSince != nil
        do {
            if relationship.kept.knocking != nil {
                try await openWelcome(bytes, in: relationship, draft)
                return true
            }
            // What was on its way when the relationship ended or froze is of no use to anybody.
            if Rejoin.isRejoin(bytes.bytes), relationship.kept.relationship.answersRejoin {
                return try await answer(rejoin: bytes, in: relationship, isKnown: isKnown, draft)
            }
            guard relationship.kept.relationship.state.receives else { return false }
            if relationship.kept.policy.isWaiting {
                guard try await openAnswer(bytes, in: relationship, draft) else { return false }
                try await noteUse(of: queue, in: relationship, draft)
                return true
            }
            switch try relationship.channel?.open(
                bytes.bytes, now: draft.now, holdsAhead: several && !isLast, into: &plaintext)
            {
            case nil:
                refuse("it came before the handshake", in: relationship, draft)
                return false
            case .held:
                draft.touch(relationship)
                if several, !isLast {
                    relationship.kept.aheadSince = relationship.kept.aheadSince ?? draft.now
                } else {
                    relationship.kept.policy.held()
                }
                try await noteUse(of: queue, in: relationship, draft)
                // It was held before, and comes again because that was not acknowledged.
                if isKnown { return false }
            case .message(let kind, let content):
                draft.touch(relationship)
                relationship.kept.policy.opened()
                relationship.lastOpened = queue
                if relationship.kept.isLeaving { try await noteUse(of: queue, in: relationship, draft) }
                if relationship.kept.reception.hold != nil { uncommitted.heard.insert(relationship.id) }
                noteLive(relationship, draft)
                switch try read(kind, at: content, in: relationship, draft) {
                case .nothing: break
                case .entries(let entries):
                    try await receive(entries, in: relationship, draft)
                case .returned(let entries):
                    await settled()
                    try await receive(returned: entries, in: relationship, draft)
                case .transfer(let message):
                    await settled()
                    try await take(message, in: relationship, draft)
                }
            }
        } catch let error as ChannelError {
            if isKnown { return false }
            // By several queues the same comes twice, and late what an epoch before had: only what follows, by one queue,
            // on something that opened counts.
            if let last = relationship.lastOpened, last != queue, several { return false }
            draft.touch(relationship)
            relationship.kept.policy.refused(error)
            refuse(error.description, in: relationship, draft)
            return false
        }
        for released in relationship.channel?.takeReleasable() ?? [] {
            _ = try await open(released, in: relationship, by: queue, isKnown: false, draft)
        }
        while several, let next = relationship.channel?.takeNext() {
            _ = try await open(next, in: relationship, by: queue, isKnown: false, draft)
        }
        if relationship.kept.aheadSince != nil, relationship.channel?.holdsEnvelopes != true {
            relationship.kept.aheadSince = nil
        }
        return true
    }

    /// Opens what waited long enough for envelopes before it; those are asked for anew where they held records.
    func openAhead(in relationship: LoadedRelationship, _ draft: Draft) async throws {
        guard let since = relationship.kept.aheadSince,
            draft.now >= since.adding(seconds: KeptRelationship.secondsAhead) || draft.now < since
        else { return }
        draft.touch(relationship)
        relationship.kept.aheadSince = nil
        for envelope in relationship.channel?.takeAhead(now: draft.now) ?? [] {
            _ = try await open(
                envelope, in: relationship, by: relationship.kept.queue, isKnown: false, isLast: true, draft)
        }
    }

    /// Notes an envelope that cannot be used: it is counted and reported, and the queue goes on.
    private func refuse(_ reason: String, in relationship: LoadedRelationship, _ draft: Draft) {
        draft.event(.envelopeRefused, of: relationship.id, .init(reason: reason))
    }

    /// Notes a record that cannot be accepted; that one before it is missing is told once.
    func refuse(_ error: RelationshipError, in relationship: LoadedRelationship, _ draft: Draft) {
        let cause = relationship.kept.policy.cause
        draft.touch(relationship)
        relationship.kept.policy.refused(error)
        guard case .missingRecord(let expected, _) = error else {
            return refuse(error.description, in: relationship, draft)
        }
        if relationship.kept.policy.cause != cause {
            draft.event(.recordsMissing, of: relationship.id, .init(sequence: expected))
        }
    }

    /// Notes that an envelope of the peer opened: it holds its keys.
    func noteLive(_ relationship: LoadedRelationship, _ draft: Draft) {
        guard relationship.kept.relationship.state == .welcomed else { return }
        relationship.kept.relationship.peerIsLive()
        draft.event(.relationshipLive, of: relationship.id)
    }

    /// What is still to be done with the content of an envelope.
    private enum Content {
        case nothing
        case entries([ReceivedEntry])
        case returned([Entry])
        case transfer(TransferMessage)
    }

    /// A record of an envelope, and its bytes as they came.
    private struct ReceivedEntry {
        let entry: Entry
        var bytes: [UInt8]?
    }

    /// Reads what an envelope held, which lies in ``plaintext``, and reports what is for readers of the feed only.
    private func read(
        _ kind: PayloadKind, at place: Range<Int>, in relationship: LoadedRelationship, _ draft: Draft
    ) throws -> Content {
        do throws(RelationshipError) {
            let content = plaintext.bytes.extracting(place)
            switch kind {
            case .turn:
                return .nothing
            case .records:
                let entries = try RecordContent.decodePlaced(content)
                return .entries(
                    entries.map { ReceivedEntry(entry: $0.entry, bytes: [UInt8](content.extracting($0.place))) })
            case .returned:
                return .returned(try RecordContent.decode(content))
            case .ephemeral:
                let message = try EphemeralMessage(decoding: content)
                if let ofTransfer = try TransferMessage(message) { return .transfer(ofTransfer) }
                draft.event(.ephemeralReceived, of: relationship.id, .init(message))
            case .welcome, .rejoined:
                refuse("an envelope that begins a channel came within one", in: relationship, draft)
            }
        } catch {
            refuse(error.description, in: relationship, draft)
        }
        return .nothing
    }

    // MARK: Records

    /// Judges entries in order, and keeps and reports those that are accepted.
    func receive(_ entries: [Entry], in relationship: LoadedRelationship, _ draft: Draft) async throws {
        try await receive(entries.map { ReceivedEntry(entry: $0) }, in: relationship, draft)
    }

    private func receive(
        _ entries: [ReceivedEntry], in relationship: LoadedRelationship, _ draft: Draft
    ) async throws {
        for received in entries {
            let entry = received.entry
            var lookup: (hash: Digest?, entry: Entry?) = (nil, nil)
            if let needed = relationship.kept.relationship.lookup(for: entry) {
                lookup = try await lookUp(needed, in: relationship)
            }
            let outcome: RecordOutcome
            do throws(RelationshipError) {
                outcome = try relationship.kept.relationship.receive(
                    entry, batches: &relationship.batches, ownHash: { [lookup] _ in lookup.hash },
                    peerEntry: { [lookup] _ in lookup.entry })
            } catch {
                refuse(error, in: relationship, draft)
                continue
            }
            if case .accepted(let effect) = outcome {
                keep(entry, bytes: received.bytes, in: relationship, draft)
                if !effect.isForReadersOnly { try await act(on: effect, in: relationship, draft) }
            } else {
                try await take(outcome, of: entry, in: relationship, draft)
            }
        }
    }

    /// Stores and reports a record of the peer that was accepted.
    private func keep(_ entry: Entry, bytes: [UInt8]?, in relationship: LoadedRelationship, _ draft: Draft) {
        relationship.remember(entry)
        draft.add(relationship.id) { $0.entries.append(NewEntry(entry, bytes: bytes)) }
        draft.event(.recordReceived, of: relationship.id, record: entry)
    }

    /// Stores, reports and acts on a record of the peer that was judged.
    func take(
        _ outcome: RecordOutcome, of entry: Entry, in relationship: LoadedRelationship, _ draft: Draft
    ) async throws {
        switch outcome {
        case .duplicate:
            break
        case .accepted(let effect):
            keep(entry, bytes: nil, in: relationship, draft)
            try await act(on: effect, in: relationship, draft)
        case .forked(let evidence):
            noteFrozen(relationship, by: evidence, draft)
        }
    }

    /// Notes that the relationship froze.
    func noteFrozen(_ relationship: LoadedRelationship, by evidence: ForkEvidence, _ draft: Draft) {
        draft.event(.relationshipFrozen, of: relationship.id, .init(reason: evidence.description))
    }

    private func act(on effect: Effect, in relationship: LoadedRelationship, _ draft: Draft) async throws {
        await settled()
        let id = relationship.id
        switch effect {
        case .message, .unknownType:
            break
        case .endorsed:
            askDomain(of: relationship, draft)
        case .claimsRequested(let request):
            try await receive(request, in: relationship, draft)
        case .claimsPresented(let presentation):
            try await receive(presentation, in: relationship, draft)
        case .claimsJudged(let result):
            try await receive(result, in: relationship, draft)
        case .attachment(let attachment):
            let sequence = relationship.kept.relationship.peerHead.sequence
            try receive(attachment, sequence, in: relationship, draft)
        case .introduced(let introduction):
            draft.event(.peerIntroduced, of: id, .init(name: introduction.name))
        case .rotated:
            draft.event(.peerRotated, of: id)
        case .moved(let addresses):
            try await follow(addresses, in: relationship, draft)
        case .revoked:
            draft.event(.relationshipEnded, of: id, .init(reason: "the peer revoked its identity"))
            try await giveUpQueue(of: relationship, draft)
        case .ended(let ending, let mustAnswer):
            if mustAnswer, relationship.kept.relationship.awaited == nil {
                let answer = try relationship.kept.relationship.end(
                    at: draft.now, with: relationship.identity, using: &entropy)
                try publish([answer], of: relationship, draft)
            }
            draft.event(.relationshipEnded, of: id, .init(text: ending.reason))
            try await giveUpQueue(of: relationship, draft)
        }
    }

    /// Has the domain of the peer's public identity asked: the identity has a new key, and what its domain serves must
    /// show the same.
    func askDomain(of relationship: LoadedRelationship, _ draft: Draft) {
        guard relationship.kept.relationship.role == .invitee, relationship.kept.relationship.domain != nil else {
            return
        }
        draft.touch(relationship)
        var check = relationship.kept.domain ?? DomainCheck(confirmed: nil)
        check.due = draft.now
        relationship.kept.domain = check
    }

    private func lookUp(
        _ lookup: RecordLookup, in relationship: LoadedRelationship
    ) async throws -> (hash: Digest?, entry: Entry?) {
        let role = relationship.kept.relationship.role
        switch lookup {
        case .ownHash(let number):
            await settled()
            return (try await hashes(of: relationship, role, [number])[number], nil)
        case .peerEntry(let number):
            if let entry = relationship.uncommittedPeer(number) { return (nil, entry) }
            await settled()
            let stored = try await store.entries(of: relationship.id, direction: role.other, from: number, limit: 1)
            return (nil, try stored.first.map { try Entry(decoding: $0.bytes.bytes) })
        }
    }

    /// Sends an empty message when the peer's chain is long or old, so that keys renew under one-sided traffic too.
    private func turnIfDue(_ relationship: LoadedRelationship, _ draft: Draft) throws {
        guard relationship.channel?.turnIsDue(now: draft.now) == true else { return }
        try speak(in: relationship, draft)
    }

    /// Sends an empty message, where one can be sent.
    func speak(in relationship: LoadedRelationship, _ draft: Draft) throws {
        guard relationship.kept.stop == nil, relationship.address != nil, relationship.channel != nil,
            relationship.kept.relationship.state.receives, !relationship.kept.policy.isWaiting
        else { return }
        try seal(.turn, [], in: relationship, draft)
    }

    /// Marks the own queue of a relationship that ended, so that the relay is told to close it.
    func giveUpQueue(of relationship: LoadedRelationship, _ draft: Draft) async throws {
        if let board = attachments?.board {
            let id = relationship.id
            draft.afterCommit.append { board.post(.ended(id)) }
        }
        let targets = relationship.kept.places.targets.map {
            OwnPlaces.Place(service: $0.service, queue: $0.address.queue)
        }
        for place in relationship.kept.receivingPlaces + targets {
            try await close(place, of: relationship, draft)
        }
    }
}

extension Effect {
    /// Whether the node itself does nothing about it.
    fileprivate var isForReadersOnly: Bool {
        switch self {
        case .message, .unknownType: true
        default: false
        }
    }
}

extension NodeEvent.Detail {
    /// What an event says of an ephemeral message.
    init(_ message: EphemeralMessage) {
        self.init(type: message.type.text, thread: message.thread?.description, body: message.body)
    }
}
