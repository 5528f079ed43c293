internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore

extension Keeper {
    /// Signs, seals and stores messages of one relationship, in order, all or none.
    ///
    /// - Parameters:
    ///   - key: a caller's idempotency key; a repeat gives the first answer and sends nothing.
    ///   - attachment: the one that the message names and whose file is in its place.
    /// - Throws: ``NodeError``
    func send(
        _ messages: [OutgoingMessage], to id: RelationshipID, idempotencyKey key: String?,
        giving attachment: AttachmentMessage? = nil
    ) async throws(NodeError) -> SendReport {
        try await perform { keeper, draft in
            let key = key.map { Array($0.utf8) }
            let relationship = try await keeper.load(id)
            if let key, let earlier = try await keeper.result(of: key) {
                guard try await keeper.stands(earlier, in: relationship) else { throw NodeError.voided }
                return earlier
            }
            try keeper.checkDelivery(of: relationship)
            var report = SendReport(
                relationship: id.description, sequences: [], hashes: [], isRepeat: false, waiting: 0)
            // Everything is checked and signed on a copy first; the sealing that follows can hardly fail.
            var copy = relationship.kept.relationship
            let parts = try keeper.parts(of: messages, signing: &copy, with: relationship.identity, at: draft.now)
            draft.touch(relationship)
            relationship.kept.relationship = copy
            for part in parts {
                switch part {
                case .ephemeral(let content):
                    try keeper.seal(.ephemeral, content, in: relationship, draft)
                case .records(let entries):
                    try keeper.publish(entries, of: relationship, draft)
                    report.sequences += entries.map(\.record.sequence)
                    report.hashes += entries.map { Base32.encode($0.hash.array) }
                }
            }
            if let attachment, let sequence = report.sequences.first {
                try keeper.give(attachment, sequence, in: relationship, draft)
            }
            if let key { try keeper.remember(report, under: key, of: id, draft) }
            return report
        }
    }

