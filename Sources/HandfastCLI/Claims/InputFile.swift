internal import Foundation
internal import HandfastNode

/// Files that commands read.
enum InputFile {
    /// Reads a file of at most `maximum` bytes.
    ///
    /// - Throws: ``Failure``
    static func read(_ path: String, maximum: Int) throws -> [UInt8] {
        guard let handle = FileHandle(forReadingAtPath: path), let data = try? handle.read(upToCount: maximum + 1)
        else {
            throw Failure(.badData, "the file \(path) cannot be read", hint: "check the path and that you may read it")
        }
        guard data.count <= maximum else {
            throw Failure(.badData, "the file \(path) is larger than \(maximum) bytes")
        }
        return Array(data)
    }
}
