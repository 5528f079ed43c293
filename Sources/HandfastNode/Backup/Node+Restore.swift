internal import Handfast
public import HandfastCrypto
public import HandfastStore

extension Node {
    /// Brings everything back that a backup holds, into a vault that is empty, and asks every peer for a new epoch.
    ///
    /// Channels come back by that alone. Until a peer has answered, nothing is signed in its relationship.
    ///
    /// - Parameters:
    ///   - backup: the backup, which was read to its end.
    ///   - store: the new vault; where this throws it is of no use.
    ///   - writingFile: takes the files of the folder.
    /// - Returns: what came back.
    /// - Throws: ``NodeError``, or what `writingFile` throws
    /// - Source: Spec/08 §8.6
    public static func restore(
        _ backup: BackupReader, into store: any VaultStore, time: TimeSource = .system,
        entropy: any Entropy & Sendable = SystemEntropy(),
        writingFile: @Sendable (_ name: String, _ bytes: [UInt8]) throws -> Void
    ) async throws -> RestoreReport {
        var restorer = VaultRestorer(store: store)
        try await restorer.run(backup, writingFile: writingFile)
        let node = try await Node.open(NodeConfiguration(), store: store, time: time, entropy: entropy)
        var report = restorer.report
        report.created = await backup.created.seconds
        report.leftUnfinishedOut = await backup.hasUnfinishedEnd
        report.asking = try await node.keeper.beginAnewAfterRestore()
        return report
    }
}

extension Keeper {
    /// Asks every peer for a new epoch, and forgets what a later state of this vault may have given away.
    ///
    /// - Returns: how many are asked.
    func beginAnewAfterRestore() async throws(NodeError) -> Int {
        try await perform { _, draft in
            draft.skipPositions()
            draft.event(.vaultRestored)
        }
        try await retireFreeCopies()
        try await forgetAnonymousNonces()
        var asked = 0
        var after: Int64 = 0
        while let page = try await relationships(after: after, limit: Self.restoredPerCommit) {
            asked += try await perform { keeper, draft in
                var count = 0
                for row in page {
                    let relationship = try await keeper.load(row.id)
                    try await keeper.rejoinIfDue(relationship, draft)
                    if relationship.kept.policy.isWaiting { count += 1 }
                }
                return count
            }
            after = page.last?.position ?? after
        }
        return asked
    }

    /// So many relationships begin anew in one commit.
    private static let restoredPerCommit = 64
}

/// Writes the rows of a backup into an empty vault.
private struct VaultRestorer {
    private static let rowsPerCommit = 512
    private static let lostFile = "its content was in no backup: ask for it again"
    private static let lostOwnFile = "its content was in no backup: send it again"

    let store: any VaultStore
    private(set) var report = RestoreReport()
    private var relationships: [RelationshipID: SenderRole] = [:]
    /// Services by which relationships receive.
    private var services: Set<[UInt8]> = []
    /// Those by which all relationships of a public identity do.
    private var shared: Set<[UInt8]> = []
    /// Queues of which the own relay is to be told what they let come.
    private var untold: Set<RelationshipID> = []
    private var lastEvent: Int64 = 0

    init(store: any VaultStore) {
        self.store = store
    }

    mutating func run(
        _ backup: BackupReader, writingFile: @Sendable (_ name: String, _ bytes: [UInt8]) throws -> Void
    ) async throws {
        // Rows name others that may stand behind them in the file.
        try await pass(over: backup) { restorer, row in
            if case .service(let key, _, let bytes) = row, try Row.decode(KeptService.self, bytes).isShared {
                restorer.shared.insert(key.array)
            }
            return nil
        }
        try await pass(over: backup) { restorer, row in try restorer.relationship(row) }
        try await pass(over: backup) { restorer, row in
            if case .file(let name, let bytes) = row {
                restorer.report.files.append(name)
                try writingFile(name, bytes)
                return nil
            }
            return try restorer.other(row)
        }
        let end = await backup.lastEvent
        guard end > lastEvent else { return }
        var rest = VaultChange()
        rest.skippedPositions = end - lastEvent
        _ = try await store.commit([rest])
    }

    private mutating func pass(
        over backup: BackupReader, _ change: (inout VaultRestorer, BackupRow) throws -> VaultChange?
    ) async throws {
        await backup.rewind()
        var batch: [VaultChange] = []
        while let row = try await backup.next() {
            if let change = try change(&self, row) { batch.append(change) }
            guard batch.count == Self.rowsPerCommit else { continue }
            _ = try await store.commit(batch)
            batch = []
        }
        if !batch.isEmpty { _ = try await store.commit(batch) }
    }

