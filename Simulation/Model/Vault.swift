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
    /// As the handshake's proof has it.
    let peerInception: KeyEvent
    /// These two are values themselves; reading their stored form would be most of a run's work.
    var relationship: Relationship
    var policy: RejoinPolicy
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

    /// Checks that the values that a run keeps as such are stored and read alike.
    func checkStoredForm() throws {
        try BrokenPromise.unless(
            Relationship(decoding: relationship.encoded().bytes) == relationship
                && RejoinPolicy(decoding: policy.encoded().bytes) == policy,
            "a vault is read otherwise than it was stored")
    }
}

extension [UInt8] {
    /// A copy of a secret of a simulation, which is no secret.
    init(_ secret: borrowing SecretBytes) {
        let bytes = secret.bytes
        self.init(bytes)
    }
}
