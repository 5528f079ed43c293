public import Handfast
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore

extension Node {
    /// A file to send, and what goes with it.
    public struct OutgoingAttachment: Codable, Hashable, Sendable {
        /// The absolute path of the file.
        public var path: String
        /// The name under which the peer gets it; the last part of the path when `nil`.
        public var name: String?
        /// The media type, such as `image/png`.
        public var mediaType: String?
        /// Words that go with it.
        public var text: String?

        /// A file to send.
        public init(path: String, name: String? = nil, mediaType: String? = nil, text: String? = nil) {
            self.path = path
            self.name = name
            self.mediaType = mediaType
            self.text = text
        }
    }

    // MARK: Sending

    /// Seals a file and sends the record that names it. The file itself travels while ``run()`` runs, as the peer asks
    /// for it; the sealed copy is kept in the vault's folder until the peer has it.
    ///
    /// Takes the memory of one chunk, whatever the size of the file.
    ///
    /// - Parameter idempotencyKey: as with ``send(_:to:idempotencyKey:)``.
    /// - Throws: ``NodeError/file(path:reason:)``, and what ``send(_:to:idempotencyKey:)`` throws; then nothing is kept
    @discardableResult
    public func attach(
        _ file: OutgoingAttachment, to id: RelationshipID, idempotencyKey: String? = nil
    ) async throws(NodeError) -> SendReport {
        let desk = try desk()
        if let idempotencyKey, let earlier = try await keeper.earlierReport(idempotencyKey) { return earlier }
        // Before a large file is sealed for nothing.
        try await keeper.checkCanSend(to: id)
        let draft = desk.folder.newDraft()
        var settled: String?
        do {
            let attachment = try await seal(file, into: draft)
            let path = try desk.folder.settle(draft, as: attachment)
            settled = path
            let report = try await keeper.send(attachment, to: id, idempotencyKey: idempotencyKey)
            if report.isRepeat { AttachmentFile.remove(path) }
            desk.folder.forget(path)
            return report
        } catch {
            for path in [draft, settled].compactMap(\.self) { AttachmentFile.remove(path) }
            if let settled { desk.folder.forget(settled) }
            throw NodeError(error)
        }
    }

    private func seal(_ file: OutgoingAttachment, into draft: String) async throws -> AttachmentMessage {
        let name = file.name ?? file.path.split(separator: "/").last.map(String.init) ?? ""
        if let fault = AttachmentMessage.fault(inName: name) {
            throw NodeError.badData("the file cannot be sent under this name: \(fault); give another")
        }
        let source = try AttachmentFile(file.path, for: .reading)
        let size = try source.size()
        let target = try AttachmentFile(draft, for: .replacing)
        var random = SecureRandom()
        var sealer = try AttachmentSealer(contentSize: size, using: &random)
        var (read, written, chunks): (UInt64, UInt64, Int) = (0, 0, 0)
        while let count = sealer.nextSize {
            let bytes = try source.read(count, at: read)
            guard bytes.count == count else { throw NodeError.file(path: file.path, reason: Self.changed) }
            let sealed = try sealer.seal(bytes.bytes)
            try target.write(sealed, at: written)
            read += UInt64(bytes.count)
            written += UInt64(sealed.count)
            chunks += 1
            // A large file takes a while: others have their turn in between.
            if chunks % 64 == 0 {
                await Task.yield()
                try Task.checkCancellation()
            }
        }
        guard try source.size() == size else { throw NodeError.file(path: file.path, reason: Self.changed) }
        try target.sync()
        return try sealer.finish(name: name, encodingFormat: file.mediaType, text: file.text)
    }

    private static let changed = "it changed while it was read; nothing was sent"

    // MARK: Looking

    /// The attachments of both sides, in the order of their records.
    public func attachments(of id: RelationshipID) async throws(NodeError) -> [AttachmentReport] {
        var reports: [AttachmentReport] = []
        for sender in [EntryReport.Sender.peer, .own] {
            var after: UInt64 = 0
            while true {
                let page = try await entries(of: id, sender: sender, after: after, limit: 1_000)
                reports += page.compactMap(\.attachment)
                guard page.count == 1_000, let last = page.last else { break }
                after = last.sequence
            }
        }
        return reports
    }

    /// One attachment.
    ///
    /// - Throws: ``NodeError/badData(_:)`` when the record is not there or names no attachment
    public func attachment(
        _ sequence: UInt64, from sender: EntryReport.Sender, in id: RelationshipID
    ) async throws(NodeError) -> AttachmentReport {
        let (key, attachment) = try await find(sequence, from: sender, in: id)
        return try await report(attachment, key, from: sender)
    }

