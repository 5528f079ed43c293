@testable import Handfast
@testable import HandfastChannel
@testable import HandfastCrypto

/// All that one side has on disk for a relationship; a value, so that copying a database is an assignment.
struct Vault {
    /// An envelope that the relay has not confirmed.
    struct Outgoing {
        let bytes: [UInt8]
        let digest: Digest
    }

    var identity: [UInt8]
    var relationship: [UInt8]
    var policy: [UInt8]
    var resumes: [UInt8]
    var channel: [UInt8]?
    var auxiliary: [UInt8]?
    var pending: [UInt8]?
    var own: [Entry]
    var peer: [Entry]
    /// Everything below is at the peer's relay, whose digest was then this.
    var confirmed = 0
    var confirmedDigest = PeerQueue().end.digest
    var outbox: [Outgoing] = []
    /// Own records that became void, by hash.
    var void: Set<Digest> = []
    /// Events of the own key log, to tell a copy from before a rotation.
    var rotations = 0
}

extension [UInt8] {
    /// A copy of a secret of a simulation, which is no secret.
    init(_ secret: borrowing SecretBytes) {
        let bytes = secret.bytes
        self.init(bytes)
    }
}
