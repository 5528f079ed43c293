internal import Handfast
internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// Records, entries, and what a receiver makes of them.
///
/// - Source: Spec/05 §5.1 to §5.5
enum RecordVectors: VectorLayer {
    static let name = "record"

    static let operations: [String: VectorOperation] = [
        "make": make(_:), "read": read, "erase": erase, "content": content, "encode": encode, "ephemeral": ephemeral,
        "ephemeralText": ephemeralText, "receive": receive,
    ]

    private static func make(_ input: VectorFields) throws -> VectorFields {
        let seen = try input.fields("lastSeen")
        let thread: [UInt8]? = try input.optionalBytes("thread")
        let record = VectorRecord(
            relationship: try input.bytes("relationship"), direction: try input.number("direction"),
            sequence: try input.number("sequence"), previous: try input.bytes("previous"),
            lastSeenSequence: try seen.number("sequence"), lastSeenHash: try seen.bytes("hash"),
            time: try input.number("time"), recordType: try input.text("type"), thread: thread,
            salt: try input.bytes("salt"), body: try input.bytes("body"))
        let signed = try record.signed(with: input.signingKey("seed"))
        let entry = try Entry(decoding: signed.entry.bytes)
        guard entry.hash.array == signed.hash else {
            throw VectorFault.differs(expected: "the derived", actual: "another").at("hash")
        }
        return [
            "bodyDigest": .hex(record.digest), "payload": .hex(signed.payload), "protected": .hex(signed.protected),
            "record": .hex(signed.record), "hash": .hex(signed.hash), "entry": .hex(signed.entry),
        ]
    }

    private static func read(_ input: VectorFields) throws -> VectorFields {
        let bytes = try input.bytes("entry")
        return fields(try Entry(decoding: bytes.bytes))
    }

    private static func fields(_ entry: Entry) -> VectorFields {
        let record = entry.record
        return [
            "relationship": .hex(record.relationship.digest.array), "direction": .number(record.direction.rawValue),
            "sequence": .number(record.sequence), "previous": .hex(record.previous.array),
            "lastSeen": .object([
                "sequence": .number(record.lastSeen.sequence), "hash": .hex(record.lastSeen.hash.array),
            ]), "time": .number(record.time.seconds), "type": .text(record.type.text),
            "thread": .hex(record.thread?.bytes.array), "bodyDigest": .hex(record.bodyDigest.array),
            "hash": .hex(entry.hash.array), "salt": .hex(entry.salt), "body": .hex(entry.body),
        ]
    }

    private static func content(_ input: VectorFields) throws -> VectorFields {
        let bytes = try input.bytes("content")
        let entries = try RecordContent.decode(bytes.bytes)
        return [
            "hashes": .hexes(entries.map { $0.hash.array }), "encoded": .hex(try RecordContent.encode(entries)),
        ]
    }

    private static func erase(_ input: VectorFields) throws -> VectorFields {
        let bytes = try input.bytes("entry")
        return ["entry": .hex(try Entry(decoding: bytes.bytes).erased().encoded())]
    }

    /// Content of one entry so many times.
    private static func encode(_ input: VectorFields) throws -> VectorFields {
        let (bytes, count) = (try input.bytes("entry"), try input.number("count"))
        guard count <= 1_024 else { throw VectorFault.missing.at("count") }
        let entry = try Entry(decoding: bytes.bytes)
        let content = try RecordContent.encode([Entry](repeating: entry, count: Int(count)))
        return ["size": .number(content.count)]
    }

    /// Content whose body is `{"text": letters × "a"}`.
    private static func ephemeralText(_ input: VectorFields) throws -> VectorFields {
        let letters = try input.number("letters")
        guard letters <= LedgerLimits.content else { throw VectorFault.missing.at("letters") }
        let text = CBORValue.text(String(repeating: "a", count: Int(letters)))
        let content = try VectorCBOR.map([
            1: .text("message/typing"), 3: VectorCBOR.item(VectorCBOR.body(["text": text])),
        ]).encoded()
        return ["size": .number(try EphemeralMessage(decoding: content.bytes).encoded().count)]
    }

