internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastRelay
internal import HandfastStore

/// Frames between client and relay, and what is hashed and signed there.
///
/// - Source: Spec/07 §7.1 to §7.3
enum RelayVectors: VectorLayer {
    static let name = "relay"

    static let operations: [String: VectorOperation] = [
        "request": request, "answer": answer, "attach": attach, "capability": capability, "queueChain": queueChain,
    ]

    private static func attach(_ input: VectorFields) throws -> VectorFields {
        let key = try input.signingKey("seed")
        let hash = try input.bytes("handshakeHash")
        let digest = RelayRequest.attachDigest(handshakeHash: hash, service: key.publicKey)
        let signature = key.signature(for: digest.bytes)
        let byHand = Digest.of(Label("attach"), hash, key.publicKey.coseKey)
        guard digest == byHand else {
            throw VectorFault.differs(expected: "the derived", actual: "another").at("digest")
        }
        let number = UInt32(try input.count("request"))
        return [
            "serviceKey": .hex(key.publicKey.array), "digest": .hex(digest.array), "signature": .hex(signature.array),
            "frame": .hex(RelayRequest.attach(service: key.publicKey, signature: signature).encoded(request: number)),
        ]
    }

    private static func capability(_ input: VectorFields) throws -> VectorFields {
        ["digest": .hex(SendCapability(try input.bytes("capability")).digest.array)]
    }

    private static func queueChain(_ input: VectorFields) throws -> VectorFields {
        var digest = [UInt8](repeating: 0, count: 32)
        var digests: [[UInt8]] = []
        for envelope in try input.byteList("envelopes") {
            digest = Digest.of(Label("queue chain"), digest, envelope).array
            digests.append(digest)
        }
        return ["digests": .hexes(digests)]
    }

    private static func request(_ input: VectorFields) throws -> VectorFields {
        let frame = try input.bytes("frame")
        let (number, request) = try RelayRequest.decode(frame.bytes)
        let fields: [(String, VectorValue)] = [
            ("request", .number(number)), ("encoded", .hex(request.encoded(request: number))),
        ]
        return VectorFields(fields + parts(request))
    }

    private static func parts(_ request: RelayRequest) -> [(String, VectorValue)] {
        switch request {
        case .attach(let service, let signature):
            [
                ("verb", .text("attach")), ("serviceKey", .hex(service.array)), ("signature", .hex(signature.array)),
            ]
        case .open(let queues): [("verb", .text("open")), ("queues", .list(queues.map(opening)))]
        case .admit(let queue, let knocks):
            [
                ("verb", .text("admit")), ("queue", .hex(queue.array)),
                ("knocks", .hexes(knocks.map { $0.digest.array })),
            ]
        case .publish(let queue, let bundles):
            [("verb", .text("publish")), ("queue", .hex(queue.array)), ("bundles", .list(bundles.map(published)))]
        case .fetch(let queue): [("verb", .text("fetch")), ("queue", .hex(queue.array))]
        case .knock(let queue, let knock, let hello):
            [
                ("verb", .text("knock")), ("queue", .hex(queue.array)), ("knock", .hex(knock.digest.array)),
                ("hello", .hex(hello)),
            ]
        case .put(let items): [("verb", .text("put")), ("items", .list(items.map(item)))]
        case .subscribe(let position): [("verb", .text("subscribe")), ("after", .number(position))]
        case .acknowledge(let position): [("verb", .text("ack")), ("position", .number(position))]
        case .close(let queues): [("verb", .text("close")), ("queues", .hexes(queues.map(\.array)))]
        case .policy(let settings): [("verb", .text("policy")), ("settings", .list(settings.map(setting)))]
        case .ping: [("verb", .text("ping"))]
        }
    }

    private static func setting(_ setting: PolicySetting) -> VectorValue {
        let policy = setting.policy
        return .object([
            "queue": .hex(setting.id.array), "paused": .flag(policy.isPaused), "rate": .number(policy.messagesPerHour),
            "burst": .number(policy.burst), "waitingBytes": .number(policy.waitingBytes),
            "messageBytes": .number(policy.messageBytes), "retention": .number(policy.retentionSeconds),
        ])
    }

    private static func opening(_ opening: QueueOpening) -> VectorValue {
        switch opening.kind {
        case .knock: .object(["queue": .hex(opening.id.array), "kind": .number(0)])
        case .send(let capability):
            .object(["queue": .hex(opening.id.array), "kind": .number(1), "capability": .hex(capability.array)])
        case .sendAnew(let capability):
            .object(["queue": .hex(opening.id.array), "kind": .number(2), "capability": .hex(capability.array)])
        }
    }

    private static func published(_ bundle: PublishedBundle) -> VectorValue {
        .object([
            "notBefore": .number(bundle.notBefore.seconds), "expires": .number(bundle.expires.seconds),
            "bundle": .hex(bundle.bytes),
        ])
    }

    private static func item(_ item: PutItem) -> VectorValue {
        .object([
            "queue": .hex(item.queue.array), "capability": .hex(item.capability.array), "first": .number(item.first),
            "envelopes": .hexes(item.envelopes),
        ])
    }

    private static func answer(_ input: VectorFields) throws -> VectorFields {
        let bytes = try input.bytes("frame")
        let frame = try RelayFrame.decode(bytes.bytes)
        let encoded: [(String, VectorValue)] = [("encoded", .hex(frame.encoded()))]
        switch frame {
        case .answer(let request, let answer):
            return VectorFields(encoded + [("request", .number(request))] + parts(answer))
        case .refusal(let request, let refusal):
            return VectorFields(encoded + [("request", .number(request)), ("error", .number(refusal.rawValue))])
        case .push(let deliveries):
            return VectorFields(encoded + [("push", .list(deliveries.map(delivery)))])
        }
    }

    private static func delivery(_ delivery: Delivery) -> VectorValue {
        let content: (String, VectorValue) =
            switch delivery.content {
            case .message(let bytes): ("bytes", .hex(bytes))
            case .notice(let notice):
                (
                    "notice",
                    .object(["expired": .number(notice.expired), "refusal": .number(notice.refusal.rawValue)])
                )
            }
        return .object(
            VectorFields([
                ("position", .number(delivery.position)), ("queue", .hex(delivery.queue.array)), content,
            ]))
    }

    private static func parts(_ answer: RelayAnswer) -> [(String, VectorValue)] {
        switch answer {
        case .done: []
        case .attached(let acknowledged, let last):
            [("acknowledged", .number(acknowledged)), ("last", .number(last))]
        case .bundle(let bytes): [("bundle", .hex(bytes))]
        case .results(let results): [("results", .list(results.map(result)))]
        }
    }

    private static func result(_ result: PutResult) -> VectorValue {
        var fields: [(String, VectorValue)] = [
            ("status", .number(result.status.rawValue)), ("next", .number(result.next)),
            ("digest", .hex(result.digest.array)), ("expired", .number(result.expired)),
        ]
        if result.status == .throttled {
            fields += [("room", .number(result.room)), ("wait", .number(result.wait))]
        }
        return .object(VectorFields(fields))
    }
}
