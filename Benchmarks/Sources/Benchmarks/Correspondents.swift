import Handfast
import HandfastCrypto
import HandfastEncoding
import HandfastStore

/// The customers' side of relationships that are copies of one: each signs and seals as the customer of that one did when
/// the copies were made.
final class Correspondents {
    /// One of them.
    private final class Sender {
        var relationship: Relationship
        var channel: Channel

        init(_ relationship: Relationship, _ channel: consuming Channel) {
            self.relationship = relationship
            self.channel = channel
        }
    }

    private let original: RelationshipID
    private let identity: Identity
    private let state: [UInt8]
    private let stored: StoredRelationship
    private var senders: [RelationshipID: Sender] = [:]

    /// - Parameters:
    ///   - original: the relationship that was copied.
    ///   - vault: that of its customer.
    init(like original: RelationshipID, in vault: MemoryVaultStore) async throws {
        guard let stored = try await vault.relationship(original),
            let row = try await vault.identities(after: 0, limit: 10).last
        else { throw BenchmarkError.wrongContent }
        let secret = try CBORDecoder().decode(IdentityShape.self, from: row.bytes).secret
        var reader = CBORReader(stored.state.bytes, limits: CBORLimits(size: 1 << 20))
        var map = try reader.readIntegerMap()
        try map.requireKey(1, &reader)
        self.original = original
        self.stored = stored
        identity = try Identity.decode(secret.bytes)
        state = try reader.readByteArray(maximum: 1 << 19)
    }

    /// The envelope of a signed record to the vendor of a copy.
    func seal(_ record: NewRecord, in id: RelationshipID, at now: Timestamp) throws -> [UInt8] {
        let sender = try senders[id] ?? makeSender(for: id)
        senders[id] = sender
        var random = SystemEntropy()
        let entries = try sender.relationship.append([record], at: now, with: identity, using: &random)
        let content = try RecordContent.encode(entries)
        var envelope: [UInt8] = []
        try sender.channel.seal(.records, content.bytes, now: now, into: &envelope, using: &random)
        return envelope
    }

    private func makeSender(for id: RelationshipID) throws -> Sender {
        guard let channel = stored.channel else { throw BenchmarkError.wrongContent }
        var random = SecureRandom()
        let loaded: Channel
        if let auxiliary = stored.auxiliary {
            loaded = try Channel.decode(channel.bytes, auxiliary: auxiliary.bytes, using: &random)
        } else {
            loaded = try Channel.decode(channel.bytes, auxiliary: nil, using: &random)
        }
        let copy = state.replacing(original.digest.array, with: id.digest.array)
        return Sender(try Relationship(decoding: copy.bytes), loaded)
    }
}

/// What a node keeps of an identity.
struct IdentityShape: Codable {
    let use: String
    let secret: [UInt8]
}

extension [UInt8] {
    /// These bytes with each place of `old` taken by `new`, which is as long.
    func replacing(_ old: [UInt8], with new: [UInt8]) -> [UInt8] {
        var result = self
        var start = 0
        while start + old.count <= result.count {
            if result[start] == old[0], result[start..<start + old.count].elementsEqual(old) {
                result.replaceSubrange(start..<start + old.count, with: new)
                start += old.count
            } else {
                start += 1
            }
        }
        return result
    }
}
