internal import Foundation
internal import HandfastCrypto
internal import HandfastLink
internal import HandfastNode

/// The file with a relay's static link key: 32 bytes, for its owner alone. The relay's address holds its public half.
enum RelayKey {
    private static let byteCount = 32

    /// Reads the key, or makes it on the first run.
    static func loadOrMake(at path: String) throws -> LinkKey {
        if !FileManager.default.fileExists(atPath: path) { try make(at: path) }
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)), data.count == byteCount else {
            throw Failure(
                .notPermitted, "the relay's key file \(path) cannot be read, or is not \(byteCount) bytes",
                hint: "restore it from a backup: the relay's address holds its public half")
        }
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int ?? 0
        guard mode & 0o077 == 0 else {
            throw Failure(
                .notPermitted, "the relay's key file \(path) may be read by others", hint: "run chmod 600 \(path)")
        }
        return LinkKey(try AgreementPrivateKey(copying: Array(data).bytes))
    }

    private static func make(at path: String) throws {
        var random = SecureRandom()
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let made = FileManager.default.createFile(
            atPath: path, contents: Data(random.bytes(byteCount)), attributes: [.posixPermissions: 0o600])
        guard made else {
            throw Failure(
                .cannotCreate, "the relay's key file \(path) cannot be made",
                hint: "check the path and its folder's mode")
        }
    }
}
