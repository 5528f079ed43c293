internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// Addresses as vectors write them: `{host, port, relayKey, queue, capability}`.
enum VectorAddress {
    static func address(_ fields: VectorFields) throws -> Address {
        Address(
            relay: try relay(fields), queue: QueueID(try fields.bytes("queue")),
            capability: SendCapability(try fields.bytes("capability")))
    }

    static func relay(_ fields: VectorFields) throws -> RelayAddress {
        let port = UInt16(try fields.count("port", maximum: 65_535))
        return try RelayAddress(host: fields.text("host"), port: port, key: fields.agreementPublicKey("relayKey"))
    }

    static func fields(_ address: Address) -> VectorFields {
        [
            "host": .text(address.relay.host), "port": .number(address.relay.port),
            "relayKey": .hex(address.relay.key.array), "queue": .hex(address.queue.array),
            "capability": .hex(address.capability.array),
        ]
    }

    static func list(_ addresses: [Address]) -> VectorValue {
        .list(addresses.map { .object(fields($0)) })
    }

    static func random(_ maker: inout VectorMaker, host: String = "relay.example") -> VectorFields {
        [
            "host": .text(host), "port": .number(7_447),
            "relayKey": .hex(AgreementPrivateKey.generate(using: &maker.entropy).publicKey.array),
            "queue": .hex(maker.random(16)), "capability": .hex(maker.random(32)),
        ]
    }

    /// The five items of the wire.
    static func item(_ address: Address) -> CBORValue {
        .array([
            .text(address.relay.host), .unsigned(UInt64(address.relay.port)), .bytes(address.relay.key.array),
            .bytes(address.queue.array), .bytes(address.capability.array),
        ])
    }
}
