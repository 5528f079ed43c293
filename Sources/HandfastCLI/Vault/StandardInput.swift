internal import Foundation
internal import HandfastNode

/// What comes by standard input, bounded.
enum StandardInput {
    /// Everything, as text.
    ///
    /// - Throws: ``Failure`` when it is longer than `maximum` bytes or not UTF-8.
    static func text(maximum: Int) throws -> String {
        var data = Data()
        while data.count <= maximum, let more = try FileHandle.standardInput.read(upToCount: 65_536), !more.isEmpty {
            data.append(more)
        }
        guard data.count <= maximum else {
            throw Failure(.badData, "standard input is longer than \(maximum) bytes", hint: "send it in parts")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw Failure(
                .badData, "standard input is not UTF-8 text", hint: "convert it first, for example with iconv")
        }
        return text
    }
}
