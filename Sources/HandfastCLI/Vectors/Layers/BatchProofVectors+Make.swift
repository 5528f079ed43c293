internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

extension BatchProofVectors {
    static func make(_ maker: inout VectorMaker) throws {
        for count in [1, 2, 3, 5, 8] {
            let leaves = (0..<count).map { _ in maker.random(32) }
            try maker.accept("tree of \(count)", "tree", ["leaves": .hexes(leaves)])
        }
        try makeBatches(&maker)
        try makeLedgers(&maker)
    }

    /// Payloads of records that follow each other.
    private static func payloads(_ count: Int, _ maker: inout VectorMaker) throws -> [[UInt8]] {
        let key = SigningKey.generate(using: &maker.entropy)
        var writer = VectorLedgerWriter(relationship: maker.random(32), direction: 1)
        return try (0..<count).map { number in
            let record = try writer.next(
                "message/text", ["text": .text("Number \(number)")], salt: maker.random(16))
            _ = try writer.add(record, with: key)
            return try record.signed(with: key).payload
        }
    }

    // MARK: Batches

    private static func makeBatches(_ maker: inout VectorMaker) throws {
        let seed = maker.random(32)
        let key = try SigningKey(seed: SecretBytes(copying: seed.bytes)).publicKey.array
        func input(_ count: Int) throws -> VectorFields {
            let salts = (0..<count).map { _ in maker.random(32) }
            return ["seed": .hex(seed), "payloads": .hexes(try payloads(count, &maker)), "salts": .hexes(salts)]
        }
        for count in [1, 2, 7] {
            try maker.accept("batch of \(count)", "sign", try input(count))
        }
        let batch = try input(3)
        let signed = try maker.accept("batch of 3", "sign", batch)
        let records = try signed.byteList("records")
        for (index, record) in records.enumerated() {
            try maker.accept("record \(index) of 3", "verify", ["record": .hex(record), "key": .hex(key)])
        }
        let stranger = SigningKey.generate(using: &maker.entropy).publicKey.array
        try maker.accept(
            "under the endorsing key", "verify",
            ["record": .hex(records[0]), "key": .hex(stranger), "endorsingKey": .hex(key)])
        let alone = try COSESign1.sign(
            batch.byteList("payloads")[0], type: VectorRecord.type, with: batch.signingKey("seed"))
        try maker.accept(
            "the same record signed alone", "verify", ["record": .hex(alone.encoded()), "key": .hex(key)],
            comment: "its hash is that of record 0 of 3")
        func refuse(_ name: String, _ record: [UInt8], _ error: String, key other: [UInt8]? = nil) throws {
            try maker.refuse(name, "verify", ["record": .hex(record), "key": .hex(other ?? key)], error)
        }
        try refuse("signed by another", records[0], "invalidSignature", key: stranger)
        try maker.refuse(
            "alone under the endorsing key", "verify",
            ["record": .hex(alone.encoded()), "key": .hex(stranger), "endorsingKey": .hex(key)], "invalidSignature")
        try refuse(
            "changed signature", VectorCBOR.changingSignature(of: records[0]) { $0.flipping(8) }, "invalidSignature")

        let form = try Form(record: records[1])
        func changed(_ name: String, _ error: String, _ change: (inout Form) throws -> Void) throws {
            var form = form
            try change(&form)
            try refuse(name, form.encoded(), error)
        }
        let other = try Form(record: records[0])
        try changed("proof of another record", "invalidSignature") { ($0.index, $0.path) = (other.index, other.path) }
        try changed("payload of another record", "invalidSignature") {
            $0.payload = try batch.byteList("payloads")[2]
        }
        try changed("another salt", "invalidSignature") { $0.path[0][0] ^= 1 }
        try changed("another hash in the path", "invalidSignature") { $0.path[1][31] ^= 1 }
        try changed("two hashes exchanged", "invalidSignature") { $0.path.swapAt(0, 1) }
        try changed("another index", "invalidSignature") { $0.index = 0 }
        try changed("an odd index", "malformedRecord/invalidProof") { $0.index = 3 }
        try changed("index is the size", "malformedRecord/invalidProof") { $0.index = 6 }
        try changed("odd size", "malformedRecord/invalidProof") { $0.size = 5 }
        try changed("size 0", "malformedRecord/invalidProof") { ($0.size, $0.index, $0.path) = (0, 0, []) }
        try changed("size 65,538", "malformedRecord/invalidProof") {
            ($0.size, $0.path) = (65_538, [[UInt8]](repeating: $0.path[0], count: 16))
        }
        try changed("path too short", "malformedRecord/invalidProof") { $0.path.removeLast() }
        try changed("path too long", "malformedRecord/invalidProof") { $0.path.append($0.path[0]) }
        try changed("path of 17 hashes", "malformedRecord/sizeExceeded") {
            $0.path = [[UInt8]](repeating: $0.path[0], count: 17)
        }
        try changed("hash of 31 bytes", "malformedRecord/wrongLength") { $0.path[0].removeLast() }
        try changed("two proofs", "malformedRecord/wrongLength") { $0.proofs = [try $0.proof, try $0.proof] }
        try changed("no proof", "malformedRecord/wrongLength") { $0.proofs = [] }
        try changed("consistency proof", "malformedRecord/missingKey") { $0.kind = -2 }
        try changed("proof and another header", "malformedRecord/unprotectedHeader") { $0.others = [4: .bytes([1])] }
        try changed("structure in the unprotected header", "malformedRecord/unprotectedHeader") {
            $0.label = 395
        }
        try changed("bytes behind the proof", "malformedRecord/trailingBytes") { $0.tail = [0] }
        // The size 6 in two bytes.
        try changed("size not in shortest form", "malformedRecord/nonMinimal") {
            $0.raw = [0x83, 0x18, 0x06] + (try $0.proof.dropFirst(2))
        }
        try changed("proof cut short", "malformedRecord/truncated") { $0.raw = Array(try $0.proof.dropLast()) }
    }

