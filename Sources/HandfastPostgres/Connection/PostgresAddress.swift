internal import CLibpq
public import HandfastStore

/// Where a PostgreSQL database is, and as whom it is used: `postgres://user@host:port/database`.
///
/// Whatever libpq takes after `?` may follow, such as `sslmode=verify-full`. A password may stand in it, and better
/// stands in `PGPASSWORD` or `~/.pgpass`; it is never shown.
public struct PostgresAddress: Sendable, Hashable {
    /// What an address begins with.
    public static let prefixes = ["postgres://", "postgresql://"]

    /// The text as it was given, with everything secret in it.
    let text: String
    /// The text without the password and without what follows `?`.
    private let shown: String
    /// Whether a password stands in it.
    public let hasPassword: Bool

    /// Reads an address.
    ///
    /// - Throws: ``StoreError/notAVault(path:)`` when libpq cannot read it
    public init(_ text: String) throws(StoreError) {
        guard let prefix = Self.prefixes.first(where: { text.hasPrefix($0) }) else {
            throw .notAVault(path: "the address, which does not begin with postgres://,")
        }
        var rest = text.dropFirst(prefix.count)
        let options = rest[(rest.firstIndex(of: "?") ?? rest.endIndex)...]
        rest = rest.dropLast(options.count)
        var user: Substring?
        var hasPassword = options.contains("password=")
        if let at = rest.lastIndex(of: "@") {
            user = rest[..<at].prefix { $0 != ":" }
            hasPassword = hasPassword || rest[..<at].contains(":")
            rest = rest[rest.index(after: at)...]
        }
        self.text = text
        self.hasPassword = hasPassword
        shown = prefix + (user.map { "\($0)@" } ?? "") + rest
        // What libpq says of an address that it cannot read may quote the password.
        guard let parsed = unsafe PQconninfoParse(text, nil) else { throw .notAVault(path: shown) }
        unsafe PQconninfoFree(parsed)
    }

    /// Whether a text is meant to be such an address.
    public static func isMeant(by text: String) -> Bool {
        prefixes.contains { text.hasPrefix($0) }
    }
}

extension PostgresAddress: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The address without password and options.
    public var description: String { shown }
    /// The address without password and options.
    public var debugDescription: String { shown }
    /// Nothing but ``description``.
    public var customMirror: Mirror { Mirror(self, children: ["address": shown]) }
}
