internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// The state of a channel as vectors write it, in the words of Spec/04 §4.7.
///
/// ```
/// {root, ownRatchetKey (private), peerRatchetKey, sending?: {keys, headerKey, next, usedCiphertext, ciphertext?},
///  previousLength, nextSendingHeaderKey, receiving?: {keys, headerKey, next, began, hasContent}, nextReceivingHeaderKey,
///  ownOffer? (seed), peerOffer?, steps, last, skipped: [{headerKey, index, messageKey, expires}], held: [envelope]}
/// ```
enum VectorChannel {
    /// A channel in the state that the fields describe, through the form in which the library stores it.
    static func channel(_ state: VectorFields) throws -> Channel {
        var random = VectorEntropy([UInt8](repeating: 0, count: 8))
        let stored = try stored(state).encoded()
        let auxiliary = try auxiliary(state).encoded()
        return try Channel.decode(stored.bytes, auxiliary: auxiliary.bytes, using: &random)
    }

    private static func stored(_ state: VectorFields) throws -> CBORValue {
        func bytes(_ name: String) throws -> CBORValue { .bytes(try state.bytes(name)) }
        var sending = CBORValue.null
        if let chain = try state.optionalFields("sending") {
            sending = .array([
                .bytes(try chain.bytes("keys")), .bytes(try chain.bytes("headerKey")),
                .unsigned(try chain.number("next")), .unsigned(try chain.flag("usedCiphertext") ? 1 : 0),
            ])
        }
        var receiving = CBORValue.null
        if let chain = try state.optionalFields("receiving") {
            receiving = .array([
                .bytes(try chain.bytes("keys")), .bytes(try chain.bytes("headerKey")),
                .unsigned(try chain.number("next")), .unsigned(try chain.number("began")),
                .unsigned(try chain.flag("hasContent") ? 1 : 0),
            ])
        }
        return .array([
            .unsigned(1), try bytes("root"), try bytes("ownRatchetKey"), try bytes("peerRatchetKey"), sending,
            .unsigned(try state.number("previousLength")), try bytes("nextSendingHeaderKey"), receiving,
            try bytes("nextReceivingHeaderKey"), optional(try state.optionalBytes("ownOffer")), .null,
            .unsigned(try state.number("steps")), .unsigned(try state.number("last")),
        ])
    }

    private static func auxiliary(_ state: VectorFields) throws -> CBORValue {
        let skipped = try state.fieldsList("skipped").map { key -> CBORValue in
            .array([
                .bytes(try key.bytes("headerKey")), .unsigned(try key.number("index")),
                .bytes(try key.bytes("messageKey")), .unsigned(try key.number("expires")),
            ])
        }
        return .array([
            .unsigned(1), optional(try state.optionalBytes("peerOffer")),
            optional(try state.optionalFields("sending")?.optionalBytes("ciphertext")), .array(skipped),
            .array(try state.byteList("held").map { .bytes($0) }),
        ])
    }

    private static func optional(_ bytes: [UInt8]?) -> CBORValue { bytes.map { .bytes($0) } ?? .null }

    /// The state of a channel.
    static func state(_ channel: borrowing Channel) throws -> VectorFields {
        let stored = items(try CBORValue(decoding: [UInt8](channel.encoded().bytes)))
        guard stored.count == 13 else { return [:] }
        let auxiliary: [CBORValue] =
            switch channel.auxiliary() {
            case .some(let bytes): items(try CBORValue(decoding: [UInt8](bytes.bytes)))
            case .none: [.unsigned(1), .null, .null, .array([]), .array([])]
            }
        let (sending, receiving) = (items(stored[4]), items(stored[7]))
        return [
            "root": field(stored[1]), "ownRatchetKey": field(stored[2]), "peerRatchetKey": field(stored[3]),
            "sending": sending.isEmpty
                ? nil
                : .object([
                    "keys": field(sending[0]), "headerKey": field(sending[1]), "next": field(sending[2]),
                    "usedCiphertext": .flag(sending[3] == .unsigned(1)), "ciphertext": field(auxiliary[2]),
                ]),
            "previousLength": field(stored[5]), "nextSendingHeaderKey": field(stored[6]),
            "receiving": receiving.isEmpty
                ? nil
                : .object([
                    "keys": field(receiving[0]), "headerKey": field(receiving[1]), "next": field(receiving[2]),
                    "began": field(receiving[3]), "hasContent": .flag(receiving[4] == .unsigned(1)),
                ]),
            "nextReceivingHeaderKey": field(stored[8]), "ownOffer": field(stored[9]), "peerOffer": field(auxiliary[1]),
            "steps": field(stored[11]), "last": field(stored[12]),
            "skipped": .list(
                items(auxiliary[3]).map(items).map {
                    .object([
                        "headerKey": field($0[0]), "index": field($0[1]), "messageKey": field($0[2]),
                        "expires": field($0[3]),
                    ])
                }), "held": .list(items(auxiliary[4]).compactMap(field)),
        ]
    }

    private static func items(_ value: CBORValue) -> [CBORValue] {
        if case .array(let items) = value { items } else { [] }
    }

    private static func field(_ value: CBORValue) -> VectorValue? {
        switch value {
        case .bytes(let bytes): .hex(bytes)
        case .unsigned(let number): .number(number)
        default: nil
        }
    }
}
