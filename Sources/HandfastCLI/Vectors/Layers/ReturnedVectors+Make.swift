internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

extension ReturnedVectors {
    static func make(_ maker: inout VectorMaker) throws {
        try makeHeads(&maker)
        try makeReturns(&maker)
    }

    // MARK: - Heads

    private static func heads(_ own: [(UInt64, [UInt8])], _ peer: (UInt64, [UInt8])) throws -> [UInt8] {
        func reference(_ reference: (UInt64, [UInt8])) -> CBORValue {
            .array([.unsigned(reference.0), .bytes(reference.1)])
        }
        return try CBORValue.array([.array(own.map(reference)), reference(peer)]).encoded()
    }

    private static func makeHeads(_ maker: inout VectorMaker) throws {
        let relationship = maker.random(32)
        func input(_ heads: [UInt8]) -> VectorFields {
            ["relationship": .hex(relationship), "heads": .hex(heads)]
        }
        func hashes(_ numbers: [UInt64]) -> [(UInt64, [UInt8])] { numbers.map { ($0, maker.random(32)) } }
        let start = (0 as UInt64, relationship)
        try maker.accept("heads before any record", "heads", input(try heads([], start)))
        try maker.accept(
            "heads of twenty records", "heads", input(try heads(hashes([20, 19, 17, 13, 5]), (9, maker.random(32)))))
        for (name, numbers) in [("ascend", [1, 2]), ("repeat", [2, 2]), ("name record 0", [1, 0])] {
            try maker.refuse(
                "heads that \(name)", "heads", input(try heads(hashes(numbers.map(UInt64.init)), start)),
                "inconsistent")
        }
        try maker.refuse(
            "heads of another relationship's start", "heads", input(try heads([], (0, maker.random(32)))),
            "inconsistent")
        try maker.refuse(
            "65 heads", "heads", input(try heads(hashes((1...65).reversed()), start)), "malformed/sizeExceeded")
        let good = try heads(hashes([1]), start)
        try maker.refuse("heads cut short", "heads", input(Array(good.dropLast())), "malformed/truncated")
        try maker.refuse(
            "heads with a number that is not minimal", "heads",
            input(Array(good[..<3]) + [0x18, 0x01] + Array(good[4...])), "malformed/nonMinimal")
    }

    // MARK: - Records

    private static func makeReturns(_ maker: inout VectorMaker) throws {
        let meeting = try VectorMeeting(&maker)
        let relationship = meeting.relationship.digest.array
        let inviter = try VectorIdentity.identity(meeting.inviter)
        let invitee = try VectorIdentity.identity(meeting.invitee)
        func text(_ text: String, after writer: VectorLedgerWriter) throws -> VectorRecord {
            try writer.next("message/text", ["text": .text(text)], salt: maker.random(16))
        }
        var own = VectorLedgerWriter(relationship: relationship, direction: 1)
        _ = try own.add(text("One", after: own), with: inviter.signingKey)
        // A copy that had said one thing only.
        var copy = own
        var peer = VectorLedgerWriter(relationship: relationship, direction: 0)
        peer.seen = (1, own.head)
        _ = try peer.add(text("Heard", after: peer), with: invitee.signingKey)
        own.seen = (1, peer.head)
        _ = try own.add(text("Two", after: own), with: inviter.signingKey)
        _ = try own.add(text("Three", after: own), with: inviter.signingKey)
        copy.seen = (1, peer.head)
        _ = try copy.add(text("Two, said otherwise", after: copy), with: inviter.signingKey)
        var answered = peer
        answered.seen = (2, try own.head(of: 2))
        _ = try answered.add(text("Heard two", after: answered), with: invitee.signingKey)

        let base: VectorFields = meeting.helloInput.with("identity", .object(meeting.inviter))
        func input(_ held: [[UInt8]], entries: [[UInt8]] = []) -> VectorFields {
            base.with("held", .hexes(held)).with("entries", .hexes(entries))
        }
        let (said, heard) = (own.entries, peer.entries[0])
        let otherwise = copy.entries[1]
        try maker.accept(
            "records of both directions come back", "return",
            input([said[0]], entries: [heard, said[1], said[2], answered.entries[1]]))
        try maker.accept(
            "what is there is known", "return",
            input([said[0], heard, said[1], said[2]], entries: [said[0], heard, said[2]]))
        try maker.accept(
            "what a copy said is void", "return", input([said[0], heard, otherwise], entries: [said[1], said[2]]))
        let theirs = try heads([(1, peer.head)], (3, own.head))
        try maker.accept(
            "more is held than is known here", "return",
            input([said[0], heard], entries: [said[1], said[2]]).with("theirs", .hex(theirs)))
        try maker.accept(
            "less is held than was said", "return",
            input([said[0], heard, said[1]]).with("theirs", .hex(try heads([], (0, relationship)))),
            comment: "both sides' records are sent, each after those that it has seen")
        try maker.refuse(
            "signing before own records are back", "return",
            input([said[0], heard]).with("theirs", .hex(theirs)).with("signing", .text("Too soon"))
                .with("salt", .hex(maker.random(16))).with("now", .number(VectorMeeting.time + 900)),
            "awaitingOwnRecords")

        func refuse(_ name: String, _ held: [[UInt8]], _ entry: [UInt8], _ error: String) throws {
            try maker.refuse("returned: " + name, "return", input(held, entries: [entry]), error)
        }
        var seen = peer
        seen.seen = (2, copy.head)
        let confirmed = try seen.add(text("Heard the other", after: seen), with: invitee.signingKey)
        try maker.accept(
            "two copies were at work", "return",
            input([said[0], heard, otherwise, confirmed], entries: [said[1]]),
            comment: "the peer has seen the one and returns the other")
        try refuse("one is missing before it", [said[0], heard], said[2], "missingRecord")
        let stranger = SigningKey.generate(using: &maker.entropy)
        var forger = VectorLedgerWriter(relationship: relationship, direction: 1)
        let forged = try forger.add(text("One", after: forger), with: stranger)
        try refuse("signed by a stranger", [], forged, "invalidSignature")
        try refuse("contradicts and is signed by a stranger", [said[0]], forged, "invalidSignature")
        var foreign = VectorLedgerWriter(relationship: maker.random(32), direction: 1)
        let elsewhere = try foreign.add(text("One", after: foreign), with: inviter.signingKey)
        try refuse("of another relationship", [], elsewhere, "wrongRelationship")
    }
}

extension VectorLedgerWriter {
    /// The hash of the record of a number.
    fileprivate func head(of sequence: Int) throws -> [UInt8] {
        guard case .array(let parts) = try CBORValue(decoding: entries[sequence - 1]),
            case .bytes(let record)? = parts.first
        else { throw VectorFault.missing.at("record") }
        let signed = try COSESign1(decoding: record.bytes, maximumPayload: record.count)
        return Digest.of(Label("record"), signed.protected, signed.payload).array
    }
}
