internal import Foundation

@testable import HandfastChannel
@testable import HandfastCrypto
@testable import HandfastEncoding
@testable import HandfastStore

extension FuzzTarget {
    static let backup = [
        FuzzTarget(name: "backup-header", seeds: headerSeeds, run: header),
        FuzzTarget(name: "backup-item", seeds: { try backupItems().map { $0.encoded() } }, run: item),
        FuzzTarget(name: "backup-file", seeds: { Tampering.seeds + farChanges }, run: file),
    ]

    /// What stands in the file before anybody has proved anything.
    @Sendable private static func header(_ input: [UInt8]) throws {
        guard let header = accepted({ try BackupHeader(decoding: input) }) else { return }
        let content = Array(header.bytes.dropFirst(BackupHeader.magic.count + 2))
        try BrokenPromise.unlessSame(content, as: input, "backup's header")
    }

    @Sendable private static func headerSeeds() throws -> [[UInt8]] {
        [plainHeader(memory: 256 << 20, passes: 3), plainHeader(memory: 1 << 40, passes: 0)]
    }

    private static func plainHeader(memory: UInt64, passes: UInt64) -> [UInt8] {
        var entropy = FixedEntropy(30)
        var writer = CBORWriter()
        writer.writeArrayHeader(6)
        writer.writeBytes(entropy.bytes(16))
        writer.writeUnsigned(memory)
        writer.writeUnsigned(passes)
        for count in [16, 72, 72] { writer.writeBytes(entropy.bytes(count)) }
        return writer.bytes
    }

    @Sendable private static func item(_ input: [UInt8]) throws {
        guard let item = accepted({ try BackupItem(decoding: input) }) else { return }
        try BrokenPromise.unlessSame(item.encoded(), as: input, "backup's item")
    }

    /// A row of each kind, one that is gone, and what a part begins with.
    @Sendable private static func backupItems() throws -> [BackupItem] {
        var entropy = FixedEntropy(31)
        let service = SigningKey.generate(using: &entropy).publicKey
        let digest = Digest(FixedBytes(random: &entropy))
        let relationship = RelationshipID(digest)
        let queue = QueueID.random(using: &entropy)
        let head = BackupQueueHead(queue: queue, next: 7, chain: digest)
        let entry = NewEntry(relationship: relationship, direction: .inviter, sequence: 3, hash: digest, bytes: [1, 2])
        let transfer = TransferKey(relationship: relationship, direction: .invitee, sequence: 3)
        let rows: [BackupRow] = [
            .service(service, cursor: 9, bytes: [1]), .identity(IdentityID(digest), bytes: [2]),
            .queue(queue, relationship: relationship, bytes: [3]), .queue(queue, relationship: nil, bytes: []),
            .relationship(relationship, state: [4], resume: [5], heads: [head, head]),
            .relationship(relationship, state: [4], resume: nil, heads: []), .record(entry),
            .transfer(transfer, isOpen: true, bytes: [6]), .event(position: 8, relationship: nil, payload: [7]),
            .file(name: "config.json", bytes: Array("{}".utf8)),
        ]
        let wallet = WalletTable.allCases.map { BackupRow.wallet(WalletKey($0, [1, 2]), bytes: [8]) }
        let (name, mark) = (FixedBytes<16>(random: &entropy), FixedBytes<16>(random: &entropy))
        return [
            .part(number: 0, created: Fixture.now, lastEvent: 8), .row(.identity, name: name, mark: mark, nil),
        ] + (rows + wallet).map { .row($0.kind, name: name, mark: mark, $0) }
    }

    // MARK: The whole file

    /// A backup of three parts, the second of several chunks, and the items in it.
    private struct Backup {
        let bytes: [UInt8]
        let items: [[UInt8]]
        let key: BackupKey
        /// Where each input is put; one process runs one input at a time.
        let path: String

        init() throws {
            let place = "\(NSTemporaryDirectory())/handfast-fuzz-\(getpid())-\(UInt32.random(in: .min ... .max))"
            var entropy = FixedEntropy(32)
            let key = BackupKey(SecretBytes(copying: entropy.bytes(32).bytes))
            let header = try BackupHeader(decoding: plainHeader(memory: 256 << 20, passes: 3))
            let items = try backupItems()
            let long = BackupItem.row(
                .file, name: FixedBytes(random: &entropy), mark: FixedBytes(random: &entropy),
                .file(name: "long", bytes: entropy.bytes(2 * BackupFile.chunkCount)))
            let parts = [items, [long] + items, [items[0]]]
            defer { try? FileManager.default.removeItem(atPath: place) }
            let file = try BackupFile(making: place, header: header, key: key)
            for part in parts { try file.appendPart { give in for item in part { try give(item) } } }
            bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: place)))
            self.key = key
            path = place
            self.items = parts.joined().map { $0.encoded() }
        }

        static let shared = Result { try Backup() }
    }

    /// Changes beyond the first chunks.
    private static let farChanges: [[UInt8]] = [[0, 0xff, 0xff, 1], [2, 0xff, 0xf0], [2, 3, 0], [5, 1, 0x20, 0, 9]]

    /// What opens of a changed file is the beginning of what was written.
    @Sendable private static func file(_ input: [UInt8]) throws {
        let backup = try Backup.shared.get()
        let changed = Tampering(InputReader(input)).apply(to: backup.bytes)
        try Data(changed).write(to: URL(fileURLWithPath: backup.path))
        defer { try? FileManager.default.removeItem(atPath: backup.path) }
        var read: [[UInt8]] = []
        let reached = accepted {
            let file = try BackupFile(path: backup.path, writing: false) { _ in backup.key }
            while let item = try file.next() { read.append(item.encoded()) }
            return read.count
        }
        try BrokenPromise.unless(backup.items.starts(with: read), "a changed backup gives what was not written")
        try BrokenPromise.unless(
            changed != backup.bytes || (reached != nil && read == backup.items), "a backup gives not all of its items")
    }
}