    /// What is known of an attachment, beside its record.
    func report(
        _ attachment: AttachmentMessage, _ key: TransferKey, from sender: EntryReport.Sender
    ) async throws(NodeError) -> AttachmentReport {
        let kept = try await keeper.transfer(key)
        let transferred: UInt64 =
            switch kept?.stage {
            case .received, .delivered: attachment.contentSize
            case .giving: attachment.contentBytes(below: kept?.have ?? 0)
            case .taking:
                if let progress = await keeper.attachments?.incoming.progress(of: key) {
                    progress
                } else {
                    attachment.contentBytes(below: kept?.have ?? 0)
                }
            default: 0
            }
        return AttachmentReport(
            sender: sender, sequence: key.sequence, name: attachment.name, mediaType: attachment.encodingFormat,
            size: attachment.contentSize, state: (kept?.stage ?? .gone).word, transferred: transferred,
            reason: kept?.stage.isOpen == true ? await courier?.trouble(of: key) : kept?.reason)
    }

    // MARK: Deciding

    /// Takes an attachment of the peer that waits for a person's word, or once more one that was not received.
    ///
    /// - Throws: ``NodeError/badData(_:)`` when it is here already
    public func acceptAttachment(_ sequence: UInt64, in id: RelationshipID) async throws(NodeError) {
        _ = try desk()
        let (key, attachment) = try await find(sequence, from: .peer, in: id)
        try await keeper.perform { keeper, draft in
            let relationship = try await keeper.load(id)
            let kept = try await keeper.transfer(key)
            guard kept?.stage != .received else { throw NodeError.badData("attachment \(sequence) is here already") }
            guard kept?.stage != .taking else { return }
            try await keeper.checkCanSend(to: id)
            // The number of rounds goes on: the sender must see that this is a new one.
            let again = KeptTransfer(stage: .taking, size: attachment.contentSize, round: kept?.round ?? 0)
            try keeper.keep(again, of: key, in: relationship, draft)
            keeper.begin(key, again, draft)
        }
    }

    /// Ends the way of an attachment that is not across: an own one is taken back, one of the peer declined.
    ///
    /// - Throws: ``NodeError/badData(_:)`` when there is nothing to end
    public func cancelAttachment(
        _ sequence: UInt64, from sender: EntryReport.Sender, in id: RelationshipID
    ) async throws(NodeError) {
        let (key, _) = try await find(sequence, from: sender, in: id)
        try await keeper.perform { keeper, draft in
            let relationship = try await keeper.load(id)
            switch (sender, try await keeper.transfer(key)?.stage) {
            case (.own, .giving):
                try await keeper.end(key, from: .giving, as: .gone, in: relationship, draft)
                keeper.say(.gone(record: sequence), in: relationship, draft)
            case (.peer, .taking):
                try await keeper.end(key, from: .taking, as: .declined, in: relationship, draft)
                keeper.say(.decline(record: sequence), in: relationship, draft)
            case (.peer, .asking):
                try await keeper.end(key, from: .asking, as: .declined, in: relationship, draft)
                keeper.say(.decline(record: sequence), in: relationship, draft)
            case (_, let stage):
                throw NodeError.badData(
                    "attachment \(sequence) is \((stage ?? .gone).word): there is nothing to cancel")
            }
        }
    }

    /// Deletes the content of an attachment of the peer from the vault's folder; the record stays.
    ///
    /// - Throws: ``NodeError/badData(_:)`` when its content is not here
    public func deleteAttachment(_ sequence: UInt64, in id: RelationshipID) async throws(NodeError) {
        let (key, _) = try await find(sequence, from: .peer, in: id)
        try await keeper.perform { keeper, draft in
            let relationship = try await keeper.load(id)
            guard try await keeper.transfer(key)?.stage == .received else {
                throw NodeError.badData("the content of attachment \(sequence) is not here")
            }
            try await keeper.end(key, from: .received, as: .deleted, in: relationship, draft)
        }
        // No courier runs to do it in a process of one command.
        if !isRunning, let desk = keeper.attachments, let attachment = try await keeper.attachment(key) {
            AttachmentFile.remove(desk.folder.received(key, attachment))
        }
    }

    // MARK: Saving

