public import HandfastChannel
public import HandfastCrypto

/// One side's view of a relationship: two identities, the state between them, and the heads of their ledger.
///
/// A pure value. It signs and judges records but keeps none: whoever owns it stores each entry in the same transaction
/// as the value that the entry left behind. A throwing method changes nothing.
///
/// Two parties meet, talk and prove it, without a network:
///
/// ```swift
/// import Handfast
/// import HandfastCrypto
///
/// var entropy = SystemEntropy()
/// let now = Timestamp(seconds: 1_800_000_000)
///
/// // A shop publishes a bundle and hands out an invitation.
/// let signer = try Identity.create(domain: "shop.example", at: now, using: &entropy)
/// let bundleKey = SealingPrivateKey.generate(using: &entropy)
/// let bundle = try Bundle.make(
///     signer: signer, key: bundleKey.publicKey, notBefore: now, expires: now.adding(seconds: 86_400),
///     families: ["relationship", "message"])
/// let relay = try RelayAddress(
///     host: "relay.example", port: 7447, key: AgreementPrivateKey.generate(using: &entropy).publicKey)
/// let invitation = try Invitation(
///     relay: relay, knockQueue: .random(using: &entropy), signer: signer.id, eventCount: 1,
///     ticket: .random(using: &entropy))
/// let address = Address(
///     relay: relay, queue: .random(using: &entropy), capability: .random(using: &entropy))
///
/// // Ada accepts it with an identity made for this shop alone.
/// let ada = try Identity.create(at: now, using: &entropy)
/// var made: Relationship?
/// let greeting = try Greeting.make(
///     invitation: invitation, bundle: bundle, identity: ada, addresses: [address],
///     entries: { id in
///         let (relationship, entries) = try Relationship.greeted(
///             id: id, identity: ada, signer: bundle.signerLog, at: now, firstRecords: { _ in [] })
///         made = relationship
///         return entries.map { $0.encoded() }
///     }, now: now, using: &entropy)
/// guard var atAda = made else { return }
///
/// // The shop opens her hello and welcomes her.
/// let hello = try ReceivedHello.open(greeting.hello.bytes, bundle: bundle, key: bundleKey)
/// let shop = try Identity.create(at: now, using: &entropy)
/// var atShop = try Relationship.welcomed(hello, identity: shop, signer: signer.log, at: now)
/// let welcome = try hello.welcome(
///     identity: shop, signer: signer, addresses: [address], entries: [], now: now, using: &entropy)
/// try atAda.welcomeOpened(greeting.pending.open(welcome.envelope.bytes, now: now, using: &entropy))
///
/// // Ada says something. The entry travels in an envelope; here it is handed over.
/// let entry = try atAda.append(TextMessage(text: "Hello!"), at: now, with: ada, using: &entropy)
/// let outcome = try atShop.receive(entry, ownHash: { _ in nil }, peerEntry: { _ in nil })
/// print(outcome)  // accepted: a message that says "Hello!"
///
/// // Either side can prove the ledger with nothing but this file.
/// let export = LedgerExport(
///     relationship: atShop.id, role: .inviter, proof: welcome.proof, inviteeEntries: [entry], inviterEntries: [])
/// let ledger = try LedgerExport(decoding: export.encoded().bytes).verify()
/// print(ledger.invitee.head.sequence, ledger.domain ?? "")  // 1 shop.example
/// ```
///
/// - Source: Spec/05
public struct Relationship: Hashable, Sendable {
    /// The relationship's name on both sides.
    public let id: RelationshipID
    /// The own role, which is the direction of the own records.
    public let role: SenderRole
    /// When this side made the relationship, by its own clock.
    public let created: Timestamp
    /// The identity that signed the bundle: a public identity, or one made for the invitation.
    public let signer: IdentityID
    /// The domain that the signer claims, as an A-label; not checked here.
    public let domain: String?
    /// How far the relationship has come.
    public internal(set) var state: RelationshipState
    /// Where the peer receives, 1 to 4 addresses; none before `welcome`.
    public internal(set) var peerAddresses: [Address]
    /// The name that the peer gave itself last.
    public internal(set) var peerName: String?
    /// Whether the peer's end waits for ours: the one record that an ended relationship may still sign.
    public internal(set) var owesEnd = false
    /// Both contradicting statements, once the peer, or a copy of the own vault, has made them.
    public internal(set) var evidence: ForkEvidence?

    /// The latest own record that the peer holds while this side lacks it: until it is back, nothing is signed.
    public internal(set) var awaited: RecordReference?

    var own: LedgerSide
    var peer: LedgerSide?

    /// The own pairwise identity's key log, in outline.
    public var ownLog: KeyLogOutline { own.keys.outline }
    /// The log of the own public identity as far as the peer is told; nil where none vouches for this side.
    public var ownEndorser: KeyLogOutline? { own.endorser }
    /// The log of the public identity that vouches for the peer; nil where none does.
    public var peerEndorser: KeyLogOutline? { peer?.endorser }
    /// The peer's key log, in outline; nil before `welcome`.
    public var peerLog: KeyLogOutline? { peer?.keys.outline }
    /// The whole key log of one side.
    ///
    /// - Parameter inception: of the handshake's proof.
    /// - Throws: ``RelationshipError/wrongIdentity(_:)`` for an inception of another identity, or before `welcome`
    public func keyLog(of side: SenderRole, inception: KeyEvent) throws(RelationshipError) -> KeyLog {
        guard let keys = side == role ? own.keys : peer?.keys else { throw .wrongIdentity(inception.identity) }
        return try keys.log(inception: inception)
    }
    /// The latest own record; number 0 before any.
    public var ownHead: RecordReference { own.head }
    /// The latest record of the peer; number 0 before any.
    public var peerHead: RecordReference { peer?.head ?? .start(of: id) }
    /// The latest own record that the peer's records have confirmed to have seen.
    public var peerLastSeen: RecordReference { peer?.lastSeen ?? .start(of: id) }
    /// The key that verifies the peer's record of a number; nil before `welcome`.
    public func peerKey(at sequence: UInt64) -> VerificationKey? { peer?.key(at: sequence) }
    /// The key that signed the own record of a number.
    public func ownKey(at sequence: UInt64) -> VerificationKey { own.key(at: sequence) }

    init(
        id: RelationshipID, role: SenderRole, state: RelationshipState, created: Timestamp, signer: IdentityID,
        domain: String?, peerAddresses: [Address], own: LedgerSide, peer: LedgerSide?
    ) {
        self.id = id
        self.role = role
        self.state = state
        self.created = created
        self.signer = signer
        self.domain = domain
        self.peerAddresses = peerAddresses
        self.own = own
        self.peer = peer
    }
}
