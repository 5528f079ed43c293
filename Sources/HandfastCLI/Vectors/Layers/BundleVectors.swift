internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// Bundles, and what a client asks of one before it accepts an invitation.
///
/// - Source: Spec/03 §3.2
enum BundleVectors: VectorLayer {
    static let name = "bundle"

    static let operations: [String: VectorOperation] = ["make": make(_:), "verify": verify, "accept": accept]

    private static func make(_ input: VectorFields) throws -> VectorFields {
        let bundle = try bundle(input)
        return outputs(bundle).with("bundle", .hex(bundle.bytes))
    }

    /// The bundle of the fields `signer`, `sealing`, `notBefore`, `expires` and `families`.
    static func bundle(_ input: VectorFields) throws -> Bundle {
        let signer = try VectorIdentity.identity(input.fields("signer"))
        let key = try input.sealingPrivateKey("sealing").publicKey
        var families: [String] = []
        for case .text(let family) in try input.list("families") { families.append(family) }
        return try Bundle.make(
            signer: signer, key: key, notBefore: Timestamp(seconds: input.number("notBefore")),
            expires: Timestamp(seconds: input.number("expires")), families: families)
    }

    private static func verify(_ input: VectorFields) throws -> VectorFields {
        let bytes = try input.bytes("bundle")
        return outputs(try Bundle(decoding: bytes.bytes))
    }

    private static func accept(_ input: VectorFields) throws -> VectorFields {
        let bytes = try input.bytes("bundle")
        let bundle = try Bundle(decoding: bytes.bytes)
        try bundle.check(
            against: Invitation(uri: input.text("uri")), now: Timestamp(seconds: input.number("now")))
        return [:]
    }

    private static func outputs(_ bundle: Bundle) -> VectorFields {
        [
            "hash": .hex(bundle.hash.array), "signerID": .hex(bundle.signerLog.id.digest.array),
            "signingKey": .hex(bundle.signerLog.currentKey.array),
            "eventCount": .number(bundle.signerLog.events.count), "sealingKey": .hex(bundle.sealingKey.array),
            "notBefore": .number(bundle.notBefore.seconds), "expires": .number(bundle.expires.seconds),
            "families": .list(bundle.families.map { .text($0) }),
        ]
    }

    static let day: UInt64 = 86_400
    static let start: UInt64 = 1_800_000_000

    /// The fields of a random bundle.
    static func random(_ maker: inout VectorMaker, signer: VectorFields) -> VectorFields {
        [
            "signer": .object(signer), "sealing": .hex(maker.random(32)), "notBefore": .number(start),
            "expires": .number(start + 2 * day), "families": .list([.text("message"), .text("relationship")]),
        ]
    }
}

extension BundleVectors {
    static func make(_ maker: inout VectorMaker) throws {
        let signer = VectorIdentity.random(&maker, created: start - day)
        let fields = random(&maker, signer: signer)
        let made = try maker.accept("make", "make", fields)
        let rotated = signer.with(
            "events", .list([.object(VectorIdentity.rotation(&maker, created: start - 10))]))
        let other = try maker.accept(
            "make, of a public identity that rotated, without families", "make",
            fields.with("signer", .object(rotated.with("domain", .text("shop.example")))).with("families", .list([])))
        maker.share("bundle", .hex(try made.bytes("bundle")))
        try maker.accept("verify", "verify", [:])
        try maker.accept("verify, after a rotation", "verify", ["bundle": .hex(try other.bytes("bundle"))])
        try makeRefusals(&maker, fields, signer)
        try makeChecks(&maker, made)
    }

