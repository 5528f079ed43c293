internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// An identity as vectors write it: its seeds, and what became of it.
///
/// `{signing, next, sealing, created, domain?, events: [{kind, created, next?, sealing?}]}`, seeds in hexadecimal.
enum VectorIdentity {
    /// Makes the identity that the fields describe.
    static func identity(_ fields: VectorFields) throws -> Identity {
        let (signing, next) = (try seed(fields, "signing"), try seed(fields, "next"))
        var draws = VectorEntropy(signing + next + (try seed(fields, "sealing")))
        var identity = try Identity.create(
            domain: fields.optionalText("domain"), at: Timestamp(seconds: fields.number("created")), using: &draws)
        guard fields["events"] != nil else { return identity }
        for event in try fields.fieldsList("events") {
            let created = Timestamp(seconds: try event.number("created"))
            switch try event.text("kind") {
            case "rotation":
                var draws = VectorEntropy(try seed(event, "next") + seed(event, "sealing"))
                _ = try identity.rotate(at: created, using: &draws)
            case "revocation": _ = try identity.revoke(at: created)
            default: throw VectorFault.kind("rotation or revocation").at(event.path + "kind")
            }
        }
        return identity
    }

    private static func seed(_ fields: VectorFields, _ name: String) throws -> [UInt8] {
        let bytes: FixedBytes<32> = try fields.bytes(name)
        return bytes.array
    }

    /// The fields of a fresh identity.
    static func random(
        _ maker: inout VectorMaker, created: UInt64, domain: String? = nil, events: [VectorFields] = []
    ) -> VectorFields {
        [
            "signing": .hex(maker.random(32)), "next": .hex(maker.random(32)), "sealing": .hex(maker.random(32)),
            "created": .number(created), "domain": domain.map { .text($0) },
            "events": events.isEmpty ? nil : .list(events.map { .object($0) }),
        ]
    }

    /// The fields of a rotation.
    static func rotation(_ maker: inout VectorMaker, created: UInt64) -> VectorFields {
        [
            "kind": .text("rotation"), "created": .number(created), "next": .hex(maker.random(32)),
            "sealing": .hex(maker.random(32)),
        ]
    }

    /// What a log shows.
    static func outputs(_ log: KeyLog) -> VectorFields {
        [
            "id": .hex(log.id.digest.array), "idText": .text(log.id.description), "head": .hex(log.head.array),
            "currentKey": .hex(log.currentKey.array), "sealingKey": .hex(log.sealingKey.array),
            "domain": log.domain.map { .text($0) }, "isRevoked": .flag(log.isRevoked),
            "eventCount": .number(log.events.count),
        ]
    }
}
