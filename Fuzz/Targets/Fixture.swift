@testable import Handfast
@testable import HandfastChannel
@testable import HandfastCrypto
@testable import HandfastEncoding

/// Two parties on the way to a relationship, made once in a process. Their keys are the same in each run; what is
/// sealed by encapsulation is not.
final class Fixture: Sendable {
    static let shared = Result { try Fixture() }

    static let now = Timestamp(seconds: 1_800_000_000)

    /// Signs bundles.
    let signer: Identity
    let bundleKey: SealingPrivateKey
    let bundle: Bundle
    let invitation: Invitation
    let address: Address
    let invitee: Identity
    let inviter: Identity
    /// What an identity did in its life: inception, two rotations, revocation.
    let keyEvents: [KeyEvent]
    let hello: [UInt8]
    let pending: PendingWelcome
    /// The stored form of ``pending``.
    let pendingState: [UInt8]
    let welcome: [UInt8]
    let proof: HandshakeProof
    /// Both sides of the ledger, with some records each.
    let inviteeSide: Relationship
    let inviterSide: Relationship
    let inviteeEntries: [Entry]
    let inviterEntries: [Entry]

    private init() throws {
        let now = Self.now
        var entropy = FixedEntropy()
        // For what is drawn inside a closure of a call that draws, too.
        var salts = FixedEntropy(13)
        let signer = try Identity.create(domain: "shop.example", at: now, using: &entropy)
        let bundleKey = SealingPrivateKey.generate(using: &entropy)
        let bundle = try Bundle.make(
            signer: signer, key: bundleKey.publicKey, notBefore: now, expires: now.adding(seconds: 86_400),
            families: ["message", "relationship"])
        let relay = try RelayAddress(
            host: "relay.example", port: 7447, key: AgreementPrivateKey.generate(using: &entropy).publicKey)
        let address = Address(relay: relay, queue: .random(using: &entropy), capability: .random(using: &entropy))
        let invitation = try Invitation(
            relay: relay, knockQueue: .random(using: &entropy), signer: signer.id, eventCount: 1,
            ticket: .random(using: &entropy))

        var invitee = try Identity.create(at: now, using: &entropy)
        var greeted: (relationship: Relationship, entries: [Entry])?
        let greeting = try Greeting.make(
            invitation: invitation, bundle: bundle, identity: invitee, addresses: [address],
            entries: { id in
                let made = try Relationship.greeted(id: id, identity: invitee, signer: signer.log, at: now) {
                    (relationship: inout Relationship) throws(RelationshipError) in
                    [try relationship.append(Introduction(name: "Ada"), at: now, with: invitee, using: &salts)]
                }
                greeted = made
                return made.entries.map { $0.encoded() }
            }, now: now, using: &entropy)
        guard var (inviteeSide, inviteeEntries) = greeted else { throw BrokenPromise(description: "no first records") }
        let hello = greeting.hello
        let received = try ReceivedHello.open(hello.bytes, bundle: bundle, key: bundleKey)
        let inviter = try Identity.create(at: now, using: &entropy)
        var inviterSide = try Relationship.welcomed(received, identity: inviter, signer: signer.log, at: now)
        try Self.deliver(inviteeEntries, to: &inviterSide, whoseEntries: [])
        var inviterEntries = [
            try inviterSide.append(Introduction(name: "Shop"), at: now, with: inviter, using: &entropy)
        ]
        let welcome = try received.welcome(
            identity: inviter, signer: signer, addresses: [address], entries: inviterEntries.map { $0.encoded() },
            now: now, using: &entropy)
        let opened = try greeting.pending.open(welcome.envelope.bytes, now: now, using: &entropy)
        try inviteeSide.welcomeOpened(opened)
        try Self.deliver(inviterEntries, to: &inviteeSide, whoseEntries: inviteeEntries)

        let thread = ThreadID.random(using: &entropy)
        let said = [
            try inviteeSide.append(
                TextMessage(text: "hello", language: "en"), thread: thread, at: now, with: invitee, using: &entropy),
            try inviteeSide.rotate(&invitee, at: now, using: &entropy),
            try inviteeSide.append(TextMessage(text: "with a new key"), at: now, with: invitee, using: &entropy),
        ]
        inviteeEntries += said
        inviterSide.peerIsLive()
        try Self.deliver(said, to: &inviterSide, whoseEntries: inviterEntries)
        let answer = try inviterSide.append(TextMessage(text: "yes"), at: now, with: inviter, using: &entropy)
        inviterEntries.append(answer)
        try Self.deliver([answer], to: &inviteeSide, whoseEntries: inviteeEntries)

        var life = try Identity.create(domain: "life.example", at: now, using: &entropy)
        _ = try life.rotate(at: now, using: &entropy)
        _ = try life.rotate(at: now, using: &entropy)
        _ = try life.revoke(at: now)

        self.signer = signer
        self.bundleKey = bundleKey
        self.bundle = bundle
        self.invitation = invitation
        self.address = address
        self.invitee = invitee
        self.inviter = inviter
        keyEvents = life.log.events
        self.hello = hello
        let waiting = Array(greeting.pending.encoded())
        pendingState = waiting
        pending = try PendingWelcome.decode(waiting.bytes)
        self.welcome = welcome.envelope
        proof = welcome.proof
        self.inviteeSide = inviteeSide
        self.inviterSide = inviterSide
        self.inviteeEntries = inviteeEntries
        self.inviterEntries = inviterEntries
    }

    private static func deliver(
        _ entries: [Entry], to relationship: inout Relationship, whoseEntries own: [Entry]
    ) throws(RelationshipError) {
        for entry in entries {
            _ = try relationship.receive(
                entry, ownHash: { number in own.indices.contains(Int(number) - 1) ? own[Int(number) - 1].hash : nil },
                peerEntry: { _ in nil })
        }
    }

    /// The whole ledger.
    var export: LedgerExport {
        LedgerExport(
            relationship: inviteeSide.id, role: .invitee, proof: proof, inviteeEntries: inviteeEntries,
            inviterEntries: inviterEntries)
    }
}

extension [UInt8] {
    /// A copy of a secret of a fixture, which is no secret.
    init(_ secret: borrowing SecretBytes) {
        let bytes = secret.bytes
        self.init(bytes)
    }
}
