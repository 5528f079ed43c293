import HandfastCrypto
import HandfastTestSupport

@testable import Handfast

/// Two parties after a real handshake in which each introduced itself with its first record.
struct Meeting {
    let invitee: Party
    let inviter: Party

    static let start = Timestamp(seconds: 1_800_000_000)

    init(seed: UInt64) throws {
        var random = SeededEntropy(seed: seed ^ 0x5A5A)
        try self.init(
            seed: seed, signer: Identity.create(domain: "shop.example", at: Self.start, using: &random))
    }

    /// As above, with a bundle that this identity signs.
    init(seed: UInt64, signer: borrowing Identity) throws {
        var random = SeededEntropy(seed: seed)
        var salts = SeededEntropy(seed: seed ^ 0xA5A5)
        let now = Self.start

        let bundleKey = SealingPrivateKey.generate(using: &random)
        let bundle = try Bundle.make(
            signer: signer, key: bundleKey.publicKey, notBefore: now, expires: now.adding(seconds: 86_400),
            families: ["relationship", "message"])
        let relay = try RelayAddress(
            host: "relay.example", port: 7447, key: AgreementPrivateKey.generate(using: &random).publicKey)
        let invitation = try Invitation(
            relay: relay, knockQueue: .random(using: &random), signer: signer.id,
            eventCount: signer.log.events.count,
            ticket: .random(using: &random))

        let signerLog = signer.log
        let ada = try Identity.create(at: now, using: &random)
        let adasAddress = Address(
            relay: relay, queue: .random(using: &random), capability: .random(using: &random))
        var greeted: (relationship: Relationship, entries: [Entry])?
        let greeting = try Greeting.make(
            invitation: invitation, bundle: bundle, identity: ada, addresses: [adasAddress],
            entries: { id in
                let made = try Relationship.greeted(id: id, identity: ada, signer: signerLog, at: now) {
                    (relationship: inout Relationship) throws(RelationshipError) in
                    [try relationship.append(Introduction(name: "Ada"), at: now, with: ada, using: &salts)]
                }
                greeted = made
                return made.entries.map { $0.encoded() }
            }, now: now, using: &random)
        guard let greeted else { throw MeetingFailed() }
        var adasSide = greeted.relationship

        let hello = try ReceivedHello.open(greeting.hello.bytes, bundle: bundle, key: bundleKey)
        let vendor = try Identity.create(at: now, using: &random)
        var vendorsSide = try Relationship.welcomed(hello, identity: vendor, signer: signerLog, at: now)
        var vendorReceived: [Entry] = []
        for bytes in hello.entries {
            let entry = try Entry(decoding: bytes.bytes)
            _ = try vendorsSide.receive(entry, ownHash: { _ in nil }, peerEntry: { _ in nil })
            vendorReceived.append(entry)
        }
        let vendorEntries = [
            try vendorsSide.append(
                Introduction(name: "Shop", url: "https://shop.example"), at: now, with: vendor, using: &salts)
        ]
        let vendorsAddress = Address(
            relay: relay, queue: .random(using: &random), capability: .random(using: &random))
        let welcome = try hello.welcome(
            identity: vendor, signer: signer, addresses: [vendorsAddress],
            entries: vendorEntries.map { $0.encoded() }, now: now, using: &random)

        let opened = try greeting.pending.open(welcome.envelope.bytes, now: now, using: &random)
        try adasSide.welcomeOpened(opened)
        var adaReceived: [Entry] = []
        for bytes in opened.entries {
            let entry = try Entry(decoding: bytes.bytes)
            _ = try adasSide.receive(entry, ownHash: { _ in nil }, peerEntry: { _ in nil })
            adaReceived.append(entry)
        }

        invitee = Party(
            identity: ada, relationship: adasSide, proof: opened.proof, ownEntries: greeted.entries,
            peerEntries: adaReceived, random: SeededEntropy(seed: seed &+ 1), clock: now)
        inviter = Party(
            identity: vendor, relationship: vendorsSide, proof: welcome.proof, ownEntries: vendorEntries,
            peerEntries: vendorReceived, random: SeededEntropy(seed: seed &+ 2), clock: now)
    }

    /// As above, with the inviter having seen the invitee's first envelope.
    static func live(seed: UInt64 = 1) throws -> Meeting {
        let meeting = try Meeting(seed: seed)
        meeting.inviter.relationship.peerIsLive()
        return meeting
    }

    func party(_ role: SenderRole) -> Party {
        role == .invitee ? invitee : inviter
    }

    /// Delivers everything in both directions until nothing is left.
    func settle() throws(RelationshipError) {
        try inviter.catchUp(with: invitee)
        try invitee.catchUp(with: inviter)
    }
}

struct MeetingFailed: Error {}
