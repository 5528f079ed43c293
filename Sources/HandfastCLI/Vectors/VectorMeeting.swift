internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// A handshake that a maker of vectors runs, with all of its secrets.
struct VectorMeeting {
    static let time = BundleVectors.start + 60

    let signer: VectorFields
    let invitee: VectorFields
    let inviter: VectorFields
    let bundle: Bundle
    let bundleSeed: [UInt8]
    let ticket: [UInt8]
    let hello: [UInt8]
    let relationship: RelationshipID
    /// What the invitee keeps: the field `pending` of the operation `openWelcome`.
    let pending: VectorFields
    /// What the operation `welcome` asks for.
    let welcomeInput: VectorFields

    init(
        _ maker: inout VectorMaker, signerDomain: String? = nil, signerEvents: [VectorFields] = [],
        inviteeIdentity: VectorFields? = nil,
        entries: (RelationshipID, borrowing Identity) throws -> [[UInt8]] = { _, _ in [] },
        welcomeEntries: (RelationshipID, borrowing Identity) throws -> [[UInt8]] = { _, _ in [] }
    ) throws {
        let start = BundleVectors.start
        let signer = VectorIdentity.random(&maker, created: start - 500, domain: signerDomain)
        let invitee = inviteeIdentity ?? VectorIdentity.random(&maker, created: Self.time - 1)
        let inviter = VectorIdentity.random(&maker, created: Self.time + 9)
        let bundleFields = BundleVectors.random(&maker, signer: signer)
        bundle = try BundleVectors.bundle(bundleFields)
        bundleSeed = try bundleFields.bytes("sealing")
        ticket = maker.random(16)
        let relay = try VectorAddress.relay(VectorAddress.random(&maker))
        let invitation = try Invitation(
            relay: relay, knockQueue: .random(using: &maker.entropy), signer: bundle.signerLog.id, eventCount: 1,
            ticket: Ticket(FixedBytes(copying: ticket)))
        let identity = try VectorIdentity.identity(invitee)
        let inviteeAddresses = [try VectorAddress.address(VectorAddress.random(&maker, host: "relay.invitee.example"))]
        var draws = VectorEntropy(maker.random(96))
        let greeting = try Greeting.make(
            invitation: invitation, bundle: bundle, identity: identity, addresses: inviteeAddresses,
            entries: { try entries($0, identity) }, now: Timestamp(seconds: Self.time), using: &draws)
        hello = greeting.hello
        relationship = greeting.relationship
        guard case .array(let kept) = try CBORValue(decoding: [UInt8](greeting.pending.encoded().bytes)),
            kept.count == 8
        else { throw VectorFault.missing.at("pending") }
        let names = ["root", "ratchetKey", "kemSeed", "bundle", "encapsulation", "helloHash", "inception"]
        pending = VectorFields(
            zip(names, kept.dropFirst()).map { name, value in
                if case .bytes(let bytes) = value { (name, .hex(bytes)) } else { (name, .null) }
            })
        self.signer = signer
        self.invitee = invitee
        self.inviter = inviter
        let (sealed, published) = (hello, bundle)
        let key = try bundleFields.sealingPrivateKey("sealing")
        let received = try ReceivedHello.open(sealed.bytes, bundle: published, key: key)
        let inviterIdentity = try VectorIdentity.identity(inviter)
        let signerNow = signer.with(
            "events", signerEvents.isEmpty ? nil : .list(signerEvents.map { .object($0) }))
        let addresses = [
            VectorAddress.random(&maker, host: "relay.inviter.example"),
            VectorAddress.random(&maker, host: "192.0.2.7"),
        ]
        let welcomed = try welcomeEntries(received.relationship, inviterIdentity)
        let (nonce, salt, ratchetKey) = (maker.random(16), maker.random(8), maker.random(32))
        var welcomeDraws = VectorEntropy(HandshakeVectors.script(nonce: nonce, salt: salt, ratchetKey: ratchetKey))
        let signerIdentity = try VectorIdentity.identity(signerNow)
        let parsed = try addresses.map(VectorAddress.address)
        _ = try received.welcome(
            identity: inviterIdentity, signer: signerIdentity,
            addresses: parsed, entries: welcomed,
            now: Timestamp(seconds: Self.time + 10), using: &welcomeDraws)
        guard let encapsulation = welcomeDraws.used else { throw VectorFault.missing.at("ciphertext") }
        welcomeInput = [
            "identity": .object(inviter), "signer": .object(signerNow),
            "addresses": .list(addresses.map { .object($0) }), "entries": .hexes(welcomed),
            "now": .number(Self.time + 10), "nonce": .hex(nonce), "salt": .hex(salt), "ratchetKey": .hex(ratchetKey),
            "ciphertext": .hex(encapsulation.ciphertext), "sharedSecret": .hex(encapsulation.sharedSecret),
        ]
    }

    /// The inputs `bundle`, `bundleSeed` and `hello`.
    var helloInput: VectorFields {
        ["bundle": .hex(bundle.bytes), "bundleSeed": .hex(bundleSeed), "hello": .hex(hello)]
    }
}
