import Handfast
import HandfastCrypto
import Testing

/// The example in the documentation of ``Relationship``, word for word.
struct DocumentationExampleTests {
    @Test func exampleOfRelationshipRuns() throws {
        var entropy = SystemEntropy()
        let now = Timestamp(seconds: 1_800_000_000)

        // A shop publishes a bundle and hands out an invitation.
        let signer = try Identity.create(domain: "shop.example", at: now, using: &entropy)
        let bundleKey = SealingPrivateKey.generate(using: &entropy)
        let bundle = try Bundle.make(
            signer: signer, key: bundleKey.publicKey, notBefore: now, expires: now.adding(seconds: 86_400),
            families: ["relationship", "message"])
        let relay = try RelayAddress(
            host: "relay.example", port: 7447, key: AgreementPrivateKey.generate(using: &entropy).publicKey)
        let invitation = try Invitation(
            relay: relay, knockQueue: .random(using: &entropy), signer: signer.id, eventCount: 1,
            ticket: .random(using: &entropy))
        let address = Address(
            relay: relay, queue: .random(using: &entropy), capability: .random(using: &entropy))

        // Ada accepts it with an identity made for this shop alone.
        let ada = try Identity.create(at: now, using: &entropy)
        var made: Relationship?
        let greeting = try Greeting.make(
            invitation: invitation, bundle: bundle, identity: ada, addresses: [address],
            entries: { id in
                let (relationship, entries) = try Relationship.greeted(
                    id: id, identity: ada, signer: bundle.signerLog, at: now, firstRecords: { _ in [] })
                made = relationship
                return entries.map { $0.encoded() }
            }, now: now, using: &entropy)
        guard var atAda = made else { return }

        // The shop opens her hello and welcomes her.
        let hello = try ReceivedHello.open(greeting.hello.bytes, bundle: bundle, key: bundleKey)
        let shop = try Identity.create(at: now, using: &entropy)
        var atShop = try Relationship.welcomed(hello, identity: shop, signer: signer.log, at: now)
        let welcome = try hello.welcome(
            identity: shop, signer: signer, addresses: [address], entries: [], now: now, using: &entropy)
        try atAda.welcomeOpened(greeting.pending.open(welcome.envelope.bytes, now: now, using: &entropy))

        // Ada says something. The entry travels in an envelope; here it is handed over.
        let entry = try atAda.append(TextMessage(text: "Hello!"), at: now, with: ada, using: &entropy)
        let outcome = try atShop.receive(entry, ownHash: { _ in nil }, peerEntry: { _ in nil })
        print(outcome)  // accepted: a message that says "Hello!"

        // Either side can prove the ledger with nothing but this file.
        let export = LedgerExport(
            relationship: atShop.id, role: .inviter, proof: welcome.proof, inviteeEntries: [entry], inviterEntries: [])
        let ledger = try LedgerExport(decoding: export.encoded().bytes).verify()
        print(ledger.invitee.head.sequence, ledger.domain ?? "")  // 1 shop.example

        #expect(outcome == .accepted(.message(TextMessage(text: "Hello!"))))
        #expect(ledger.invitee.head == entry.reference)
    }
}
