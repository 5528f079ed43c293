import HandfastChannel
import HandfastCrypto
import HandfastTestSupport

/// Two parties that meet by an invitation, for the tests of what follows.
enum Meeting {
    static let start = Timestamp(seconds: 1_700_000_000)

    /// Runs the handshake and hands over both channels.
    static func run(
        seed: UInt64, now: Timestamp = start
    ) throws -> Met {
        var entropy = SeededEntropy(seed: seed)
        let parties = try Parties(at: now, using: &entropy)
        let greeting = try parties.greet([[0x82, 0x01, 0x02]], at: now, using: &entropy)
        let received = try ReceivedHello.open(
            greeting.hello.bytes, bundle: parties.bundle, key: parties.bundleKey)
        let pairwise = try Identity.create(at: now, using: &entropy)
        let welcome = try parties.welcome(greeting.hello, by: pairwise, [[0x03]], at: now, using: &entropy)
        let envelope = welcome.envelope
        let opened = try greeting.pending.open(envelope.bytes, now: now, using: &entropy)
        let inviter = Endpoint(try reload(welcome.channel, using: &entropy))
        let invitee = Endpoint(try reload(opened.channel, using: &entropy))
        return Met(
            entropy: entropy, relationship: greeting.relationship, received: received.relationship,
            inviterProof: welcome.proof, inviteeProof: opened.proof, inviterEntries: received.entries,
            inviteeEntries: opened.entries, hello: greeting.hello, welcome: envelope, inviter: inviter,
            invitee: invitee)
    }

    /// What a restart makes of a channel.
    static func reload(_ channel: borrowing Channel, using entropy: inout SeededEntropy) throws -> Channel {
        let state = channel.encoded()
        guard let auxiliary = channel.auxiliary() else {
            return try Channel.decode(state.bytes, auxiliary: nil, using: &entropy)
        }
        return try Channel.decode(state.bytes, auxiliary: auxiliary.bytes, using: &entropy)
    }
}

/// An inviter with its bundle, and an invitation to it.
struct Parties: ~Copyable {
    var signer: Identity
    let bundleKey: SealingPrivateKey
    let bundle: Bundle
    let invitation: Invitation
    let address: Address

    init(at now: Timestamp, using entropy: inout SeededEntropy) throws {
        let signer = try Identity.create(at: now, using: &entropy)
        let bundleKey = SealingPrivateKey.generate(using: &entropy)
        let bundle = try Bundle.make(
            signer: signer, key: bundleKey.publicKey, notBefore: now,
            expires: now.adding(seconds: Bundle.maximumValiditySeconds), families: ["message", "relationship"])
        let relay = try RelayAddress(
            host: "relay.example", port: 7447, key: AgreementPrivateKey.generate(using: &entropy).publicKey)
        let invitation = try Invitation(
            relay: relay, knockQueue: .random(using: &entropy), signer: signer.id, eventCount: 1,
            ticket: .random(using: &entropy))
        let address = Address(
            relay: relay, queue: .random(using: &entropy), capability: .random(using: &entropy))
        self.signer = signer
        self.bundleKey = bundleKey
        self.bundle = bundle
        self.invitation = invitation
        self.address = address
    }

    /// What a new invitee sends, with these first entries.
    borrowing func greet(
        _ entries: [[UInt8]] = [], at now: Timestamp = Meeting.start, using entropy: inout SeededEntropy
    ) throws -> Greeting {
        try Greeting.make(
            invitation: invitation, bundle: bundle, identity: Identity.create(at: now, using: &entropy),
            addresses: [address], entries: { _ in entries }, now: now, using: &entropy)
    }

    /// What the inviter answers.
    borrowing func welcome(
        _ hello: [UInt8], by identity: borrowing Identity, _ entries: [[UInt8]] = [], at now: Timestamp = Meeting.start,
        using entropy: inout SeededEntropy
    ) throws -> Welcome {
        try ReceivedHello.open(hello.bytes, bundle: bundle, key: bundleKey).welcome(
            identity: identity, signer: signer, addresses: [address], entries: entries, now: now, using: &entropy)
    }
}

/// One end of a channel; a class, so that tests can keep both in one value.
final class Endpoint {
    var channel: Channel

    init(_ channel: consuming Channel) {
        self.channel = channel
    }

    func seal(
        _ text: String, at now: Timestamp = Meeting.start, using entropy: inout SeededEntropy
    ) throws -> [UInt8] {
        var envelope: [UInt8] = []
        try channel.seal(.records, Array(text.utf8).bytes, now: now, into: &envelope, using: &entropy)
        return envelope
    }

    /// The text of an envelope, or nil when it is held.
    func open(_ envelope: [UInt8], at now: Timestamp = Meeting.start) throws -> String? {
        var plaintext: [UInt8] = []
        switch try channel.open(envelope.bytes, now: now, into: &plaintext) {
        case .message(_, let content): return String(decoding: plaintext[content], as: UTF8.self)
        case .held: return nil
        }
    }

    func restart(using entropy: inout SeededEntropy) throws {
        channel = try Meeting.reload(channel, using: &entropy)
    }

    func turnIsDue(at now: Timestamp) -> Bool { channel.turnIsDue(now: now) }

    func takeReleasable() -> [[UInt8]] { channel.takeReleasable() }

    var storedByteCount: Int { channel.encoded().count }

    /// Everything that is stored, to compare states.
    var snapshot: [UInt8] {
        let state = channel.encoded()
        var bytes = [UInt8](state.bytes)
        if let auxiliary = channel.auxiliary() { bytes += [UInt8](auxiliary.bytes) }
        return bytes
    }
}

/// Both ends after the handshake.
struct Met {
    var entropy: SeededEntropy
    let relationship: RelationshipID
    let received: RelationshipID
    let inviterProof: HandshakeProof
    let inviteeProof: HandshakeProof
    let inviterEntries: [[UInt8]]
    let inviteeEntries: [[UInt8]]
    let hello: [UInt8]
    let welcome: [UInt8]
    let inviter: Endpoint
    let invitee: Endpoint
}
