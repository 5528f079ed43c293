/// What a node answers to a ``Command``.
public enum CommandReply: Codable, Hashable, Sendable {
    /// An invitation was made.
    case invitation(InvitationReport)
    /// One relationship as it stands.
    case relationship(RelationshipReport)
    /// All relationships, oldest first.
    case relationships([RelationshipReport])
    /// Messages were stored and queued for delivery.
    case sent(SendReport)
    /// A message was stored and queued for delivery in many relationships.
    case broadcast(BroadcastReport)
    /// Attachments as they stand.
    case attachments([AttachmentReport])
    /// Requests for claims, the oldest first.
    case claims([ClaimRequestReport])
    /// Rules by which requests are answered.
    case claimRules([ClaimRuleReport])
    /// Credentials of the wallet.
    case credentials([CredentialReport])
    /// A nonce for anonymous claims that a relationship was given.
    case anonymousNonce(AnonymousNonceReport)
    /// A request for an anonymous credential, for its issuer.
    case anonymousRequest([UInt8])
    /// Anonymous credentials of the wallet, and requests for them.
    case anonymousCredentials([AnonymousCredentialReport])
    /// A presentation of an anonymous credential, for a verifier.
    case anonymousPresentation(AnonymousPresentationReport)
    /// Issuers whose word is taken for claims.
    case issuers([IssuerReport])
    /// Records of a ledger.
    case entries([EntryReport])
    /// Events in order of position.
    case events([NodeEvent])
    /// A ledger export, deterministic CBOR.
    case ledger([UInt8])
    /// What no longer holds, the latest first.
    case revocations([RevocationReport])
    /// A backup was made, or added to.
    case backup(BackupReport)
    /// How things stand with the recovery root.
    case recovery(RecoveryReport)
    /// How far a move has come, while its command waits.
    case moving(MoveReport)
    /// What became of a move.
    case moved(MoveReport)
    /// What comes of strangers.
    case strangers(StrangersReport)
    /// What `doctor` found; empty when all is well.
    case findings([Finding])
    /// Counts and positions.
    case status(StatusReport)
    /// A key log, the CBOR array that `/.well-known/handfast` serves.
    case keyLog([UInt8])
    /// The public identity was rotated.
    case publicIdentity(PublicIdentityReport)
    /// The command was not carried out; nothing changed.
    case failed(CommandFailure)

    /// Whether the answer to the command is still to follow.
    public var isInterim: Bool {
        if case .moving = self { true } else { false }
    }
}

/// Why a command was not carried out, for a person and for a script.
public struct CommandFailure: Error, Codable, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure; a command line turns it into an exit code.
    public enum Kind: String, Codable, Hashable, Sendable {
        /// Anything that has no kind of its own.
        case failed
        /// The command or its arguments cannot be understood (64).
        case usage
        /// An invitation, a file or a peer's answer is not what it should be (65).
        case badData
        /// A relay or the peer cannot be reached (69).
        case unavailable
        /// Something could not be created (73).
        case cannotCreate
        /// Locked or busy; try again (75).
        case tryAgain
        /// Wrong passphrase, or a file's mode or owner (77).
        case notPermitted
    }

    /// What kind of failure.
    public let kind: Kind
    /// One or two sentences: what was wrong, and what to do next.
    public let message: String

    /// A failure with its reason in words.
    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// The reason in words.
    public var description: String { message }
}
