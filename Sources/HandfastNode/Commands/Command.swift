/// What a person or a program asks of a node.
///
/// The same values run in process, when no node is running, and over the vault's Unix socket to a running one; a later
/// HTTP interface maps onto them. Relationships are named by a unique prefix of their id, or by a label.
///
/// `wait` is the longest time in seconds that a command may spend on the network before it answers. What is not
/// delivered by then stays in the outbox and the reply says so.
///
/// - Source: Spec/03, Spec/05 for what each does on the wire
public enum Command: Codable, Hashable, Sendable {
    /// Makes an invitation and publishes its bundles at an own relay, `host:port/key` or `host:port`; the preferred one if
    /// none is named. Answered by ``CommandReply/invitation(_:)``.
    case invite(label: String?, relay: String? = nil, wait: UInt32)
    /// Accepts an invitation and knocks, once the domain that the inviter names has confirmed it if `asksDomain`.
    /// Answered by ``CommandReply/relationship(_:)``.
    case accept(invitation: String, label: String?, asksDomain: Bool = true, wait: UInt32)
    /// Lists all relationships. Answered by ``CommandReply/relationships(_:)``.
    case list
    /// Shows one relationship. Answered by ``CommandReply/relationship(_:)``.
    case show(relationship: String)
    /// Sends messages, in order, all or none. Answered by ``CommandReply/sent(_:)``.
    ///
    /// A repeated idempotency key gives the first answer again and sends nothing.
    case send(relationship: String, messages: [OutgoingMessage], idempotencyKey: String?, wait: UInt32)
    /// Says one thing in many relationships of the public identity. Answered by ``CommandReply/broadcast(_:)``.
    ///
    /// With a repeated idempotency key it reaches only those relationships that do not have it.
    case broadcast(relationships: [String], message: OutgoingMessage, idempotencyKey: String?, wait: UInt32)
    /// Seals a file, named by its absolute path, and sends the record that names it. Answered by
    /// ``CommandReply/sent(_:)``; the file itself travels while the node runs, or by ``followAttachment``.
    case attach(relationship: String, file: Node.OutgoingAttachment, idempotencyKey: String?)
    /// Lists the attachments of both sides. Answered by ``CommandReply/attachments(_:)``.
    case attachments(relationship: String)
    /// Takes an attachment of the peer that waits for a person's word. Answered by ``CommandReply/attachments(_:)``.
    case acceptAttachment(relationship: String, sequence: UInt64)
    /// Takes back an own attachment, or declines one of the peer. Answered by ``CommandReply/attachments(_:)``.
    case cancelAttachment(relationship: String, sender: EntryReport.Sender, sequence: UInt64)
    /// Deletes the content of an attachment of the peer. Answered by ``CommandReply/attachments(_:)``.
    case deleteAttachment(relationship: String, sequence: UInt64)
    /// Opens an attachment into a new file, named by its absolute path. Answered by ``CommandReply/attachments(_:)``.
    case saveAttachment(relationship: String, sender: EntryReport.Sender, sequence: UInt64, path: String)
    /// Delivers until an attachment is across, or nothing of it has moved for `wait` seconds. Answered by
    /// ``CommandReply/attachments(_:)``.
    case followAttachment(relationship: String, sender: EntryReport.Sender, sequence: UInt64, wait: UInt32)
    /// Reads records with numbers above `after`, of one sender or of both, at most `limit` (1…10,000) a direction.
    ///
    /// Fetches what is at the relay first. Answered by ``CommandReply/entries(_:)``.
    case read(relationship: String, sender: EntryReport.Sender?, after: UInt64, limit: Int, wait: UInt32)
    /// Reads events above a position, at most `limit` (1…10,000). Answered by ``CommandReply/events(_:)``.
    case events(after: Int64, limit: Int)
    /// Streams events above a position (`nil`: from now on) until the connection closes: a sequence of
    /// ``CommandReply/events(_:)``.
    case watch(after: Int64?, relationship: String?)
    /// Rotates the own signing key of a relationship. Answered by ``CommandReply/relationship(_:)``.
    case rotate(relationship: String, wait: UInt32)
    /// Rotates the keys of the public identity and tells its relationships. Answered by
    /// ``CommandReply/publicIdentity(_:)``.
    case rotatePublic(wait: UInt32)
    /// Asks the other side for a new epoch of the channel, in which both make their ledgers equal. Answered by
    /// ``CommandReply/relationship(_:)``.
    case rejoin(relationship: String, wait: UInt32)
    /// Moves where this node receives to other relays, `host:port/key`: one relationship, or all if none is named. With no
    /// relay, gives a relationship new queues at those where it receives, and the old capabilities open nothing. Answered
    /// by ``CommandReply/moved(_:)``, after a ``CommandReply/moving(_:)`` for each step meanwhile.
    case move(relationship: String?, relays: [String], wait: UInt32)
    /// Gives up what relays that are being left still hold. Answered by ``CommandReply/moved(_:)``.
    case giveUpOldRelays(relationship: String?)
    /// Ends a relationship. Answered by ``CommandReply/relationship(_:)``.
    case end(relationship: String, reason: String?, wait: UInt32)
    /// Changes what comes of the other side. Answered by ``CommandReply/relationship(_:)``.
    case receive(relationship: String, change: ReceptionChange, wait: UInt32)
    /// What comes of strangers, who answer invitations. Answered by ``CommandReply/strangers(_:)``.
    case strangers
    /// Changes what comes of strangers. Answered by ``CommandReply/strangers(_:)``.
    case receiveStrangers(change: ReceptionChange, wait: UInt32)
    /// Makes all open invitations void and closes the queues in which they are answered. Answered by
    /// ``CommandReply/strangers(_:)``.
    case blockStrangers(wait: UInt32)
    /// Shuts the other side out for good. Answered by ``CommandReply/relationship(_:)``.
    case block(relationship: String, wait: UInt32)
    /// Writes the ledger of a relationship in a form that verifies by itself. Answered by ``CommandReply/ledger(_:)``.
    case exportLedger(relationship: String)
    /// Lists what the vault knows to hold no longer, of one relationship or of all. Answered by
    /// ``CommandReply/revocations(_:)``.
    case revocations(relationship: String?)
    /// Asks for claims, answers, refuses, and tells what was learned.
    case claim(ClaimAction, wait: UInt32)
    /// Looks after the credentials of the wallet.
    case credential(CredentialAction)
    /// Asks for, keeps and shows anonymous claims.
    case anonymous(AnonymousAction)
    /// Looks after the issuers whose word is taken for claims.
    case issuer(IssuerAction)
    /// Adds to a backup, a file named by its absolute path, what has changed, or makes it with a passphrase of its own.
    /// Answered by ``CommandReply/backup(_:)``.
    case backup(path: String, passphrase: [UInt8]?)
    /// Looks after next keys that derive from a recovery root. Answered by ``CommandReply/recovery(_:)``.
    case recovery(RecoveryAction)
    /// Looks for what is wrong or needs attention. Answered by ``CommandReply/findings(_:)``.
    case doctor
    /// Counts and positions. Answered by ``CommandReply/status(_:)``.
    case status
    /// The key log of the public identity, for `/.well-known/handfast`. Answered by ``CommandReply/keyLog(_:)``.
    case keyLog

    /// The longest time in seconds that the command may spend on the network.
    public var wait: UInt32 {
        switch self {
        case .invite(_, _, let wait), .accept(_, _, _, let wait), .send(_, _, _, let wait),
            .broadcast(_, _, _, let wait), .read(_, _, _, _, let wait),
            .rotate(_, let wait), .rotatePublic(let wait), .move(_, _, let wait), .rejoin(_, let wait),
            .end(_, _, let wait),
            .receive(_, _, let wait), .block(_, let wait), .receiveStrangers(_, let wait), .blockStrangers(let wait),
            .followAttachment(_, _, _, let wait), .claim(_, let wait):
            wait
        case .list, .show, .strangers, .attach, .attachments, .acceptAttachment, .cancelAttachment, .deleteAttachment,
            .saveAttachment, .events, .watch, .exportLedger, .revocations, .giveUpOldRelays, .credential, .anonymous,
            .issuer, .backup, .recovery, .doctor, .status, .keyLog:
            0
        }
    }
}
