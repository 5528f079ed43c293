internal import Foundation
internal import HandfastNode

/// The configuration file as a command changes it.
enum SettingsFile {
    /// Puts other relays in the place of those that a file names, and leaves the rest of it as it is.
    ///
    /// - Parameters:
    ///   - path: the file; made where it is not there.
    ///   - relays: `host:port/key`, the preferred one first.
    /// - Throws: ``Failure`` or Foundation's errors where it cannot be read or written.
    static func setRelays(_ relays: [String], in path: String) throws {
        var root: [String: Any] = [:]
        if let data = FileManager.default.contents(atPath: path) {
            guard let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
                throw Failure(.badData, "\(path) is not a JSON object", hint: "`handfast config check` tells more")
            }
            root = object
        }
        var relay = root["relay"] as? [String: Any] ?? [:]
        relay["address"] = relays.first
        relay["alternatives"] = relays.count > 1 ? relays.dropFirst().joined(separator: ", ") : nil
        root["relay"] = relay
        let text = try JSONSerialization.data(
            withJSONObject: root, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        try OutputFile.write(Array(text) + [UInt8(ascii: "\n")], to: path, mode: 0o600)
    }
}
