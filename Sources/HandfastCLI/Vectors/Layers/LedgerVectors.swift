internal import Handfast
internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// Exports of a ledger.
///
/// - Source: Spec/05 §5.6
enum LedgerVectors: VectorLayer {
    static let name = "ledger"

    static let operations: [String: VectorOperation] = ["verify": verify, "verifyFile": verifyFile, "agree": agree]

    /// The file that the parts make.
    private static func file(_ input: VectorFields) throws -> [UInt8] {
        func entries(_ name: String) throws -> CBORValue { .array(try input.byteList(name).map(VectorCBOR.item)) }
        return try VectorCBOR.map([
            1: .unsigned(input["version"] == nil ? 1 : input.number("version")),
            2: .bytes(input.bytes("relationship")), 3: .unsigned(input.number("role")),
            4: VectorCBOR.item(input.bytes("proof")), 5: entries("invitee"), 6: entries("inviter"),
        ]).encoded()
    }

    static func verify(_ input: VectorFields) throws -> VectorFields {
        let file = try file(input)
        return fields(try LedgerExport(decoding: file.bytes).verify())
    }

    private static func verifyFile(_ input: VectorFields) throws -> VectorFields {
        let file = try input.bytes("file")
        return fields(try LedgerExport(decoding: file.bytes).verify())
    }

    private static func agree(_ input: VectorFields) throws -> VectorFields {
        let rest = input.with("invitee", nil).with("inviter", nil)
        let first = try file(input.fields("first").over(rest))
        let second = try file(input.fields("second").over(rest))
        let agreement = try LedgerExport.agree(
            LedgerExport(decoding: first.bytes), LedgerExport(decoding: second.bytes))
        return [
            "inviteeCount": .number(agreement.inviteeCount), "inviterCount": .number(agreement.inviterCount),
            "isComplete": .flag(agreement.isComplete),
        ]
    }

    private static func fields(_ ledger: VerifiedLedger) -> VectorFields {
        func direction(_ side: VerifiedLedger.Direction) -> VectorValue {
            .object([
                "id": .hex(side.log.id.digest.array), "eventCount": .number(side.log.events.count),
                "count": .number(side.head.sequence), "head": .hex(side.head.hash.array),
                "erased": .number(side.erasedCount), "hasEnded": .flag(side.hasEnded),
            ])
        }
        return [
            "relationship": .hex(ledger.relationship.digest.array), "signerID": .hex(ledger.signer.digest.array),
            "words": .text(ledger.words), "invitee": direction(ledger.invitee), "inviter": direction(ledger.inviter),
        ]
    }
}

extension LedgerVectors {
    static func make(_ maker: inout VectorMaker) throws {
        let meeting = try VectorMeeting(&maker)
        let relationship = meeting.relationship.digest.array
        let proof = try meeting.proofItems()
        maker.share("relationship", .hex(relationship))
        maker.share("role", .number(0))
        maker.share("proof", .hex(try CBORValue.array(proof).encoded()))

        let (invitee, inviter) = try directions(&maker, meeting)
        let input: VectorFields = ["invitee": .hexes(invitee.entries), "inviter": .hexes(inviter.entries)]
        try maker.accept("no records", "verify", ["invitee": .list([]), "inviter": .list([])])
        try maker.accept("records of both, a rotation and an end", "verify", input)
        try maker.accept("exported by the inviter", "verify", input.with("role", .number(1)))
        let erased = try erasing(invitee.entries, 1)
        try maker.accept("a body erased", "verify", input.with("invitee", .hexes(erased)))
        try makeRefusals(&maker, meeting, invitee: invitee.entries, inviter: inviter.entries)
        try makeProofs(&maker, meeting, proof, input)
        try makeAgreements(&maker, meeting, input, invitee: invitee.entries, inviter: inviter.entries)
        let file = try file(input.over(maker.common))
        try maker.accept("file", "verifyFile", ["file": .hex(file)])
        try maker.refuse(
            "file cut short", "verifyFile", ["file": .hex(Array(file[..<60]))], "malformed/truncated")
        try maker.refuse(
            "file of version 2", "verify", input.with("version", .number(2)), "unsupportedVersion")
        try maker.refuse("file without anything", "verifyFile", ["file": .hex([0xa0])], "malformed/missingKey")
    }

