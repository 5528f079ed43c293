internal import Foundation
internal import HandfastNode

/// Files with secrets, which only their owner may read.
enum PrivateFile {
    /// Makes a file; one that is there is left as it is.
    ///
    /// - Throws: ``Failure``
    static func make(at path: String, _ bytes: [UInt8]) throws {
        guard !FileManager.default.fileExists(atPath: path) else {
            throw Failure(.cannotCreate, "the file \(path) exists", hint: "give another path; a key is never replaced")
        }
        let made = FileManager.default.createFile(
            atPath: path, contents: Data(bytes), attributes: [.posixPermissions: 0o600])
        guard made else {
            throw Failure(
                .cannotCreate, "the key file \(path) cannot be made", hint: "check the path and its folder's mode")
        }
    }

    /// Refuses a file that others may read.
    ///
    /// - Throws: ``Failure``
    static func requireMode(of path: String) throws {
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int ?? 0
        guard mode & 0o077 == 0 else {
            throw Failure(.notPermitted, "the key file \(path) may be read by others", hint: "run chmod 600 \(path)")
        }
    }
}
