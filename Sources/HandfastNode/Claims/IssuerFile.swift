internal import Foundation
internal import Handfast
internal import HandfastEncoding

/// The user's file of issuers whose word is taken for claims, read anew at each use: an issuer that was taken out is
/// trusted no longer.
///
/// `{"issuers": [{"issuer": text, "keys": [JWK] or "url": text, "types": [text]}]}`: either the issuer's keys, or where it
/// publishes them; without `types` every type is taken.
struct IssuerFile: Sendable {
    /// The largest file, in bytes.
    static let maximumSize = 1 << 20

    /// An issuer, as the file names it.
    struct Entry: Hashable, Sendable {
        /// Its name.
        var issuer: String
        /// Its keys; empty where it publishes them.
        var keys: [IssuerKey] = []
        /// Where it publishes its keys; nil where the file holds them.
        var url: String?
        /// The types for which its word is taken; nil for every type.
        var types: [String]?
    }

    /// Where it is; `nil` for none.
    let path: String?

    /// The issuers that it names; none where there is no file.
    ///
    /// - Throws: ``NodeError/file(path:reason:)`` for a file that cannot be read, ``NodeError/malformedFile(path:reason:)``
    ///   for one that is not in order
    func entries() throws(NodeError) -> [Entry] {
        guard let path, let bytes = try bytes() else { return [] }
        return try Self.items(bytes, path).map { item throws(NodeError) in try Entry(item, path) }
    }

    /// Names an issuer in the file, in place of what it says of it.
    ///
    /// - Throws: ``NodeError/file(path:reason:)``
    func add(_ entry: Entry) throws(NodeError) {
        try write(try others(than: entry.issuer) + [entry.item])
    }

    /// Takes an issuer out of the file.
    ///
    /// - Throws: ``NodeError/badData(_:)`` for one that it does not name, ``NodeError/file(path:reason:)``
    func remove(_ issuer: String) throws(NodeError) {
        let rest = try others(than: issuer)
        guard try entries().count > rest.count else {
            throw .badData("no issuer is called \"\(issuer)\"; `handfast issuer list` shows those that are trusted")
        }
        try write(rest)
    }

    /// What the file says of others, as it says it.
    private func others(than issuer: String) throws(NodeError) -> [CBORValue] {
        guard let path, let bytes = try bytes() else { return [] }
        return try Self.items(bytes, path).filter { item in
            guard case .map(let map) = item else { return true }
            return map["issuer"] != .text(issuer)
        }
    }

    private func write(_ items: [CBORValue]) throws(NodeError) {
        guard let path else { throw .notConfigured("this node has no file of issuers") }
        // One issuer a line, for whoever edits it.
        let lines = items.map { "  \($0.jsonText)" }.joined(separator: ",\n")
        let text = items.isEmpty ? "{\"issuers\": []}\n" : "{\"issuers\": [\n\(lines)\n]}\n"
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw .file(path: path, reason: "it cannot be written: \(error.localizedDescription)")
        }
    }

    private func bytes() throws(NodeError) -> [UInt8]? {
        guard let path, FileManager.default.fileExists(atPath: path) else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .file(path: path, reason: "it cannot be read")
        }
        return Array(data)
    }

    private static func items(_ bytes: [UInt8], _ path: String) throws(NodeError) -> [CBORValue] {
        let value: CBORValue
        do {
            value = try JSON.decode(bytes, maximumSize: maximumSize)
        } catch {
            throw .malformedFile(path: path, reason: "\(error)")
        }
        guard case .map(let map) = value, case .array(let items)? = map["issuers"] else {
            throw .malformedFile(path: path, reason: "it has no list `issuers`")
        }
        return items
    }
}

extension IssuerFile.Entry {
    /// Reads what the file says of an issuer.
    init(_ item: CBORValue, _ path: String) throws(NodeError) {
        func fault(_ reason: String) -> NodeError { .malformedFile(path: path, reason: reason) }
        guard case .map(let map) = item, case .text(let issuer)? = map["issuer"] else {
            throw fault("an issuer has no `issuer`")
        }
        self.issuer = issuer
        switch (map["keys"], map["url"]) {
        case (.array(let keys)?, nil):
            self.keys = try keys.map { key throws(NodeError) in
                guard case .map(let jwk) = key else { throw fault("a key of \(issuer) is no JWK") }
                do {
                    return try IssuerKey(jwk: jwk)
                } catch {
                    throw fault("\(issuer): \(error)")
                }
            }
        case (nil, .text(let url)?):
            do {
                _ = try WebAddress(url)
            } catch {
                throw fault("\(issuer): \(error)")
            }
            self.url = url
        default: throw fault("\(issuer) has neither a list `keys` nor a `url`, or both")
        }
        guard let types = map["types"] else { return }
        guard case .array(let names) = types else { throw fault("`types` of \(issuer) is no list") }
        self.types = try names.map { name throws(NodeError) in
            guard case .text(let name) = name else { throw fault("a type of \(issuer) is no text") }
            return name
        }
    }

    /// What the file says of the issuer.
    var item: CBORValue {
        var members = [CBORMap.Entry(.text("issuer"), .text(issuer))]
        if let url {
            members.append(CBORMap.Entry(.text("url"), .text(url)))
        } else {
            members.append(CBORMap.Entry(.text("keys"), .array(keys.map { .map($0.jwk) })))
        }
        if let types { members.append(CBORMap.Entry(.text("types"), .array(types.map { .text($0) }))) }
        // The names differ, which is all that a map asks for.
        return .map((try? CBORMap(members)) ?? CBORMap())
    }
}