    /// Introduction, message, rotation, message of the invitee; message and end of the inviter.
    private static func directions(
        _ maker: inout VectorMaker, _ meeting: VectorMeeting
    ) throws -> (invitee: VectorLedgerWriter, inviter: VectorLedgerWriter) {
        let relationship = meeting.relationship.digest.array
        let rotation = VectorIdentity.rotation(&maker, created: VectorMeeting.time + 7)
        let first = try VectorIdentity.identity(meeting.invitee)
        let rotated = try VectorIdentity.identity(meeting.invitee.with("events", .list([.object(rotation)])))
        let other = try VectorIdentity.identity(meeting.inviter)
        var invitee = VectorLedgerWriter(relationship: relationship, direction: 0)
        var inviter = VectorLedgerWriter(relationship: relationship, direction: 1)
        func next(_ writer: VectorLedgerWriter, _ type: String, _ body: [String: CBORValue]) throws -> VectorRecord {
            try writer.next(type, body, salt: maker.random(16))
        }
        _ = try invitee.add(next(invitee, "relationship/introduce", ["name": .text("Ada")]), with: first.signingKey)
        inviter.seen = (1, invitee.head)
        _ = try inviter.add(next(inviter, "message/text", ["text": .text("Welcome")]), with: other.signingKey)
        invitee.seen = (1, inviter.head)
        _ = try invitee.add(next(invitee, "message/text", ["text": .text("Hello")]), with: first.signingKey)
        _ = try invitee.add(
            next(invitee, "relationship/rotate", ["event": .bytes(rotated.log.events[1].encoded())]),
            with: rotated.signingKey)
        _ = try invitee.add(next(invitee, "message/text", ["text": .text("New key")]), with: rotated.signingKey)
        inviter.seen = (4, invitee.head)
        _ = try inviter.add(next(inviter, "relationship/end", [:]), with: other.signingKey)
        return (invitee, inviter)
    }

    private static func erasing(_ entries: [[UInt8]], _ index: Int) throws -> [[UInt8]] {
        var copy = entries
        copy[index] = try VectorRecord.entry(record(entries[index]), salt: nil, body: nil)
        return copy
    }

    private static func record(_ entry: [UInt8]) throws -> [UInt8] {
        guard case .array(let parts) = try CBORValue(decoding: entry), case .bytes(let record)? = parts.first else {
            throw VectorFault.missing.at("record")
        }
        return record
    }

    private static func makeRefusals(
        _ maker: inout VectorMaker, _ meeting: VectorMeeting, invitee: [[UInt8]], inviter: [[UInt8]]
    ) throws {
        func refuse(_ name: String, _ invitee: [[UInt8]], _ inviter: [[UInt8]], _ error: String) throws {
            try maker.refuse(
                name, "verify", ["invitee": .hexes(invitee), "inviter": .hexes(inviter)], "refusedEntry/" + error)
        }
        try refuse("a record left out", [invitee[0], invitee[2], invitee[3]], inviter, "invitee/2/missingRecord")
        try refuse(
            "the last record left out", Array(invitee.dropLast()), inviter, "inviter/2/lastSeenAhead")
        try refuse("records in another order", [invitee[1], invitee[0]], [], "invitee/1/missingRecord")
        try refuse("a record of the other direction", [inviter[0]], [], "invitee/1/wrongDirection")
        try refuse("the rotation erased", try erasing(invitee, 2), inviter, "invitee/3/bodyMissing")
        let identity = try VectorIdentity.identity(meeting.invitee)
        var other = VectorLedgerWriter(relationship: meeting.relationship.digest.array, direction: 0)
        let text = try other.next("message/text", ["text": .text("Another")], salt: maker.random(16))
        let replaced = try other.add(text, with: identity.signingKey)
        try refuse("a first record exchanged", [replaced, invitee[1]], [], "invitee/2/previousMismatch")
        let stranger = SigningKey.generate(using: &maker.entropy)
        try refuse(
            "signed by a stranger", [try text.signed(with: stranger).entry], [], "invitee/1/invalidSignature")
        let swapped = try VectorRecord.entry(
            record(replaced), salt: text.salt, body: VectorCBOR.body(["text": .text("No")]))
        try refuse("a body exchanged", [swapped], [], "invitee/1/bodyDigestMismatch")
        var foreign = text
        foreign.relationship = maker.random(32)
        try refuse(
            "a record of another relationship", [try foreign.signed(with: identity.signingKey).entry], [],
            "invitee/1/wrongRelationship")
        let inviterIdentity = try VectorIdentity.identity(meeting.inviter)
        var after = VectorLedgerWriter(relationship: meeting.relationship.digest.array, direction: 1)
        let end = try after.add(
            after.next("relationship/end", [:], salt: maker.random(16)), with: inviterIdentity.signingKey)
        let late = try after.add(
            after.next("message/text", ["text": .text("PS")], salt: maker.random(16)), with: inviterIdentity.signingKey)
        try refuse("a record after the end", [], [end, late], "inviter/2/recordAfterEnd")
    }

