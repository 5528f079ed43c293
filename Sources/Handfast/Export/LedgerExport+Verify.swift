internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

extension LedgerExport {
    /// Verifies handshake, keys and every record, with nothing but the export itself.
    ///
    /// - Returns: What the export proves.
    /// - Throws: ``RelationshipError/handshake(_:)``, ``RelationshipError/handshakeMismatch``, or
    ///   ``RelationshipError/refusedEntry(_:sequence:_:)`` with the first fault of a direction.
    /// - Source: Spec/05 §5.6
    public func verify() throws(RelationshipError) -> VerifiedLedger {
        let parties: HandshakeProof.Verified
        let logs: (invitee: KeyLog, inviter: KeyLog)
        do {
            parties = try proof.verify()
            logs = (try KeyLog([parties.invitee]), try KeyLog([parties.inviter]))
        } catch {
            throw .handshake(error)
        }
        guard parties.relationship == relationship else { throw .handshakeMismatch }
        return VerifiedLedger(
            relationship: relationship, signer: parties.signer.id, domain: parties.signer.domain,
            words: parties.words, invitee: try verifiedDirection(.invitee, log: logs.invitee),
            inviter: try verifiedDirection(.inviter, log: logs.inviter, signer: parties.signer))
    }

    /// Replays one direction as its receiver did.
    private func verifiedDirection(
        _ direction: SenderRole, log: KeyLog, signer: KeyLog? = nil
    ) throws(RelationshipError) -> VerifiedLedger.Direction {
        let others = entries(of: direction.other)
        let otherHead = others.last?.reference ?? .start(of: relationship)
        var side = try LedgerSide(relationship: relationship, direction: direction, log: log, signer: signer)
        var batches = BatchVerifier()
        var hashes: [Digest] = []
        for (index, entry) in entries(of: direction).enumerated() {
            do throws(RelationshipError) {
                // Beyond its place the other direction is judged by its own replay; here its numbers only count.
                let judgement = try side.judge(entry, other: otherHead, batches: &batches) { sequence in
                    sequence <= UInt64(others.count) ? others[Int(sequence) - 1].hash : nil
                }
                switch judgement {
                case .next(let next, _): side = next
                case .fork(_, let refusal, _):
                    throw .keyEventRefused(sequence: entry.record.sequence, refusal)
                }
            } catch {
                throw .refusedEntry(direction, sequence: UInt64(index) + 1, error)
            }
            hashes.append(entry.hash)
        }
        let own = entries(of: direction)
        return VerifiedLedger.Direction(
            log: try side.keys.log(inception: log.events[0]), head: side.head, lastSeen: side.lastSeen,
            hasEnded: side.hasEnded,
            erasedCount: own.count(where: \.isErased), firstTime: own.first?.record.time,
            lastTime: own.last?.record.time, hashes: hashes)
    }
}
