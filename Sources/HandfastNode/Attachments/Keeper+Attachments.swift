internal import Handfast
internal import HandfastChannel
internal import HandfastStore

/// What the ``Keeper`` needs to receive and to send attachments.
struct AttachmentDesk: Sendable {
    /// Where their files lie.
    let folder: AttachmentFolder
    /// Those being received.
    let incoming: IncomingAttachments
    /// What commits leave to be done.
    let board = AttachmentBoard()
    /// What is taken without a person's word.
    let limits: NodeConfiguration.Attachments

    init(_ limits: NodeConfiguration.Attachments, at path: String) throws(NodeError) {
        self.limits = limits
        folder = try AttachmentFolder(path: path)
        incoming = IncomingAttachments(folder)
    }

    /// Counts what is being received already.
    func reserve(for store: any VaultStore) async throws(NodeError) {
        var after: Int64 = 0
        while true {
            let page: [StoredTransfer]
            do {
                page = try await store.openTransfers(after: after, limit: 1_000)
            } catch {
                throw .store(error)
            }
            for stored in page {
                after = stored.position
                let kept = try Row.decode(KeptTransfer.self, stored.bytes)
                if kept.stage == .taking { folder.reserve(kept.size, for: stored.key) }
            }
            guard page.count == 1_000 else { return }
        }
    }

    /// Why a person has to decide whether to take an attachment of this size; nil when the limits allow it.
    func objection(to size: UInt64) -> String? {
        if size > limits.acceptedBytes {
            return "it is larger than this node takes unasked (\(limits.acceptedBytes) bytes)"
        }
        if folder.usedBytes() + size > limits.totalBytes {
            return "with it this vault's attachments would take more than \(limits.totalBytes) bytes"
        }
        return nil
    }
}

extension Keeper {
    // MARK: Rows

    /// How far an attachment has come, as this batch leaves it; nil for one never heard of.
    func transfer(_ key: TransferKey) async throws(NodeError) -> KeptTransfer? {
        if let kept = uncommitted.transfers[key] { return kept }
        do {
            return try await store.transfer(key).map { try Row.decode(KeptTransfer.self, $0.bytes) }
        } catch {
            throw NodeError(error)
        }
    }

    /// Stores how far it has come.
    func keep(
        _ transfer: KeptTransfer, of key: TransferKey, in relationship: LoadedRelationship, _ draft: Draft
    ) throws(NodeError) {
        let row = TransferRow(key: key, bytes: try Row.encode(transfer), isOpen: transfer.stage.isOpen)
        draft.touch(relationship)
        uncommitted.transfers[key] = transfer
        draft.add(relationship.id) { change in
            change.transfers.removeAll { $0.key == key }
            change.transfers.append(row)
        }
    }

    /// The attachment that a record names, or nil.
    nonisolated func attachment(_ key: TransferKey) async throws(NodeError) -> AttachmentMessage? {
        do {
            let stored = try await store.entries(
                of: key.relationship, direction: key.direction, from: key.sequence, limit: 1
            ).first
            guard let stored, stored.sequence == key.sequence else { return nil }
            return try Entry(decoding: stored.bytes.bytes).body(as: AttachmentMessage.self)
        } catch {
            throw NodeError(error)
        }
    }

    /// Says something to the peer about an attachment. Where nothing can be said now, it is said when asked again.
    func say(_ message: TransferMessage, in relationship: LoadedRelationship, _ draft: Draft) {
        guard canSay(in: relationship), let content = try? message.message().encoded() else { return }
        try? seal(.ephemeral, content, in: relationship, draft)
    }

    /// Whether ephemeral messages can be sent.
    func canSay(in relationship: LoadedRelationship) -> Bool {
        relationship.kept.relationship.state == .live && relationship.kept.stop == nil && relationship.address != nil
    }

    // MARK: Receiving

    /// Decides whether to take an attachment whose record was just accepted.
    func receive(
        _ attachment: AttachmentMessage, _ sequence: UInt64, in relationship: LoadedRelationship, _ draft: Draft
    ) throws(NodeError) {
        let key = TransferKey(
            relationship: relationship.id, direction: relationship.kept.relationship.role.other, sequence: sequence)
        var kept = KeptTransfer(stage: .taking, size: attachment.contentSize)
        if let desk = attachments {
            kept.reason = desk.objection(to: attachment.contentSize)
        } else {
            kept.reason = "this node keeps no attachments"
        }
        if let reason = kept.reason {
            kept.stage = .asking
            draft.event(.attachmentWaiting, of: relationship.id, .init(attachment, key, reason: reason))
        }
        try keep(kept, of: key, in: relationship, draft)
        if kept.stage == .taking { begin(key, kept, draft) }
    }

    /// Asks for an attachment once its row is stored.
    func begin(_ key: TransferKey, _ kept: KeptTransfer, _ draft: Draft) {
        guard let desk = attachments else { return }
        desk.folder.reserve(kept.size, for: key)
        draft.afterCommit.append { desk.board.post(.take(key)) }
    }