    private static func makeProofs(
        _ maker: inout VectorMaker, _ meeting: VectorMeeting, _ proof: [CBORValue], _ input: VectorFields
    ) throws {
        func refuse(_ name: String, _ change: [Int: CBORValue], _ error: String) throws {
            var copy = proof
            for (index, value) in change { copy[index] = value }
            try maker.refuse(
                "proof: " + name, "verify",
                [
                    "invitee": .list([]), "inviter": .list([]), "proof": .hex(try CBORValue.array(copy).encoded()),
                ], error)
        }
        let other = try VectorIdentity.identity(VectorIdentity.random(&maker, created: 1))
        try refuse(
            "another invitee", [5: .bytes(other.log.events[0].encoded())], "handshake/signature/invalidSignature")
        try refuse(
            "an inception cut short", [6: .bytes(Array(try bytes(proof[6]).dropLast()))],
            "handshake/signature/truncated")
        try refuse("a bundle that is none", [0: .bytes([0xa0])], "handshake/signature/wrongType")
        try refuse("an encapsulation of 1,119 bytes", [1: .bytes(maker.random(1_119))], "malformed/wrongLength")
        try maker.refuse(
            "another relationship's id", "verify",
            ["invitee": .list([]), "inviter": .list([]), "relationship": .hex(maker.random(32))], "handshakeMismatch")
    }

    private static func bytes(_ item: CBORValue) throws -> [UInt8] {
        guard case .bytes(let bytes) = item else { throw VectorFault.missing.at("proof") }
        return bytes
    }

    private static func makeAgreements(
        _ maker: inout VectorMaker, _ meeting: VectorMeeting, _ input: VectorFields, invitee: [[UInt8]],
        inviter: [[UInt8]]
    ) throws {
        func parts(_ invitee: [[UInt8]], _ inviter: [[UInt8]]) -> VectorValue {
            .object(["invitee": .hexes(invitee), "inviter": .hexes(inviter)])
        }
        try maker.accept(
            "two exports that agree", "agree",
            ["first": parts(invitee, inviter), "second": parts(try erasing(invitee, 1), inviter)])
        try maker.accept(
            "one export goes on", "agree",
            ["first": parts(invitee, inviter), "second": parts(Array(invitee[..<2]), Array(inviter[..<1]))])
        let elsewhere = try VectorMeeting(&maker)
        let other: VectorFields = [
            "relationship": .hex(elsewhere.relationship.digest.array), "invitee": .list([]), "inviter": .list([]),
            "proof": .hex(try CBORValue.array(elsewhere.proofItems()).encoded()),
        ]
        try maker.refuse(
            "exports of two relationships", "agree", ["first": parts([], []), "second": .object(other)],
            "differentRelationships")
        let identity = try VectorIdentity.identity(meeting.inviter)
        var told = VectorLedgerWriter(relationship: meeting.relationship.digest.array, direction: 1)
        let otherwise = try told.add(
            told.next("message/text", ["text": .text("Otherwise")], salt: maker.random(16)), with: identity.signingKey)
        try maker.refuse(
            "one side told two stories", "agree",
            [
                "first": parts(Array(invitee[..<1]), Array(inviter[..<1])),
                "second": parts(Array(invitee[..<1]), [otherwise]),
            ],
            "exportsDisagree/inviter/1")
    }
}

extension VectorMeeting {
    /// The ten items of a proof.
    func proofItems() throws -> [CBORValue] {
        guard let welcome = try HandshakeVectors.operations["makeWelcome"]?(welcomeInput.over(helloInput)) else {
            throw VectorFault.missing.at("makeWelcome")
        }
        let ratchetKey = try welcomeInput.agreementPrivateKey("ratchetKey").publicKey.array
        let inviterInception = try VectorIdentity.identity(inviter).log.events[0].encoded()
        return [
            .bytes(bundle.bytes), .bytes(try pending.bytes("encapsulation")), .bytes(try pending.bytes("helloHash")),
            .bytes(try welcomeInput.bytes("ciphertext")), .bytes(ratchetKey), .bytes(try pending.bytes("inception")),
            .bytes(inviterInception), .bytes(try welcome.bytes("pairwiseSignature")),
            .bytes(try welcome.bytes("signerSignature")), .array([]),
        ]
    }
}
