internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// Identities and their key logs.
///
/// - Source: Spec/02
enum KeyLogVectors: VectorLayer {
    static let name = "keylog"

    static let operations: [String: VectorOperation] = [
        "make": make(_:), "verify": verify, "append": append, "id": parseID,
        "recoveryKey": recoveryKey, "recoveryWords": recoveryWords,
    ]

    /// Makes an identity from its seeds.
    private static func make(_ input: VectorFields) throws -> VectorFields {
        let identity = try VectorIdentity.identity(input.fields("identity"))
        let events = identity.log.events.map { event -> VectorValue in
            .object([
                "event": .hex(event.encoded()), "digest": .hex(event.digest.array), "next": .hex(event.next?.array),
                "signingKey": .hex(event.signingKey.array),
            ])
        }
        return VectorIdentity.outputs(identity.log).with("events", .list(events))
    }

    /// Reads a log: a CBOR array of byte strings.
    private static func verify(_ input: VectorFields) throws -> VectorFields {
        let bytes = try input.bytes("log")
        return VectorIdentity.outputs(try KeyLog(decoding: bytes.bytes))
    }

    /// Adds an event to a log.
    private static func append(_ input: VectorFields) throws -> VectorFields {
        let (bytes, eventBytes) = (try input.bytes("log"), try input.bytes("event"))
        var log = try KeyLog(decoding: bytes.bytes)
        try log.append(KeyEvent(decoding: eventBytes.bytes))
        return VectorIdentity.outputs(log)
    }

    /// Derives a next key from a recovery root.
    private static func recoveryKey(_ input: VectorFields) throws -> VectorFields {
        let bytes = try input.bytes("root")
        let salt: FixedBytes<16> = try input.bytes("salt")
        let root = try RecoveryRoot(copying: bytes.bytes)
        let key = try root.nextKey(salt)
        return [
            "name": .hex(root.name.array), "words": .text(root.words), "seed": .hex([UInt8](key.seed)),
            "publicKey": .hex(key.publicKey.array), "next": .hex(try root.promise(of: salt).commitment.array),
        ]
    }

    /// Reads recovery words.
    private static func recoveryWords(_ input: VectorFields) throws -> VectorFields {
        ["name": .hex(try RecoveryRoot(words: input.text("words")).name.array)]
    }

    private static func parseID(_ input: VectorFields) throws -> VectorFields {
        ["id": .hex(try IdentityID(text: input.text("text")).digest.array)]
    }
}