    /// Takes a message of the peer about an attachment.
    func take(
        _ message: TransferMessage, in relationship: LoadedRelationship, _ draft: Draft
    ) async throws(NodeError) {
        let role = relationship.kept.relationship.role
        func key(_ direction: SenderRole, _ record: UInt64) -> TransferKey {
            TransferKey(relationship: relationship.id, direction: direction, sequence: record)
        }
        switch message {
        case .want(let record, let round, let from, let until):
            try await want(key(role, record), round: round, from: from, until: until, in: relationship, draft)
        case .have(let record):
            try await end(key(role, record), from: .giving, as: .delivered, in: relationship, draft)
        case .decline(let record):
            try await end(key(role, record), from: .giving, as: .declined, in: relationship, draft)
        case .chunk(let record, let round, let number, let sealed):
            let key = key(role.other, record)
            guard let desk = attachments else { return }
            let step = await desk.incoming.take(key, round: round, number: number, sealed)
            try await follow(step, key, in: relationship, draft)
        case .offer(let record):
            try await offered(key(role.other, record), in: relationship, draft)
        case .gone(let record):
            let key = key(role.other, record)
            if try await transfer(key)?.stage == .asking {
                try await end(key, from: .asking, as: .gone, in: relationship, draft)
            } else {
                try await end(key, from: .taking, as: .gone, in: relationship, draft)
            }
        }
    }

    /// Does what receiving a chunk, or asking again, came to.
    func follow(
        _ step: IncomingAttachments.Step, _ key: TransferKey, in relationship: LoadedRelationship, _ draft: Draft
    ) async throws(NodeError) {
        guard let desk = attachments else { return }
        switch step {
        case .rest:
            break
        case .want(let round, let from, let until):
            guard var kept = try await transfer(key), kept.stage == .taking else { return }
            kept.round = round
            kept.have = from
            kept.until = until
            try keep(kept, of: key, in: relationship, draft)
            say(.want(record: key.sequence, round: round, from: from, until: until), in: relationship, draft)
        case .complete:
            draft.afterCommit.append { desk.board.post(.finish(key)) }
        case .pause(let reason):
            try await end(key, from: .taking, as: .asking, reason: reason, in: relationship, draft)
        case .fail(let reason):
            try await end(key, from: .taking, as: .failed, reason: reason, in: relationship, draft)
            say(.decline(record: key.sequence), in: relationship, draft)
        }
    }

    /// The peer says that an attachment is still to be had.
    private func offered(
        _ key: TransferKey, in relationship: LoadedRelationship, _ draft: Draft
    ) async throws(NodeError) {
        switch try await transfer(key)?.stage {
        case .taking:
            guard let desk = attachments else { return }
            draft.afterCommit.append { desk.board.post(.takeAgain(key)) }
        case .received: say(.have(record: key.sequence), in: relationship, draft)
        case .asking: break
        default: say(.decline(record: key.sequence), in: relationship, draft)
        }
    }

    /// A new epoch began: what was on its way is lost, and is asked for and offered again.
    func renewTransfers(of relationship: LoadedRelationship, _ draft: Draft) {
        guard let board = attachments?.board else { return }
        let id = relationship.id
        draft.afterCommit.append { board.post(.epoch(id)) }
    }

    // MARK: Sending

    private func want(
        _ key: TransferKey, round: UInt32, from: UInt64, until: UInt64, in relationship: LoadedRelationship,
        _ draft: Draft
    ) async throws(NodeError) {
        guard let desk = attachments, var kept = try await transfer(key), kept.stage == .giving else {
            return say(.gone(record: key.sequence), in: relationship, draft)
        }
        if round != kept.round || from > kept.sent {
            kept.round = round
            kept.sent = from
        }
        kept.have = from
        kept.until = until
        try keep(kept, of: key, in: relationship, draft)
        draft.afterCommit.append { desk.board.post(.give(key)) }
    }

    /// Ends a transfer that is at `stage`; one that is elsewhere stays as it is.
    func end(
        _ key: TransferKey, from stage: KeptTransfer.Stage, as end: KeptTransfer.Stage, reason: String? = nil,
        in relationship: LoadedRelationship, _ draft: Draft
    ) async throws(NodeError) {
        guard let desk = attachments, var kept = try await transfer(key), kept.stage == stage else { return }
        kept.stage = end
        kept.reason = reason
        try keep(kept, of: key, in: relationship, draft)
        let fresh =
            key.direction == relationship.kept.relationship.role ? nil : relationship.uncommittedPeer(key.sequence)
        let attachment =
            if let fresh { try? fresh.body(as: AttachmentMessage.self) } else { try await attachment(key) }
        guard let attachment else { return }
        if let event = end.event {
            draft.event(event, of: relationship.id, .init(attachment, key, reason: reason))
        }
        let path: String? =
            switch stage {
            case .giving: desk.folder.outgoing(attachment)
            case .taking where end != .received && end != .asking: desk.folder.partial(key, attachment)
            case .received: desk.folder.received(key, attachment)
            default: nil
            }
        draft.afterCommit.append { desk.board.post(.forget(key, removing: path)) }
    }
}

extension KeptTransfer.Stage {
    /// What readers of the feed are told when a transfer comes here.
    var event: NodeEvent.Kind? {
        switch self {
        case .asking: .attachmentWaiting
        case .received: .attachmentReceived
        case .delivered: .attachmentDelivered
        case .declined: .attachmentDeclined
        case .gone: .attachmentGone
        case .failed: .attachmentFailed
        case .taking, .giving, .deleted: nil
        }
    }
}

extension NodeEvent.Detail {
    /// What an event says of an attachment.
    init(_ attachment: AttachmentMessage, _ key: TransferKey, reason: String? = nil) {
        self.init(
            sequence: key.sequence, type: RecordType.attachment.text, text: attachment.text, name: attachment.name,
            reason: reason)
    }
}
