internal import Handfast
internal import HandfastStore

/// What the vault keeps of a request for an anonymous credential until the issuer has answered.
struct KeptAnonymousRequest: Codable, Hashable, Sendable {
    /// What its holder calls the credential.
    var label: String
    /// When it was made, seconds since 1970.
    var created: UInt64
    /// The issuer's parameters.
    var parameters: [UInt8]
    /// The request, and the blinding factor that belongs to it.
    var pending: [UInt8]
}

/// What the vault keeps of an anonymous credential.
struct KeptAnonymousCredential: Codable, Hashable, Sendable {
    /// What was shown to a relationship, once or again.
    struct Showing: Codable, Hashable, Sendable {
        var relationship: [UInt8]
        /// The attributes beside the epoch, by name.
        var names: [String]
        /// Whether the pseudonym was that of all relationships with this vendor.
        var isLinkable: Bool
        /// When for the last time, seconds since 1970.
        var time: UInt64
    }

    /// What its holder calls it.
    var label: String
    /// When it came, seconds since 1970.
    var created: UInt64
    /// The issuer's parameters.
    var parameters: [UInt8]
    /// The credential with its secrets.
    var credential: [UInt8]
    var shown: [Showing] = []

    /// Notes what was shown; again what was shown before changes its time only, so that the list stays short.
    mutating func note(_ showing: Showing) {
        shown.removeAll {
            $0.relationship == showing.relationship && $0.names == showing.names && $0.isLinkable == showing.isLinkable
        }
        shown.append(showing)
    }
}

/// What the vault keeps of a nonce that it gave out, until something that answers it was taken.
struct KeptAnonymousNonce: Codable, Hashable, Sendable {
    /// 32 random bytes.
    var nonce: [UInt8]
    /// When it was made, seconds since 1970.
    var made: UInt64
}

extension WalletKey {
    /// What a row of the table `anonymous` holds: the first byte of its key.
    enum AnonymousRow: UInt8 {
        case holder = 0
        case request = 1
        case credential = 2
        case nonce = 3
    }

    /// The row of the secret from which that of the holder follows.
    static let anonymousHolder = WalletKey(.anonymous, [AnonymousRow.holder.rawValue])

    /// The row of a request for an anonymous credential.
    static func anonymousRequest(_ id: CredentialID) -> WalletKey {
        WalletKey(.anonymous, [AnonymousRow.request.rawValue] + id.bytes.array)
    }

    /// The row of an anonymous credential.
    static func anonymousCredential(_ id: CredentialID) -> WalletKey {
        WalletKey(.anonymous, [AnonymousRow.credential.rawValue] + id.bytes.array)
    }

    /// The row of the nonce that a relationship has been given.
    static func anonymousNonce(_ relationship: RelationshipID) -> WalletKey {
        WalletKey(.anonymous, [AnonymousRow.nonce.rawValue] + relationship.digest.array)
    }

    /// What a row of the table `anonymous` holds.
    var anonymousRow: AnonymousRow? { bytes.first.flatMap { AnonymousRow(rawValue: $0) } }
}
