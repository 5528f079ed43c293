internal import Foundation
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore

/// Backups: the file with its header and parts, and the form of the items in them.
///
/// - Source: Spec/08 §8.6
enum BackupVectors: VectorLayer {
    static let name = "backup"

    static let operations: [String: VectorOperation] = ["open": open, "item": item]

    private static func open(_ input: VectorFields) throws -> VectorFields {
        let place = FileManager.default.temporaryDirectory.appendingPathComponent("handfast-\(UUID().uuidString)")
        try Data(input.bytes("file")).write(to: place)
        defer { try? FileManager.default.removeItem(at: place) }
        let contents = try BackupContents(path: place.path, passphrase: Array(input.text("passphrase").utf8))
        return [
            "parts": .list(contents.parts.map { .hexes($0) }), "isUnfinished": .flag(contents.hasUnfinishedEnd),
        ]
    }

    private static func item(_ input: VectorFields) throws -> VectorFields {
        ["encoded": .hex(try BackupContents.encodingAnew(item: input.bytes("item")))]
    }
}