    /// Opens an attachment into a new file, which is there whole and verified, or not at all.
    ///
    /// - Parameter path: the absolute path of a file that does not exist.
    /// - Throws: ``NodeError/badData(_:)`` when its content is not here, ``NodeError/file(path:reason:)``,
    ///   ``NodeError/relationship(_:)`` naming the chunk that was damaged on this disk
    public func saveAttachment(
        _ sequence: UInt64, from sender: EntryReport.Sender, in id: RelationshipID, to path: String
    ) async throws(NodeError) {
        let desk = try desk()
        let (key, attachment) = try await find(sequence, from: sender, in: id)
        let stage = try await keeper.transfer(key)?.stage
        guard stage == .received || stage == .giving else {
            throw .badData(
                "the content of attachment \(sequence) is not here: it is \((stage ?? .gone).word)"
                    + (stage == .asking ? "; `handfast attachment accept` takes it" : ""))
        }
        guard !AttachmentFile.exists(path) else { throw .file(path: path, reason: "there is something of this name") }
        let source = try AttachmentFile(
            sender == .peer ? desk.folder.received(key, attachment) : desk.folder.outgoing(attachment), for: .reading)
        var random = SecureRandom()
        let draft = "\(path).\(Base32.encode(random.bytes(5))).part"
        do {
            let target = try AttachmentFile(draft, for: .creating)
            try await Self.open(attachment, source, into: target)
            try target.sync()
            try AttachmentFile.renameToNew(draft, to: path)
        } catch {
            AttachmentFile.remove(draft)
            throw NodeError(error)
        }
    }

    private static func open(
        _ attachment: AttachmentMessage, _ source: AttachmentFile, into target: AttachmentFile
    ) async throws {
        var opener = AttachmentOpener(attachment)
        var content: [UInt8] = []
        var written: UInt64 = 0
        while !opener.isComplete {
            let size = attachment.sealedSize(ofChunk: opener.next)
            let sealed = try source.read(size, at: attachment.offset(ofChunk: opener.next))
            try opener.open(sealed.bytes, into: &content)
            try target.write(content, at: written)
            written += UInt64(content.count)
            if opener.next % 64 == 0 {
                await Task.yield()
                try Task.checkCancellation()
            }
        }
        try opener.finish()
    }

    // MARK: Finding

    private func desk() throws(NodeError) -> AttachmentDesk {
        guard let desk = keeper.attachments else {
            throw .notConfigured("this node keeps no attachments: its configuration names no folder for them")
        }
        return desk
    }

    private func find(
        _ sequence: UInt64, from sender: EntryReport.Sender, in id: RelationshipID
    ) async throws(NodeError) -> (TransferKey, AttachmentMessage) {
        guard let kept = try await keeper.kept(id) else { throw .unknownRelationship(id.description) }
        let role = kept.relationship.role
        let key = TransferKey(
            relationship: id, direction: sender == .own ? role : role.other, sequence: sequence)
        guard let attachment = try await keeper.attachment(key) else {
            throw .badData(
                "record \(sequence) \(sender == .own ? "of yours" : "of the other side") is no attachment; "
                    + "`handfast attachment list` shows them")
        }
        return (key, attachment)
    }
}

extension Keeper {
    /// Signs and stores the record of an attachment whose sealed file is in its place.
    func send(
        _ attachment: AttachmentMessage, to id: RelationshipID, idempotencyKey: String?
    ) async throws(NodeError) -> SendReport {
        let message = try OutgoingMessage(type: RecordType.attachment.text, body: attachment)
        return try await send([message], to: id, idempotencyKey: idempotencyKey, giving: attachment)
    }

    /// Notes what the node owes for a record that names an attachment.
    func give(
        _ attachment: AttachmentMessage, _ sequence: UInt64, in relationship: LoadedRelationship, _ draft: Draft
    ) throws(NodeError) {
        guard let desk = attachments else { return }
        let key = TransferKey(
            relationship: relationship.id, direction: relationship.kept.relationship.role, sequence: sequence)
        try keep(KeptTransfer(stage: .giving, size: attachment.contentSize), of: key, in: relationship, draft)
        draft.afterCommit.append { desk.board.post(.give(key)) }
    }
}

extension AttachmentMessage {
    /// The bytes of the file in all chunks below one.
    fileprivate func contentBytes(below chunk: UInt64) -> UInt64 {
        chunk >= chunkCount ? contentSize : chunk * UInt64(chunkSize)
    }
}

extension KeptTransfer.Stage {
    /// The word that a person sees.
    fileprivate var word: String {
        switch self {
        case .asking: "waiting"
        case .taking: "receiving"
        case .giving: "sending"
        case .received, .delivered, .declined, .gone, .failed, .deleted: rawValue
        }
    }
}
