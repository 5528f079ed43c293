internal import Foundation
internal import HandfastNode

/// Files that commands write.
enum OutputFile {
    /// Writes a file whole or not at all, and makes its folder where it is missing.
    ///
    /// - Throws: ``Failure``
    static func writeMakingFolder(_ bytes: [UInt8], to path: String) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try write(bytes, to: path)
    }

    /// Writes a file whole or not at all.
    ///
    /// - Throws: ``Failure``
    static func write(_ bytes: [UInt8], to path: String, mode: Int = 0o644) throws {
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        } catch {
            throw Failure(
                .cannotCreate, "the file \(path) cannot be written", hint: "check the path and its folder's mode")
        }
    }
}