    private mutating func relationship(_ row: BackupRow) throws -> VaultChange? {
        guard case .relationship(let id, let state, let resume, let heads) = row else { return nil }
        var kept = try KeptRelationship(decoding: state)
        kept.policy.restored()
        kept.returning = .init()
        kept.aheadSince = nil
        // The own relay may have been told something else since. A vendor's million queues stay as they are.
        if kept.reception.policy != .standard || !shared.contains(kept.service.array) {
            kept.reception.untold = kept.currentPlaces.map(\.queue)
            untold.insert(id)
        }
        // Queues about to be used may not be open yet.
        if kept.places.areMoving { untold.insert(id) }
        var change = VaultChange()
        change.relationship = RelationshipUpdate(
            id: id, expectedVersion: nil, state: .set(kept.encoded()),
            resume: resume.map { .set($0) } ?? .unchanged,
            isTimed: kept.isTimed)
        change.adoptions = heads.map { head in
            QueueAdoption(relationship: id, queue: head.queue, next: head.next, chain: head.chain)
        }
        relationships[id] = kept.relationship.role
        for place in kept.receivingPlaces { services.insert(place.service.array) }
        for target in kept.places.targets { services.insert(target.service.array) }
        report.relationships += 1
        return change
    }

    private mutating func other(_ row: BackupRow) throws -> VaultChange? {
        var change = VaultChange()
        switch row {
        case .relationship, .file:
            return nil
        case .identity(let id, let bytes):
            change.identities.append(IdentityRow(id: id, bytes: bytes))
        case .service(let key, let cursor, let bytes):
            // Tickets and keys of bundles are in no backup: what only served an invitation has no use any more.
            guard shared.contains(key.array) || services.contains(key.array) else { return nil }
            change.services.append(ServiceRow(key: key, bytes: bytes))
            change.cursor = ServiceCursor(service: key, position: cursor)
        case .queue(let id, let relationship, let bytes):
            let kept = try Row.decode(KeptQueue.self, bytes)
            let isUsed = shared.contains(kept.service) || services.contains(kept.service)
            guard relationship.map({ relationships.keys.contains($0) }) ?? isUsed else { return nil }
            let isTended = kept.isClosing || relationship.map { untold.contains($0) } ?? false
            let service = isTended ? try VerificationKey(kept.service.bytes) : nil
            change.queues.append(QueueRow(id: id, relationship: relationship, tendedBy: service, bytes: bytes))
        case .record(let entry):
            guard relationships.keys.contains(entry.relationship) else { return nil }
            change.entries.append(entry)
            // Number 0 is the handshake's proof.
            if entry.sequence > 0 { report.records += 1 }
        case .wallet(let key, let bytes):
            // A later state may have used them, and a key that two identities promise ties them together.
            if KeptPromise.isPromise(key) { return nil }
            change.wallet.append(WalletRow(key: key, bytes: bytes))
            if key.table != .recovery { report.walletRows += 1 }
        case .transfer(let key, _, let bytes):
            guard let role = relationships[key.relationship] else { return nil }
            change.transfers.append(try transfer(key, bytes, isOwn: key.direction == role))
        case .event(let position, let relationship, let payload):
            change.skippedPositions = position - lastEvent - 1
            lastEvent = position
            change.events.append(EventDraft(relationship: relationship, payload: payload))
        }
        return change
    }

    /// Files of attachments are in no backup; those of a peer that were on their way are asked for from their beginning.
    private mutating func transfer(_ key: TransferKey, _ bytes: [UInt8], isOwn: Bool) throws -> TransferRow {
        var kept = try Row.decode(KeptTransfer.self, bytes)
        switch kept.stage {
        case .received, .giving:
            kept.stage = isOwn ? .failed : .gone
            kept.reason = isOwn ? Self.lostOwnFile : Self.lostFile
            report.attachments += 1
        case .taking:
            kept.have = 0
            kept.sent = 0
            kept.until = 0
        case .asking, .delivered, .declined, .gone, .failed, .deleted: break
        }
        return TransferRow(key: key, bytes: try Row.encode(kept), isOpen: kept.stage.isOpen)
    }
}
