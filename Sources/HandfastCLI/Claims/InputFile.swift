internal import Foundation
internal import HandfastNode

/// Files that commands read; `-` is standard input.
enum InputFile {
    /// Reads a file of at most `maximum` bytes.
    ///
    /// - Throws: ``Failure``
    static func read(_ path: String, maximum: Int) throws -> [UInt8] {
        let file = path == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: path)
        var data = Data()
        do {
            guard let file else { throw CocoaError(.fileReadUnknown) }
            while data.count <= maximum {
                guard let more = try file.read(upToCount: maximum + 1 - data.count), !more.isEmpty else { break }
                data.append(more)
            }
        } catch {
            throw Failure(
                .badData, "\(name(of: path)) cannot be read", hint: "check the path and that you may read it")
        }
        guard data.count <= maximum else {
            throw Failure(.badData, "\(name(of: path)) is larger than \(maximum) bytes")
        }
        return Array(data)
    }

    /// What a person calls it.
    static func name(of path: String) -> String { path == "-" ? "standard input" : "the file \(path)" }
}
