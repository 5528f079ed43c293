internal import HandfastCrypto

/// What a backup's file holds, part by part and as it is encoded, for whoever compares it with what they read.
///
/// - Source: Spec/08 §8.6
package struct BackupContents: Sendable {
    /// The items of each part.
    package let parts: [[[UInt8]]]
    /// Whether something follows the last part that a crash has left unfinished.
    package let hasUnfinishedEnd: Bool

    /// Reads a whole file.
    package init(path: String, passphrase: [UInt8]) throws {
        let file = try BackupFile(path: path, writing: false) { header in try header.open(passphrase: passphrase) }
        var parts: [[[UInt8]]] = []
        func begin(through count: UInt64) {
            while parts.count < count { parts.append([]) }
        }
        while let item = try file.next() {
            begin(through: file.partCount + 1)
            parts[parts.count - 1].append(item.encoded())
        }
        begin(through: file.partCount)
        guard file.partCount > 0 else { throw BackupFault.unfinished }
        self.parts = parts
        hasUnfinishedEnd = file.hasUnfinishedEnd
    }

    /// Reads one item and encodes it anew.
    package static func encodingAnew(item: [UInt8]) throws(BackupFault) -> [UInt8] {
        do {
            return try BackupItem(decoding: item).encoded()
        } catch {
            throw .damaged(offset: 0)
        }
    }
}