    private static func makeRefusals(
        _ maker: inout VectorMaker, _ fields: VectorFields, _ signerFields: VectorFields
    ) throws {
        let bundle = try bundle(fields)
        let signer = try VectorIdentity.identity(signerFields)
        let seed = try signerFields.bytes("signing")
        let key = try SigningKey(seed: SecretBytes(copying: seed.bytes))
        let parts: [Int: CBORValue?] = [
            1: .unsigned(1), 2: .bytes(signer.id.digest.array), 3: try VectorCBOR.item(signer.log.encoded()),
            4: try VectorCBOR.item(bundle.sealingKey.coseKey), 5: .unsigned(start), 6: .unsigned(start + 2 * day),
            7: .array([.text("message")]),
        ]
        func refuse(_ name: String, _ change: [Int: CBORValue?], _ error: String) throws {
            let changed = parts.merging(change) { $1 }
            let bytes = try VectorCBOR.signed(VectorCBOR.map(changed), type: Bundle.type, with: key)
            try maker.refuse(name, "verify", ["bundle": .hex(bytes)], error)
        }
        try refuse("suite 2", [1: .unsigned(2)], "unsupportedVersion")
        try refuse("signer is not the log's", [2: .bytes(maker.random(32))], "wrongSigner")
        try refuse("no key log", [3: .array([])], "keyLog/inceptionExpected")
        try refuse("valid for more than 48 hours", [6: .unsigned(start + 2 * day + 1)], "malformed")
        try refuse("ends before it begins", [6: .unsigned(start - 1)], "malformed")
        try refuse("no sealing key", [4: nil], "encoding/missingKey")
        try refuse(
            "X25519 key for X-Wing",
            [4: try VectorCBOR.map([1: .integer(1), -1: .integer(4), -2: .bytes(maker.random(32))])],
            "signature/wrongKeyType")
        try refuse("unknown field", [0: .null, 7: nil], "encoding/unknownKey")
        try refuse(
            "65 families", [7: .array((0..<65).map { .text("f\($0)") })], "encoding/sizeExceeded")
        try refuse(
            "family of 65 bytes", [7: .array([.text(String(repeating: "f", count: 65))])], "encoding/sizeExceeded")
        try refuse("start is text", [5: .text("now")], "encoding/wrongType")
        let stranger = SigningKey.generate(using: &maker.entropy)
        try maker.refuse(
            "signed by a key outside the log", "verify",
            ["bundle": .hex(try VectorCBOR.signed(VectorCBOR.map(parts), type: Bundle.type, with: stranger))],
            "signature/invalidSignature")
        try maker.refuse(
            "signed as something else", "verify",
            ["bundle": .hex(try VectorCBOR.signed(VectorCBOR.map(parts), type: "handfast-hello+cose", with: key))],
            "signature/wrongType")
        try maker.refuse(
            "truncated bundle", "verify", ["bundle": .hex(Array(bundle.bytes.dropLast()))], "signature/truncated")
        let revoked = try VectorIdentity.identity(
            signerFields.with("events", .list([.object(["kind": .text("revocation"), "created": .number(start)])])))
        let revokedBytes = try VectorCBOR.signed(
            VectorCBOR.map(parts.merging([3: VectorCBOR.item(revoked.log.encoded())]) { $1 }), type: Bundle.type,
            with: revoked.signingKey)
        try maker.refuse("signed by a revoked identity", "verify", ["bundle": .hex(revokedBytes)], "keyLog/revoked")
    }

    private static func makeChecks(_ maker: inout VectorMaker, _ made: VectorFields) throws {
        let signer = IdentityID(try made.digest("signerID"))
        func uri(_ signer: IdentityID, events: Int = 1) throws -> VectorValue {
            let relay = try RelayAddress(
                host: "relay.example", port: 7_447, key: AgreementPublicKey(FixedBytes(random: &maker.entropy)))
            return .text(
                try Invitation(
                    relay: relay, knockQueue: .random(using: &maker.entropy), signer: signer, eventCount: events,
                    ticket: .random(using: &maker.entropy)
                ).uri)
        }
        let good = try uri(signer)
        for (name, now) in [
            ("in its time", start + 5), ("an hour early", start - 3_600), ("an hour late", start + 2 * day + 3_600),
        ] {
            try maker.accept("accept, \(name)", "accept", ["uri": good, "now": .number(now)])
        }
        try maker.refuse(
            "accept, too early", "accept", ["uri": good, "now": .number(start - 3_601)], "bundleNotYetValid")
        try maker.refuse(
            "accept, too late", "accept", ["uri": good, "now": .number(start + 2 * day + 3_601)], "bundleExpired")
        try maker.refuse(
            "accept, of another signer", "accept",
            ["uri": try uri(IdentityID(Digest(FixedBytes(random: &maker.entropy)))), "now": .number(start)],
            "wrongSigner")
        try maker.refuse(
            "accept, of a log cut short", "accept", ["uri": try uri(signer, events: 2), "now": .number(start)],
            "keyLogTooShort")
    }
}
