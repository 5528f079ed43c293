public import Handfast
internal import HandfastCrypto
internal import HandfastRelay
internal import HandfastStore

extension Node {
    // MARK: Inviting

    /// Makes an invitation. Bundles are published beside its knock queue while the node runs.
    ///
    /// - Parameters:
    ///   - label: a note of one's own on whom it is for; the relationship that begins by it inherits the note.
    ///   - relay: one of the relays at which this node receives, where the invitation is answered and the relationship
    ///     received first; the preferred one by default.
    /// - Throws: ``NodeError/notConfigured(_:)`` without a relay, ``NodeError/badData(_:)`` for a relay that is none of this
    ///   node's, ``NodeError/store(_:)``
    public func invite(
        label: String? = nil, at relay: RelayAddress? = nil
    ) async throws(NodeError) -> (invitation: Invitation, expires: Timestamp) {
        let preferred = try requireRelay()
        let relay = relay ?? preferred
        guard keeper.relays.current.contains(relay) else { throw Self.noOwnRelay(relay.place, keeper.relays.current) }
        let made: (invitation: Invitation, expires: Timestamp)
        let service: VerificationKey
        if let identity = try await publicIdentity() {
            let known = try await steward.services().filter {
                $0.kept.isForAll && $0.kept.relay == relay.description
            }
            if let shared = known.first(where: { $0.kept.knockQueue != nil }), let queue = shared.kept.knockQueue {
                service = shared.stored.key
                made = try await keeper.invite(
                    at: relay, knockQueue: try QueueID(row: queue), signer: identity, service: service, label: label,
                    newService: nil)
            } else {
                (made, service) = try await invite(
                    by: identity, at: relay, label: label, isShared: true, service: known.first)
            }
        } else {
            let signer = try await keeper.createIdentity(.invitation, domain: nil)
            (made, service) = try await invite(by: signer, at: relay, label: label, isShared: false)
        }
        if isRunning { try await exchange.tend(service) }
        return made
    }

    private func invite(
        by signer: KeyLog, at relay: RelayAddress, label: String?, isShared: Bool,
        service known: (stored: StoredService, kept: KeptService)? = nil
    ) async throws(NodeError) -> ((invitation: Invitation, expires: Timestamp), VerificationKey) {
        let queue = await keeper.newQueueID()
        var service: (key: VerificationKey, kept: KeptService)
        if let known {
            // It receives already, and has no knock queue, or none any more.
            service = (known.stored.key, known.kept)
            (service.kept.knockQueue, service.kept.signer) = (queue.array, signer.id.digest.array)
            service.kept.toldOfStrangers = nil
        } else {
            service = try await steward.newService(
                at: relay, knockQueue: queue, signer: signer.id, isShared: isShared)
        }
        let rows = (
            service: ServiceRow(key: service.key, bytes: try Row.encode(service.kept)),
            queue: QueueRow(
                id: queue, relationship: nil, bytes: try Row.encode(KeptQueue(service: service.key.array)))
        )
        let made = try await keeper.invite(
            at: relay, knockQueue: queue, signer: signer, service: service.key, label: label, newService: rows)
        return (made, service.key)
    }

    /// The relay of this node that is called so, `host:port/key` or `host:port`.
    func ownRelay(named name: String) throws(NodeError) -> RelayAddress {
        let relays = keeper.relays.current
        guard let relay = relays.first(where: { $0.description == name || $0.place == name }) else {
            throw Self.noOwnRelay(name, relays)
        }
        return relay
    }

    private static func noOwnRelay(_ name: String, _ relays: [RelayAddress]) -> NodeError {
        .badData(
            "\(name) is none of the relays at which this node receives (\(relays.map(\.place).joined(separator: ", "))); "
                + "`relay.alternatives` in the configuration adds one, and `handfast move` changes them")
    }

    func requireRelay() throws(NodeError) -> RelayAddress {
        guard let relay = keeper.relays.current.first else {
            throw .notConfigured(
                "this node has no relay to receive at: give one as `relay.address` in the configuration (host:port/key), or let "
                    + "the node serve its own with `relay.listen`")
        }
        return relay
    }

    // MARK: Accepting

    /// Accepts an invitation: fetches the bundle, makes an identity for this relationship, and stores the hello, which
    /// is knocked with the same bytes until the inviter answers.
    ///
    /// - Parameters:
    ///   - uri: `handfast:…`
    ///   - label: a note of one's own on who it is.
    ///   - asksDomain: whether a domain that the inviter names is asked, and must confirm it; without, it stays a claim.
    /// - Throws: ``NodeError/channel(_:)`` for an invitation or bundle that is not in order, ``NodeError/relay(_:)``
    ///   when the inviter's relay cannot be reached, ``NodeError/domain(_:_:)`` and ``NodeError/domainUnasked(_:_:)`` when its
    ///   domain does not confirm it or cannot be asked, ``NodeError/notConfigured(_:)``; nothing has changed then
    public func accept(
        _ uri: String, label: String? = nil, asksDomain: Bool = true
    ) async throws(NodeError) -> RelationshipID {
        let relay = try requireRelay()
        do {
            let invitation = try Invitation(uri: uri)
            let client = try await keeper.network.connect(to: invitation.relay, allows: exchange.allows)
            let bytes: [UInt8]
            do {
                bytes = try await client.fetchBundle(of: invitation.knockQueue)
                await client.shutDown()
            } catch {
                await client.shutDown()
                throw error
            }
            let bundle = try Bundle(decoding: bytes.bytes)
            var confirmsDomain = false
            if asksDomain, let domain = bundle.signerLog.domain {
                try await ask(domain, for: KeyLogOutline(bundle.signerLog))
                confirmsDomain = true
            }
            let isShared = try await publicIdentity() != nil
            var queues = try await steward.newQueues(at: [relay], isShared: isShared)
            queues += try await steward.alternatives(to: relay, isShared: isShared)
            let id = try await keeper.greet(
                invitation, bundle, queues: queues, label: label, confirmsDomain: confirmsDomain)
            if isRunning {
                try await exchange.start([id])
                try await exchange.tend(queues.map(\.service))
            }
            return id
        } catch {
            throw NodeError(error)
        }
    }
}

extension QueueID {
    /// Reads the 16 bytes of a row.
    init(row bytes: [UInt8]) throws(NodeError) {
        self.init(try NodeError.reading("queue") { try FixedBytes(copying: bytes) })
    }
}
