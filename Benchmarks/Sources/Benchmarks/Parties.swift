import Handfast

/// Two parties about to meet, with their long-lived keys made.
struct Parties: ~Copyable {
    static let now = Timestamp(seconds: 1_700_000_000)

    private let signer: Identity
    private let bundleKey: SealingPrivateKey
    private let bundle: Bundle
    private let invitation: Invitation
    private let address: Address
    private let invitee: Identity
    private let inviter: Identity

    private init(
        signer: consuming Identity, bundleKey: consuming SealingPrivateKey, bundle: Bundle, invitation: Invitation,
        address: Address, invitee: consuming Identity, inviter: consuming Identity
    ) {
        self.signer = signer
        self.bundleKey = bundleKey
        self.bundle = bundle
        self.invitation = invitation
        self.address = address
        self.invitee = invitee
        self.inviter = inviter
    }

    static func create(using entropy: inout SystemEntropy) throws -> Parties {
        let signer = try Identity.create(at: now, using: &entropy)
        let bundleKey = SealingPrivateKey.generate(using: &entropy)
        let bundle = try Bundle.make(
            signer: signer, key: bundleKey.publicKey, notBefore: now, expires: now.adding(seconds: 86_400),
            families: [])
        let relay = try RelayAddress(
            host: "relay.example", port: 7447, key: AgreementPrivateKey.generate(using: &entropy).publicKey)
        let invitation = try Invitation(
            relay: relay, knockQueue: .random(using: &entropy), signer: signer.id, eventCount: 1,
            ticket: .random(using: &entropy))
        let address = Address(relay: relay, queue: .random(using: &entropy), capability: .random(using: &entropy))
        let invitee = try Identity.create(at: now, using: &entropy)
        let inviter = try Identity.create(at: now, using: &entropy)
        return Parties(
            signer: signer, bundleKey: bundleKey, bundle: bundle, invitation: invitation, address: address,
            invitee: invitee, inviter: inviter)
    }

    /// Both ends of the channel after hello and welcome.
    struct Ends: ~Copyable {
        let invitee: Channel
        let inviter: Channel
    }

    /// Hello and welcome, at both sides.
    borrowing func handshake(using entropy: inout SystemEntropy) throws -> Ends {
        let greeting = try Greeting.make(
            invitation: invitation, bundle: bundle, identity: invitee, addresses: [address], entries: { _ in [] },
            now: Self.now, using: &entropy)
        let received = try ReceivedHello.open(greeting.hello.bytes, bundle: bundle, key: bundleKey)
        let welcome = try received.welcome(
            identity: inviter, signer: signer, addresses: [address], entries: [], now: Self.now, using: &entropy)
        let envelope = welcome.envelope
        let opened = try greeting.pending.open(envelope.bytes, now: Self.now, using: &entropy)
        return Ends(invitee: opened.channel, inviter: welcome.channel)
    }
}
