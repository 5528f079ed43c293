@testable import Handfast
@testable import HandfastChannel
@testable import HandfastCrypto

/// Pairs of vaults right after a handshake, made once in a process: most of a run's time would go there.
struct Meetings: Sendable {
    static let start = Timestamp(seconds: 1_800_000_000)
    private static let count = 16

    private let pairs: [Pair]

    struct Pair: Sendable {
        let invitee: Vault
        let inviter: Vault
    }

    init() throws {
        pairs = try (0..<Self.count).map { try Self.meet(seed: UInt64($0)) }
    }

    func pair(_ seed: UInt64) -> Pair { pairs[Int(seed % UInt64(pairs.count))] }

    private static func meet(seed: UInt64) throws -> Pair {
        var entropy = Randomness(seed: seed)
        var salts = Randomness(seed: ~seed)
        let now = start
        let signer = try Identity.create(at: now, using: &entropy)
        let bundleKey = SealingPrivateKey.generate(using: &entropy)
        let bundle = try Bundle.make(
            signer: signer, key: bundleKey.publicKey, notBefore: now, expires: now.adding(seconds: 86_400),
            families: ["message"])
        let relay = try RelayAddress(
            host: "relay.example", port: 7447, key: AgreementPrivateKey.generate(using: &entropy).publicKey)
        let address = Address(relay: relay, queue: .random(using: &entropy), capability: .random(using: &entropy))
        let invitation = try Invitation(
            relay: relay, knockQueue: .random(using: &entropy), signer: signer.id, eventCount: 1,
            ticket: .random(using: &entropy))
        let invitee = try Identity.create(at: now, using: &entropy)
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
        guard let greeted else { throw BrokenPromise(description: "no first records") }
        let first = greeted.entries
        var inviteeSide = greeted.relationship
        let received = try ReceivedHello.open(greeting.hello.bytes, bundle: bundle, key: bundleKey)
        let inviter = try Identity.create(at: now, using: &entropy)
        var inviterSide = try Relationship.welcomed(received, identity: inviter, signer: signer.log, at: now)
        for entry in first {
            _ = try inviterSide.receive(entry, ownHash: { _ in nil }, peerEntry: { _ in nil })
        }
        let welcome = try received.welcome(
            identity: inviter, signer: signer, addresses: [address], entries: [], now: now, using: &entropy)
        let opened = try greeting.pending.open(welcome.envelope.bytes, now: now, using: &entropy)
        try inviteeSide.welcomeOpened(opened)

        var atInvitee = ResumeSecrets()
        var atInviter = ResumeSecrets()
        atInvitee.insert(opened.resume, epoch: 0)
        atInviter.insert(welcome.resume, epoch: 0)
        let (inviteeInception, inviterInception) = (invitee.log.events[0], inviter.log.events[0])
        return Pair(
            invitee: vault(
                invitee, inviteeSide, atInvitee, opened.channel, meeting: inviterInception, own: first, peer: []),
            inviter: vault(
                inviter, inviterSide, atInviter, welcome.channel, meeting: inviteeInception, own: [], peer: first))
    }

    private static func vault(
        _ identity: borrowing Identity, _ relationship: Relationship, _ resumes: borrowing ResumeSecrets,
        _ channel: borrowing Channel, meeting peerInception: KeyEvent, own: [Entry], peer: [Entry]
    ) -> Vault {
        var auxiliary: [UInt8]?
        if let state = channel.auxiliary() { auxiliary = [UInt8](state) }
        return Vault(
            identity: [UInt8](identity.encoded()), peerInception: peerInception, relationship: relationship,
            policy: RejoinPolicy(),
            resumes: [UInt8](resumes.encoded()),
            channel: [UInt8](channel.encoded()), auxiliary: auxiliary, own: own, peer: peer)
    }
}
