internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore

extension Keeper {
    /// The proof of the handshake, which stands in the ledger as number 0 of the inviter; nil before there is one.
    func proof(of id: RelationshipID) async throws(NodeError) -> HandshakeProof? {
        do {
            let first = try await store.entries(of: id, direction: .inviter, from: 0, limit: 1).first
            guard let first, first.sequence == 0 else { return nil }
            var reader = CBORReader(first.bytes.bytes)
            let proof = try HandshakeProof(reading: &reader)
            try reader.finish()
            return proof
        } catch {
            throw NodeError(error)
        }
    }

    /// Begins the ledger with the proof of the handshake.
    func keep(_ proof: HandshakeProof, in relationship: LoadedRelationship, _ draft: Draft) {
        var writer = CBORWriter()
        proof.write(to: &writer)
        let entry = NewEntry(
            relationship: relationship.id, direction: .inviter, sequence: 0, hash: proof.helloHash, bytes: writer.bytes)
        relationship.uncommittedProof = proof
        draft.add(relationship.id) { $0.entries.append(entry) }
    }

    /// Hashes of records of one direction, those of this batch included.
    func hashes(
        of relationship: LoadedRelationship, _ direction: SenderRole, _ numbers: [UInt64]
    ) async throws -> [UInt64: Digest] {
        var hashes: [UInt64: Digest] = [:]
        let (isOwn, uncommitted) = uncommitted(of: relationship, direction)
        for number in numbers {
            if let entry = uncommitted[number] {
                hashes[number] = entry.hash
            } else if !isOwn || number < relationship.uncommittedVoid ?? .max {
                hashes[number] = try await store.recordHash(
                    of: relationship.id, direction: direction, sequence: number)
            }
        }
        return hashes
    }

    /// Records of one direction, those of this batch included.
    func entries(
        of relationship: LoadedRelationship, _ direction: SenderRole, _ numbers: ClosedRange<UInt64>
    ) async throws -> [Entry] {
        let (isOwn, uncommitted) = uncommitted(of: relationship, direction)
        let end = isOwn ? min(numbers.upperBound, (relationship.uncommittedVoid ?? .max) - 1) : numbers.upperBound
        var entries: [Entry] = []
        var next = numbers.lowerBound
        while next <= end {
            let page = try await store.entries(
                of: relationship.id, direction: direction, from: next, limit: Int(min(1_000, end - next + 1)))
            guard let last = page.last else { break }
            entries += try page.filter { $0.sequence <= end }.map { try Entry(decoding: $0.bytes.bytes) }
            next = last.sequence + 1
        }
        let rest = uncommitted.filter { $0.key >= next && $0.key <= numbers.upperBound }
        return entries + rest.sorted { $0.key < $1.key }.map(\.value)
    }

    /// Records of one direction by number, those of this batch included.
    func entries(
        of relationship: LoadedRelationship, _ direction: SenderRole, numbers: [UInt64]
    ) async throws -> [UInt64: Entry] {
        var found: [UInt64: Entry] = [:]
        for number in numbers {
            found[number] = try await entries(of: relationship, direction, number...number).first
        }
        return found
    }

    private func uncommitted(
        of relationship: LoadedRelationship, _ direction: SenderRole
    ) -> (isOwn: Bool, entries: [UInt64: Entry]) {
        let isOwn = direction == relationship.kept.relationship.role
        guard !isOwn else { return (true, relationship.uncommittedOwn) }
        let numbered = relationship.uncommittedPeer.map { ($0.record.sequence, $0) }
        return (false, Dictionary(numbered) { _, latest in latest })
    }
}