    /// A record of a batch taken apart, to be put together with something wrong.
    private struct Form {
        var protected: CBORValue
        var payload: [UInt8]
        var signature: CBORValue
        var size: UInt64 = 0
        var index: UInt64 = 0
        var path: [[UInt8]] = []
        var label = 396
        var kind = -1
        var others: [Int: CBORValue?] = [:]
        var tail: [UInt8] = []
        /// In the place of the proof that size, index and path make.
        var raw: [UInt8]?
        /// In the place of the one proof.
        var proofs: [[UInt8]]?

        init(record: [UInt8]) throws {
            let signed = try COSESign1(decoding: record.bytes, maximumPayload: 512, allowsBatch: true)
            protected = .bytes(signed.protected)
            payload = signed.payload
            signature = .bytes(signed.signature.array)
            guard let proof = signed.proof else { throw VectorFault.missing.at("proof") }
            size = UInt64(proof.treeSize)
            index = UInt64(proof.leafIndex)
            path = proof.path.map(\.array)
        }

        var proof: [UInt8] {
            get throws {
                if let raw { return raw }
                return try CBORValue.array([
                    .unsigned(size), .unsigned(index), .array(path.map { .bytes($0) }),
                ]).encoded() + tail
            }
        }

        func encoded() throws -> [UInt8] {
            let list = try proofs ?? [proof]
            let value = try VectorCBOR.map([kind: .array(list.map { .bytes($0) })])
            let header = try VectorCBOR.map(others.merging([label: value]) { $1 })
            return try CBORValue.tag(18, .array([protected, header, .bytes(payload), signature])).encoded()
        }
    }
}

// MARK: - Ledgers

extension BatchProofVectors {
    /// An inviter that a public identity endorses, and its records.
    private struct Scene {
        let meeting: VectorMeeting
        let own: VectorFields
        var writer: VectorLedgerWriter

        init(_ meeting: VectorMeeting) {
            self.meeting = meeting
            own = meeting.inviter
            writer = VectorLedgerWriter(relationship: meeting.relationship.digest.array, direction: 1)
        }

        func next(
            _ type: String, _ body: [String: CBORValue], _ maker: inout VectorMaker
        ) throws -> VectorRecord {
            try writer.next(type, body, salt: maker.random(16))
        }

        /// Signs the record in a batch in which nobody else's is.
        mutating func add(
            _ record: VectorRecord, inBatchOf key: borrowing SigningKey, _ maker: inout VectorMaker
        ) throws -> [UInt8] {
            let alone = try record.signed(with: key)
            let signed = COSESign1.sign(
                batch: [(alone.payload, Digest(try FixedBytes(copying: alone.hash)))], type: VectorRecord.type,
                with: key, using: &maker.entropy)
            _ = try writer.add(record, with: key)
            return try VectorRecord.entry(signed[0].encoded(), salt: record.salt, body: record.body)
        }

        mutating func endorse(_ event: KeyEvent, _ maker: inout VectorMaker) throws -> [UInt8] {
            let record = try next("relationship/endorse", ["event": .bytes(event.encoded())], &maker)
            let identity = try VectorIdentity.identity(own)
            return try writer.add(record, with: identity.signingKey)
        }

        mutating func text(
            _ text: String, inBatchOf signer: VectorFields, _ maker: inout VectorMaker
        ) throws -> [UInt8] {
            let identity = try VectorIdentity.identity(signer)
            return try add(next("message/text", ["text": .text(text)], &maker), inBatchOf: identity.signingKey, &maker)
        }
    }