    /// Rotates the own keys in a relationship and tells the peer.
    func rotate(_ id: RelationshipID) async throws(NodeError) {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(id)
            try keeper.checkDelivery(of: relationship)
            guard relationship.identity.nextSalt == nil else { throw NodeError.channel(.nextKeyNotAtHand) }
            let promise = try await keeper.takePromise(draft)
            draft.touch(relationship)
            let entry = try relationship.kept.relationship.rotate(
                &relationship.identity, at: draft.now, promising: promise, using: &keeper.entropy)
            try keeper.storeIdentity(of: relationship, draft)
            try keeper.publish([entry], of: relationship, draft)
            draft.event(.ownRotated, of: id, .init(sequence: entry.record.sequence))
        }
    }

    /// Ends a relationship: by a record where the peer can be told, at once where it cannot.
    func end(_ id: RelationshipID, reason: String?) async throws(NodeError) {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(id)
            let state = relationship.kept.relationship.state
            draft.touch(relationship)
            if state == .welcomed || state == .live, relationship.kept.stop == nil,
                !relationship.kept.isRejoining
            {
                let entry = try relationship.kept.relationship.end(
                    reason: reason, at: draft.now, with: relationship.identity, using: &keeper.entropy)
                try keeper.publish([entry], of: relationship, draft)
                draft.event(.relationshipEnding, of: id, .init(sequence: entry.record.sequence, text: reason))
            } else {
                try relationship.kept.relationship.close()
                draft.event(.relationshipEnded, of: id, .init(text: reason))
                try await keeper.giveUpQueue(of: relationship, draft)
                try await keeper.forgetKnock(of: relationship, draft)
            }
        }
    }

    // MARK: Parts

    private enum Part {
        case records([Entry])
        case ephemeral([UInt8])
    }

    private func parts(
        of messages: [OutgoingMessage], signing relationship: inout Relationship, with identity: borrowing Identity,
        at now: Timestamp
    ) throws -> [Part] {
        guard !messages.isEmpty else { throw NodeError.badData("there is no message to send") }
        var parts: [Part] = []
        var records: [NewRecord] = []
        // Several records are signed by one signature.
        func flush() throws {
            guard !records.isEmpty else { return }
            parts.append(.records(try relationship.append(records, at: now, with: identity, using: &entropy)))
            records = []
        }
        for message in messages {
            let type = try RecordType(message.type)
            let thread = try message.thread.map { ThreadID(try FixedBytes(copying: $0)) }
            let body = try EncodedBody(message.body)
            if message.isEphemeral {
                guard relationship.state == .live else {
                    throw RelationshipError.notAllowed(.append, in: relationship.state)
                }
                try flush()
                parts.append(.ephemeral(try EphemeralMessage(type, body, thread: thread).encoded()))
            } else {
                records.append(try NewRecord(type, body, thread: thread))
            }
        }
        try flush()
        return parts
    }

    /// Seals entries that are signed into as few envelopes as hold them, and stores and reports them.
    func publish(_ entries: [Entry], of relationship: LoadedRelationship, _ draft: Draft) throws {
        keep(own: entries, in: relationship, draft)
        try seal(entries, in: relationship, draft)
        for entry in entries {
            draft.event(.recordSent, of: relationship.id, .init(entry))
        }
    }

    /// Seals, stores and reports entries that were signed on a copy of their relationship.
    ///
    /// - Parameter copy: the relationship as they leave it behind.
    func publish(
        _ entries: [Entry], leaving copy: Relationship, in relationship: LoadedRelationship, _ draft: Draft
    ) throws {
        // Until the first envelope is sealed nothing has changed, and the rest can hardly fail.
        try seal(entries, in: relationship, draft)
        relationship.kept.relationship = copy
        keep(own: entries, in: relationship, draft)
        for entry in entries { draft.event(.recordSent, of: relationship.id, .init(entry)) }
    }

    /// Seals own entries for the peer; while others are still to be returned to it, they go behind those.
    func seal(_ entries: [Entry], in relationship: LoadedRelationship, _ draft: Draft) throws {
        guard let first = entries.first?.record.sequence, let last = entries.last?.record.sequence else { return }
        guard relationship.kept.returning.isEmpty else {
            draft.touch(relationship)
            relationship.kept.returning.own = (relationship.kept.returning.own?.lowerBound ?? first)...last
            return
        }
        for batch in RecordContent.batches(of: entries) {
            try seal(.records, try RecordContent.encode(batch), in: relationship, draft)
        }
    }

    /// Refuses where records can neither be signed nor sent.
    func checkCanSend(to id: RelationshipID) async throws(NodeError) {
        let relationship = try await load(id)
        try checkDelivery(of: relationship)
        let state = relationship.kept.relationship.state
        guard state == .welcomed || state == .live else { throw .relationship(.notAllowed(.append, in: state)) }
    }

    /// Refuses to send where it would do harm.
    func checkDelivery(of relationship: LoadedRelationship) throws(NodeError) {
        if let stop = relationship.kept.stop { throw .stopped(stop.text) }
        if relationship.kept.isRejoining, let text = relationship.kept.rejoinTrouble { throw .unavailable(text) }
    }

    /// Whether the records of an earlier send are in the ledger still.
    func stands(_ report: SendReport, of id: RelationshipID) async throws(NodeError) -> Bool {
        try await perform { keeper, _ in try await keeper.stands(report, in: try await keeper.load(id)) }
    }

    private func stands(_ report: SendReport, in relationship: LoadedRelationship) async throws -> Bool {
        let hashes = try await hashes(of: relationship, relationship.kept.relationship.role, report.sequences)
        return zip(report.sequences, report.hashes).allSatisfy { number, hash in
            hashes[number].map { Base32.encode($0.array) } == hash
        }
    }

    /// The answer to an earlier send with this key, or nil.
    func earlierReport(_ key: String) async throws(NodeError) -> SendReport? {
        do {
            return try await result(of: Array(key.utf8))
        } catch {
            throw NodeError(error)
        }
    }

    func result(of key: [UInt8]) async throws -> SendReport? {
        let stored =
            if let result = uncommitted.results[key] { result } else { try await store.idempotentResult(key) }
        guard let stored else { return nil }
        var report = try Row.decode(SendReport.self, stored)
        report.isRepeat = true
        return report
    }

    /// Keys are remembered for so long.
    private static let idempotencySeconds: UInt64 = 7 * 86_400

    /// Stores the answer in the same change as the messages: one cannot be lost without the other.
    func remember(
        _ report: SendReport, under key: [UInt8], of id: RelationshipID, _ draft: Draft
    ) throws {
        let result = try Row.encode(report)
        uncommitted.results[key] = result
        let row = IdempotencyRow(
            key: key, result: result, eraseAfter: draft.now.adding(seconds: Self.idempotencySeconds))
        draft.add(id) { $0.idempotency.append(row) }
    }
}

extension NodeEvent.Detail {
    /// What an event says of a record without its body.
    init(of record: Record) {
        self.init(sequence: record.sequence, type: record.type.text, thread: record.thread?.description)
    }

    /// What an event says of a record.
    init(_ entry: Entry) {
        self.init(of: entry.record)
        if let body = entry.body {
            if entry.record.type == .textMessage, let text = try? CBORDecoder().decode(TextMessage.self, from: body) {
                self.text = text.text
            } else if let attachment = try? entry.body(as: AttachmentMessage.self) {
                // Not the whole body: it holds the key.
                name = attachment.name
                text = attachment.text
            } else {
                self.body = body
            }
        }
    }
}
