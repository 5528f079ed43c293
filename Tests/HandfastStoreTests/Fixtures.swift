import Foundation
import HandfastChannel
import HandfastCrypto
import Testing

@testable import HandfastStore

/// A folder that is gone when the test is.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        path =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("handfast-store-\(UUID().uuidString)").path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    var vault: VaultFolder { VaultFolder(path: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Makes the folder itself.
    func made() throws -> TemporaryFolder {
        try vault.create()
        return self
    }
}

/// Values made from small numbers.
enum Make {
    static func digest(_ number: Int) -> Digest {
        var hash = LabelledHash(Label("test"))
        hash.absorb(UInt64(number))
        return hash.digest()
    }

    static func relationship(_ number: Int) -> RelationshipID { RelationshipID(digest(number)) }

    static func queue(_ number: Int) throws -> QueueID {
        QueueID(try FixedBytes<16>(copying: Array(digest(number).array.prefix(16))))
    }

    static func knock(_ number: Int) -> Knock { Knock(digest(number)) }

    static func service(_ number: Int) throws -> VerificationKey {
        try SigningKey(seed: SecretBytes(copying: digest(number).bytes)).publicKey
    }

    static func time(_ seconds: UInt64) -> Timestamp { Timestamp(seconds: seconds) }

    static func bytes(_ number: Int, count: Int = 40) -> [UInt8] {
        Array("payload \(number) ".utf8) + [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: count)
    }

    /// A change that stores a new relationship.
    static func newRelationship(_ number: Int) -> VaultChange {
        var change = VaultChange()
        change.relationship = RelationshipUpdate(
            id: relationship(number), expectedVersion: nil, state: .set(bytes(number)), channel: .set(bytes(number)))
        return change
    }

    static func entry(_ relationship: Int, _ sequence: UInt64, direction: SenderRole = .invitee) -> NewEntry {
        NewEntry(
            relationship: Self.relationship(relationship), direction: direction, sequence: sequence,
            hash: digest(1000 + Int(sequence)), bytes: bytes(Int(sequence)))
    }

    static func outboxItem(_ relationship: Int, queue number: Int, _ item: UInt64) throws -> OutboxItem {
        OutboxItem(
            relationship: Self.relationship(relationship), queue: try queue(number), number: item,
            chain: digest(2000 + Int(item)), envelope: bytes(Int(item)))
    }

    static func keyFileVault(_ folder: TemporaryFolder) throws -> SQLiteVaultStore {
        try folder.vault.create()
        return try SQLiteVaultStore.create(
            in: folder.vault, protection: .newKeyFile(path: folder.file("key")))
    }

    /// New relationships by number, each with a record, an envelope and an event.
    static func steps(_ numbers: Range<Int>) throws -> [VaultChange] {
        try numbers.map { number in
            var change = newRelationship(number)
            change.entries = [entry(number, 1)]
            change.outbox = [try outboxItem(number, queue: number, 0)]
            change.events = [EventDraft(relationship: relationship(number), payload: bytes(number))]
            return change
        }
    }

    static func reopenKeyFileVault(_ folder: TemporaryFolder) throws -> SQLiteVaultStore {
        try SQLiteVaultStore.open(folder.vault, unlocking: .keyFile(path: folder.file("key")))
    }
}
