internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore

extension Keeper {
    /// The most relationships in one commit, and under one signature, of a broadcast.
    static let broadcastCount = 256

    /// Says one thing in many relationships by one signature of the public identity, in one commit.
    ///
    /// A relationship in which it cannot be said is reported and does not hold up the others. Each one's record, channel,
    /// outbox and remembered key become durable together.
    ///
    /// - Parameters:
    ///   - ids: At most ``broadcastCount``, none twice.
    ///   - signer: The public identity.
    ///   - key: A caller's idempotency key; a relationship that has had it gets nothing again.
    func broadcast(
        _ message: OutgoingMessage, to ids: [RelationshipID], by signer: IdentityID, idempotencyKey key: String?
    ) async throws(NodeError) -> BroadcastReport {
        try await perform { keeper, draft in
            let record = try NewRecord(
                RecordType(message.type), EncodedBody(message.body),
                thread: message.thread.map { ThreadID(try FixedBytes(copying: $0)) })
            let identity = try PublicIdentity(try await keeper.signingIdentity(signer.digest.array))
            var broadcast = Broadcast(of: identity)
            var report = BroadcastReport()
            var prepared: [Prepared] = []
            for id in ids {
                let key = key.map { Self.broadcastKey($0, for: id) }
                if let key, let earlier = try await keeper.result(of: key) {
                    report.sent.append(earlier)
                    continue
                }
                do {
                    let relationship = try await keeper.load(id)
                    try keeper.checkDelivery(of: relationship)
                    var copy = relationship.kept.relationship
                    let news = try keeper.endorsements(
                        of: identity.log, in: &copy, with: relationship.identity, at: draft.now)
                    try copy.append(record, to: &broadcast, at: draft.now, using: &keeper.entropy)
                    prepared.append(Prepared(loaded: relationship, changed: copy, news: news, key: key))
                } catch let error as StoreError {
                    throw error
                } catch NodeError.store(let error) {
                    throw error
                } catch {
                    report.refused.append(.init(relationship: id.description, reason: NodeError(error).description))
                }
            }
            let entries = try broadcast.sign(with: identity, using: &keeper.entropy)
            for (prepared, entry) in zip(prepared, entries) {
                let relationship = prepared.loaded
                let all = prepared.news + [entry]
                do {
                    try keeper.publish(all, leaving: prepared.changed, in: relationship, draft)
                } catch {
                    guard draft.touched[relationship.id] == nil else { throw error }
                    report.refused.append(
                        .init(relationship: relationship.id.description, reason: NodeError(error).description))
                    continue
                }
                let sent = SendReport(
                    relationship: relationship.id.description, sequences: [entry.record.sequence],
                    hashes: [Base32.encode(entry.hash.array)], isRepeat: false, waiting: 0)
                report.sent.append(sent)
                if let key = prepared.key { try keeper.remember(sent, under: key, of: relationship.id, draft) }
            }
            return report
        }
    }

    /// A relationship whose record waits for the signature.
    private struct Prepared {
        let loaded: LoadedRelationship
        /// The relationship as the records leave it behind.
        let changed: Relationship
        /// Key events of the public identity that the peer has not been told of.
        let news: [Entry]
        let key: [UInt8]?
    }

    /// Records that tell the peer of the public identity's key events since those it knows.
    func endorsements(
        of log: KeyLog, in relationship: inout Relationship, with identity: borrowing Identity, at now: Timestamp
    ) throws(RelationshipError) -> [Entry] {
        guard let known = relationship.ownEndorser, known.id == log.id else { return [] }
        var entries: [Entry] = []
        for event in log.events.dropFirst(known.count) {
            entries.append(try relationship.endorse(event, at: now, with: identity, using: &entropy))
        }
        return entries
    }

    /// The key under which a relationship's part in a broadcast is remembered.
    private static func broadcastKey(_ key: String, for id: RelationshipID) -> [UInt8] {
        Array("broadcast:\(id):\(key)".utf8)
    }
}
