public import HandfastChannel

extension Relationship {
    /// The invitee's side, made while its `hello` is.
    ///
    /// Call it from the closure of ``Greeting`` that asks for the first records: once `hello` is sealed, nothing more is
    /// signed until `welcome` opens.
    ///
    /// - Parameters:
    ///   - id: The relationship that `hello` opens.
    ///   - identity: The identity made for this relationship.
    ///   - signer: The key log that signed the bundle.
    ///   - time: The present moment.
    ///   - firstRecords: Appends at most 16 records that travel in `hello` and returns their entries.
    /// - Returns: The relationship in state ``RelationshipState/greeted``, and those entries.
    /// - Throws: ``RelationshipError/wrongIdentity(_:)`` if the identity has rotated before,
    ///   ``RelationshipError/tooMany(_:limit:)``, and what `firstRecords` throws.
    /// - Source: Spec/03 §3.3; Spec/05 §5.5
    public static func greeted(
        id: RelationshipID, identity: borrowing Identity, signer: KeyLog, at time: Timestamp,
        firstRecords: (inout Relationship) throws(RelationshipError) -> [Entry]
    ) throws(RelationshipError) -> (relationship: Relationship, entries: [Entry]) {
        var relationship = Relationship(
            id: id, role: .invitee, state: .welcomed, created: time, signer: signer.id,
            domain: signer.domain, peerAddresses: [],
            own: try LedgerSide(relationship: id, direction: .invitee, log: identity.log), peer: nil)
        // Until hello is sealed the invitee may sign, as the inviter may from its welcome on.
        let entries = try firstRecords(&relationship)
        guard relationship.state == .welcomed else { throw .notAllowed(.end, in: .greeted) }
        guard entries.count <= LedgerLimits.firstEntries else {
            throw .tooMany("first records", limit: LedgerLimits.firstEntries)
        }
        guard entries.last?.reference ?? .start(of: id) == relationship.ownHead else {
            throw .inconsistent("a first record was signed but not returned")
        }
        relationship.state = .greeted
        return (relationship, entries)
    }

    /// The inviter's side, made from an opened `hello` before its `welcome` is.
    ///
    /// Hand the entries of `hello` to ``receive(_:ownHash:peerEntry:)``, then append what `welcome` should carry.
    ///
    /// - Parameters:
    ///   - hello: The opened `hello`.
    ///   - identity: The identity made for this relationship.
    ///   - signer: The key log of the bundle's signer as it will sign the welcome.
    ///   - time: The present moment.
    /// - Throws: ``RelationshipError/wrongIdentity(_:)`` if an identity has rotated before.
    /// - Source: Spec/03 §3.4; Spec/05 §5.5
    public static func welcomed(
        _ hello: borrowing ReceivedHello, identity: borrowing Identity, signer: KeyLog, at time: Timestamp
    ) throws(RelationshipError) -> Relationship {
        let id = hello.relationship
        return Relationship(
            id: id, role: .inviter, state: .welcomed, created: time, signer: signer.id,
            domain: signer.domain, peerAddresses: hello.addresses,
            own: try LedgerSide(relationship: id, direction: .inviter, log: identity.log, signer: signer),
            peer: try LedgerSide(relationship: id, direction: .invitee, log: hello.inviteeLog))
    }

    /// Takes the inviter's identity and addresses from `welcome`: the relationship is live.
    ///
    /// Hand the entries of `welcome` to ``receive(_:ownHash:peerEntry:)`` next.
    ///
    /// - Throws: ``RelationshipError/notAllowed(_:in:)`` unless greeted, ``RelationshipError/wrongIdentity(_:)``.
    /// - Source: Spec/03 §3.4
    public mutating func welcomeOpened(_ welcome: borrowing OpenedWelcome) throws(RelationshipError) {
        guard state == .greeted else { throw .notAllowed(.handshake, in: state) }
        peer = try LedgerSide(
            relationship: id, direction: .inviter, log: welcome.inviterLog, signer: welcome.signerLog)
        peerAddresses = welcome.addresses
        state = .live
    }

    /// Notes that an envelope of the invitee opened, which proves that it holds its pairwise keys.
    ///
    /// Only the first such envelope of a welcomed relationship changes anything.
    ///
    /// - Source: Spec/03 §3.4
    public mutating func peerIsLive() {
        if state == .welcomed { state = .live }
    }
}