    private static func ephemeral(_ input: VectorFields) throws -> VectorFields {
        let bytes = try input.bytes("content")
        let message = try EphemeralMessage(decoding: bytes.bytes)
        return [
            "type": .text(message.type.text), "thread": .hex(message.thread?.bytes.array), "body": .hex(message.body),
            "encoded": .hex(message.encoded()),
        ]
    }
}

// MARK: - Receiving

extension RecordVectors {
    /// What the inviter, as a hello leaves it, makes of the invitee's entries.
    private static func receive(_ input: VectorFields) throws -> VectorFields {
        let (hello, bundleBytes) = (try input.bytes("hello"), try input.bytes("bundle"))
        let key = try input.sealingPrivateKey("bundleSeed")
        let bundle = try Bundle(decoding: bundleBytes.bytes)
        let identity = try VectorIdentity.identity(input.fields("identity"))
        var relationship = try Relationship.welcomed(
            ReceivedHello.open(hello.bytes, bundle: bundle, key: key), identity: identity, signer: bundle.signerLog,
            at: Timestamp(seconds: VectorMeeting.time))
        var own: [Entry] = []
        for message in try input.fieldsList("own") {
            var salt = VectorEntropy(try message.bytes("salt"))
            own.append(
                try relationship.append(
                    TextMessage(text: message.text("text")), at: Timestamp(seconds: message.number("time")),
                    with: identity, using: &salt))
        }
        var kept: [Entry] = []
        var results: [VectorValue] = []
        for bytes in try input.byteList("entries") {
            do {
                let entry = try Entry(decoding: bytes.bytes)
                let outcome = try relationship.receive(
                    entry,
                    ownHash: { number in number <= UInt64(own.count) ? own[Int(number) - 1].hash : nil },
                    peerEntry: { number in number <= UInt64(kept.count) ? kept[Int(number) - 1] : nil })
                if case .accepted = outcome { kept.append(entry) }
                results.append(.object(fields(outcome)))
            } catch {
                results.append(.object(["error": .text(VectorErrorClass.name(of: error))]))
            }
        }
        return [
            "relationship": .hex(relationship.id.digest.array), "ownHashes": .hexes(own.map { $0.hash.array }),
            "results": .list(results), "state": .text("\(relationship.state)"),
            "owesEnd": .flag(relationship.owesEnd),
            "peerHead": .object([
                "sequence": .number(relationship.peerHead.sequence), "hash": .hex(relationship.peerHead.hash.array),
            ]), "peerKey": .hex(relationship.peerLog?.currentKey.array),
        ]
    }

    private static func fields(_ outcome: RecordOutcome) -> VectorFields {
        switch outcome {
        case .duplicate: ["outcome": .text("duplicate")]
        case .forked: ["outcome": .text("fork")]
        case .accepted(let effect):
            switch effect {
            case .attachment(let attachment):
                ["outcome": .text("accepted"), "effect": .text("attachment"), "name": .text(attachment.name)]
            case .claimsRequested: ["outcome": .text("accepted"), "effect": .text("claimsRequested")]
            case .claimsPresented: ["outcome": .text("accepted"), "effect": .text("claimsPresented")]
            case .claimsJudged: ["outcome": .text("accepted"), "effect": .text("claimsJudged")]
            case .message(let message):
                [
                    "outcome": .text("accepted"), "text": .text(message.text),
                    "language": message.language.map { .text($0) },
                ]
            case .introduced(let introduction):
                [
                    "outcome": .text("accepted"), "name": .text(introduction.name),
                    "url": introduction.url.map { .text($0) },
                ]
            case .endorsed: ["outcome": .text("accepted"), "effect": .text("endorsed")]
            case .moved(let addresses):
                [
                    "outcome": .text("accepted"), "effect": .text("moved"),
                    "addresses": .hexes(
                        addresses.map { address in
                            var writer = CBORWriter()
                            address.write(to: &writer)
                            return writer.bytes
                        }),
                ]
            case .rotated: ["outcome": .text("accepted"), "effect": .text("rotated")]
            case .revoked: ["outcome": .text("accepted"), "effect": .text("revoked")]
            case .ended(let ending, let mustAnswer):
                [
                    "outcome": .text("accepted"), "effect": .text("ended"), "reason": ending.reason.map { .text($0) },
                    "mustAnswer": .flag(mustAnswer),
                ]
            case .unknownType: ["outcome": .text("accepted"), "effect": .text("unknownType")]
            }
        }
    }
}
