/// Something that happened at a node, in the one feed behind `watch`, the library and later interfaces.
///
/// An event is stored in the transaction that made it true. A program that keeps the position of the last event whose
/// consequences it has stored can stop at any time and goes on with `events(after:)`.
///
/// - Source: Spec/05
public struct NodeEvent: Codable, Hashable, Sendable {
    /// What happened.
    public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        /// An invitation of ours was accepted by us or by a peer: a relationship began, not yet confirmed.
        case relationshipGreeted = "relationship.greeted"
        /// A peer's hello was answered.
        case relationshipWelcomed = "relationship.welcomed"
        /// Both sides have proved themselves.
        case relationshipLive = "relationship.live"
        /// The peer said that it ends the relationship, or answered our end.
        case relationshipEnded = "relationship.ended"
        /// We said that we end it; the peer has not answered yet.
        case relationshipEnding = "relationship.ending"
        /// Evidence of a fork: nothing more is accepted or sent until a person decides.
        case relationshipFrozen = "relationship.frozen"
        /// The own relay was taken back to an older state: what it had not delivered is asked for anew.
        case relayRolledBack = "relay.rolled-back"
        /// Another node is at work on a copy of this vault.
        case copyAtWork = "vault.copy-at-work"
        /// A record of the peer did not come, so that nothing later is accepted until it is asked for anew.
        case recordsMissing = "records.missing"
        /// We asked the peer to begin the channel anew; nothing can be sent until it answers.
        case rejoinAsked = "rejoin.asked"
        /// The peer asked to begin the channel anew, and we answered.
        case rejoinAnswered = "rejoin.answered"
        /// The peer answered: the channel was begun anew.
        case rejoinDone = "rejoin.done"
        /// The peer asked to begin the channel anew in a way that could not be answered.
        case rejoinRefused = "rejoin.refused"
        /// A record of ours that this vault had lost came back from the peer.
        case recordReturned = "record.returned"
        /// A record of ours that the peer never had contradicts what it holds, and counts no more; it can be sent again.
        case recordVoided = "record.voided"
        /// The domain of the peer's public identity confirmed the identity's new key.
        case domainConfirmed = "domain.confirmed"
        /// The domain of the peer's public identity serves something else than the identity.
        case domainContradicted = "domain.contradicted"
        /// The peer told its name.
        case peerIntroduced = "peer.introduced"
        /// The peer rotated its signing key.
        case peerRotated = "peer.rotated"
        /// We rotated our signing key; without a relationship, that of the public identity for the domain `name`.
        case ownRotated = "own.rotated"
        /// A record of the peer was accepted into the ledger.
        case recordReceived = "record.received"
        /// A record of ours was stored and queued for delivery.
        case recordSent = "record.sent"
        /// An ephemeral message of the peer; it is kept in this event only.
        case ephemeralReceived = "ephemeral.received"
        /// A file of the peer is larger than this node takes unasked: it waits for a person's word.
        case attachmentWaiting = "attachment.waiting"
        /// A file of the peer is here, whole, verified and durable.
        case attachmentReceived = "attachment.received"
        /// The peer has a file of ours.
        case attachmentDelivered = "attachment.delivered"
        /// A file will not be received: its receiver declined it.
        case attachmentDeclined = "attachment.declined"
        /// A file will not be received: its sender took it back.
        case attachmentGone = "attachment.gone"
        /// A file is not what its record says, or cannot be read any more.
        case attachmentFailed = "attachment.failed"
        /// The peer asks for claims, and a person has to decide.
        case claimRequested = "claim.requested"
        /// A request of the peer was answered; what it has learned is kept.
        case claimPresented = "claim.presented"
        /// A request for claims was refused, by either side's holder.
        case claimRefused = "claim.refused"
        /// What was presented holds in every respect.
        case claimAccepted = "claim.accepted"
        /// What was presented does not hold; the reason names the check.
        case claimRejected = "claim.rejected"
        /// Few copies of a credential are free: its issuer should be asked for more.
        case claimLow = "claim.low"
        /// The status list of a credential in the wallet has changed: it was revoked or suspended, or holds again.
        case credentialStatus = "credential.status"
        /// An envelope could not be opened, or what it held was refused.
        case envelopeRefused = "envelope.refused"
        /// A hello was refused: garbled, too late, or with a ticket that was used before.
        case helloRefused = "hello.refused"
        /// We changed what comes of the peer: pause, rate, sizes.
        case receptionChanged = "reception.changed"
        /// We blocked the peer: nothing of it comes any more, and nothing is sent to it.
        case relationshipBlocked = "relationship.blocked"
        /// We begin to receive at another relay; the peer is told once our queue there is open.
        case moveBegan = "move.began"
        /// We told the peer that we receive elsewhere; both places are listened to.
        case moveTold = "move.told"
        /// The peer sends to the new place, and the old one is empty and closed.
        case moveDone = "move.done"
        /// The peer told that it receives elsewhere; what waited for it leaves there.
        case peerMoved = "peer.moved"
        /// The peer's relay could not be reached; what waits leaves by another of its addresses.
        case deliveryFailedOver = "delivery.failed-over"
        /// The peer's preferred relay is back, and is used again.
        case deliveryReturned = "delivery.returned"
        /// The peer's queue takes nothing for now; what is to be sent waits.
        case deliveryHeld = "delivery.held"
        /// The peer's queue takes what we send again.
        case deliveryResumed = "delivery.resumed"
        /// Messages expired before they were read, ours at the peer's relay or the peer's at ours.
        case messagesExpired = "messages.expired"
        /// The own relay turned the peer away: more came than we let come.
        case messagesHeldBack = "messages.held-back"
        /// This vault was restored from a backup: every channel is begun anew.
        case vaultRestored = "vault.restored"
        /// A relay refused an envelope for good, or the peer's queue is closed.
        case deliveryRefused = "delivery.refused"
    }

    /// Its place in the feed, from 1, growing.
    ///
    /// A gap means that old events were purged, or that the vault was found to be an older copy: its positions go on
    /// above those that the newer one gave out, so that a reader of both misses none, and sees again what comes back.
    public var position: Int64
    /// When it was stored, seconds since 1970, by the own clock.
    public var time: UInt64
    /// What happened.
    public var kind: Kind
    /// The relationship that it is about.
    public var relationship: String?
    /// What else is known of it.
    public var detail: Detail

    /// What is known of an event beyond its kind; absent fields have no meaning for the kind.
    public struct Detail: Codable, Hashable, Sendable {
        /// The number of the record.
        public var sequence: UInt64?
        /// The record's or ephemeral message's type.
        public var type: String?
        /// The thread, 32 hexadecimal digits.
        public var thread: String?
        /// The text of a `message/text`, or the reason of an end.
        public var text: String?
        /// The name that the peer gives itself.
        public var name: String?
        /// The body of an ephemeral message or of a record that is not text, deterministic CBOR.
        public var body: [UInt8]?
        /// Why something was refused or stopped, in words.
        public var reason: String?

        /// A detail with the fields that have a meaning for the kind.
        public init(
            sequence: UInt64? = nil, type: String? = nil, thread: String? = nil, text: String? = nil,
            name: String? = nil, body: [UInt8]? = nil, reason: String? = nil
        ) {
            self.sequence = sequence
            self.type = type
            self.thread = thread
            self.text = text
            self.name = name
            self.body = body
            self.reason = reason
        }
    }
}