    private static func makeLedgers(_ maker: inout VectorMaker) throws {
        let meeting = try VectorMeeting(&maker, signerDomain: "shop.example")
        maker.share("relationship", .hex(meeting.relationship.digest.array))
        maker.share("role", .number(1))
        maker.share("proof", .hex(try CBORValue.array(meeting.proofItems()).encoded()))
        let rotation = VectorIdentity.rotation(&maker, created: VectorMeeting.time + 20)
        let rotated = meeting.signer.with("events", .list([.object(rotation)]))
        let revocation: VectorFields = ["kind": .text("revocation"), "created": .number(VectorMeeting.time + 30)]
        let revoked = meeting.signer.with("events", .list([.object(rotation), .object(revocation)]))
        let events = try VectorIdentity.identity(revoked).log.events
        func accept(_ name: String, _ inviter: [[UInt8]], comment: String? = nil) throws {
            try maker.accept(
                name, "ledger", ["invitee": .list([]), "inviter": .hexes(inviter)], comment: comment)
        }
        func refuse(
            _ name: String, _ inviter: [[UInt8]], _ error: String, _ invitee: [[UInt8]] = [], _ comment: String? = nil
        ) throws {
            try maker.refuse(
                name, "ledger", ["invitee": .hexes(invitee), "inviter": .hexes(inviter)], "refusedEntry/" + error,
                comment: comment)
        }

        var scene = Scene(meeting)
        let mine = try scene.text("By the pairwise identity", inBatchOf: meeting.inviter, &maker)
        let shops = try scene.text("By the public identity", inBatchOf: meeting.signer, &maker)
        try accept("a batch of each", [mine, shops])
        let before = scene
        let told = try scene.endorse(events[1], &maker)
        let after = try scene.text("By its next key", inBatchOf: rotated, &maker)
        try accept("an endorsement and a batch under the new key", [mine, shops, told, after])
        try refuse(
            "a batch under the new key without the endorsement",
            [mine, shops, try Self.text(before, "Too early", rotated, &maker)], "inviter/3/invalidSignature")
        var old = scene
        try refuse(
            "a batch under the old key",
            [mine, shops, told, after, try old.text("Old", inBatchOf: meeting.signer, &maker)],
            "inviter/5/invalidSignature")
        var ended = scene
        let end = try ended.endorse(events[2], &maker)
        try refuse(
            "a batch of a revoked identity",
            [mine, shops, told, after, end, try ended.text("Revoked", inBatchOf: revoked, &maker)],
            "inviter/6/invalidSignature")
        var again = scene
        try refuse(
            "an event again", [mine, shops, told, after, try again.endorse(events[1], &maker)],
            "inviter/5/keyEventRefused/keyLog/wrongSequence")
        var early = before
        try refuse(
            "an event left out", [mine, shops, try early.endorse(events[2], &maker)],
            "inviter/3/keyEventRefused/keyLog/wrongSequence")
        let other = VectorIdentity.rotation(&maker, created: VectorMeeting.time + 25)
        let contradicting = try VectorIdentity.identity(meeting.signer.with("events", .list([.object(other)])))
        var forked = scene
        try refuse(
            "an event that contradicts",
            [mine, shops, told, after, try forked.endorse(contradicting.log.events[1], &maker)],
            "inviter/5/keyEventRefused/keyLog/wrongSequence", [], "a receiver of it freezes the relationship")
        for (name, entry) in try Self.forbidden(Scene(meeting), &maker) {
            try refuse(name, [entry], "inviter/1/invalidSignature")
        }

        let body: [String: CBORValue] = ["event": .bytes(events[1].encoded())]
        let customer = try VectorIdentity.identity(meeting.invitee)
        var invitee = VectorLedgerWriter(relationship: meeting.relationship.digest.array, direction: 0)
        let forbidden = try invitee.add(
            invitee.next("relationship/endorse", body, salt: maker.random(16)), with: customer.signingKey)
        try refuse("an endorsement by the invitee", [], "invitee/1/notEndorsed", [forbidden])
    }

    private static func text(
        _ scene: Scene, _ text: String, _ signer: VectorFields, _ maker: inout VectorMaker
    ) throws -> [UInt8] {
        var scene = scene
        return try scene.text(text, inBatchOf: signer, &maker)
    }

    /// What an endorsing key signs in vain.
    private static func forbidden(
        _ scene: Scene, _ maker: inout VectorMaker
    ) throws -> [(name: String, entry: [UInt8])] {
        let signer = try VectorIdentity.identity(scene.meeting.signer)
        var copy = scene
        let end = try copy.next("relationship/end", [:], &maker)
        let text = try scene.next("message/text", ["text": .text("alone")], &maker)
        return [
            ("an end in the endorsing identity's batch", try copy.add(end, inBatchOf: signer.signingKey, &maker)),
            ("signed alone by the endorsing key", try text.signed(with: signer.signingKey).entry),
        ]
    }
}
