import HandfastCrypto
import HandfastEncoding
import Testing

@testable import Handfast

/// Every way in which one record can be wrong, each refused under its own name and without a change of state.
struct RefusalTests {
    let meeting: Meeting
    var ada: Party { meeting.invitee }
    var shop: Party { meeting.inviter }

    init() throws {
        meeting = try Meeting.live()
    }

    private func expectRefusal(
        _ expected: RelationshipError, of entry: Entry, _ location: SourceLocation = #_sourceLocation
    ) {
        let before = shop.relationship
        #expect(throws: expected, sourceLocation: location) { try shop.receive(entry) }
        #expect(shop.relationship == before, sourceLocation: location)
    }

    @Test func refusesRecordOfAnotherRelationship() throws {
        let other = try Meeting.live(seed: 2)
        let entry = try other.invitee.say("not for you")
        expectRefusal(.wrongRelationship(other.invitee.relationship.id), of: entry)
    }

    @Test func refusesRecordOfTheReceiversOwnDirection() throws {
        expectRefusal(.wrongDirection(.inviter), of: try shop.say("an echo"))
        let forged = try ada.forge(direction: .inviter, signer: ada.identity.signingKey)
        expectRefusal(.wrongDirection(.inviter), of: forged)
    }

    @Test func refusesRecordAfterAMissingOne() throws {
        try ada.say("lost")
        expectRefusal(.missingRecord(expected: 2, received: 3), of: try ada.say("arrives"))
    }

    @Test func refusesNumberZero() throws {
        let forged = try ada.forge(sequence: 0, signer: ada.identity.signingKey)
        expectRefusal(.missingRecord(expected: 2, received: 0), of: forged)
    }

    @Test func refusesRecordThatDoesNotFollowTheOneBefore() throws {
        let forged = try ada.forge(previous: ada.relationship.id.digest, signer: ada.identity.signingKey)
        expectRefusal(.previousMismatch(sequence: 2), of: forged)
    }

    @Test func refusesLastSeenThatWasNeverSent() throws {
        let ahead = RecordReference(sequence: 9, hash: ada.relationship.peerHead.hash)
        expectRefusal(
            .lastSeenAhead(sequence: 2), of: try ada.forge(lastSeen: ahead, signer: ada.identity.signingKey))
    }

    @Test func refusesLastSeenThatGoesBack() throws {
        try shop.receive(try ada.say("I have seen your introduction"))
        let start = RecordReference.start(of: ada.relationship.id)
        expectRefusal(
            .lastSeenWentBack(sequence: 3), of: try ada.forge(lastSeen: start, signer: ada.identity.signingKey))
    }

    @Test func refusesLastSeenWithTheHashOfAnotherRecord() throws {
        for text in ["one", "two", "three"] { try shop.say(text) }
        try ada.catchUp(with: shop)
        // The start, one in the middle, which the ledger must be asked for, and the latest.
        for sequence in [UInt64(0), 2, 4] {
            let wrong = RecordReference(sequence: sequence, hash: ada.relationship.ownHead.hash)
            let forged = try ada.forge(lastSeen: wrong, signer: ada.identity.signingKey)
            expectRefusal(.lastSeenMismatch(sequence: 2), of: forged)
        }
        let middle = shop.ownEntries[1].reference
        let honest = try ada.forge(lastSeen: middle, signer: ada.identity.signingKey)
        #expect(shop.relationship.lookup(for: honest) == .ownHash(2))
        #expect(try shop.receive(honest) == .accepted(.message(TextMessage(text: "forged"))))
    }

    @Test func refusesSignatureOfAnotherKey() throws {
        let stranger = SigningKey.generate(using: &ada.random)
        expectRefusal(.invalidSignature(sequence: 2, .invalidSignature), of: try ada.forge(signer: stranger))
    }

    @Test func refusesSignatureOfAnotherKind() throws {
        let forged = try ada.forge(coseType: KeyEvent.type, signer: ada.identity.signingKey)
        expectRefusal(
            .invalidSignature(sequence: 2, .wrongType(expected: Record.mediaType, actual: KeyEvent.type)), of: forged)
    }

    @Test func refusesBodyThatWasNotSigned() throws {
        let forged = try ada.forge(digestOf: [0xA0], signer: ada.identity.signingKey)
        expectRefusal(.bodyDigestMismatch(sequence: 2), of: forged)
    }

    @Test func refusesRecordWithoutItsBody() throws {
        expectRefusal(.bodyMissing(sequence: 2), of: try ada.say("hidden").erased())
    }

    @Test func refusesBodyThatDoesNotFitItsType() throws {
        let key = try CBOREncoder().encode(["text": 7])
        let wrongValue = try ada.forge(body: key, signer: ada.identity.signingKey)
        #expect(throws: RelationshipError.self) { try shop.receive(wrongValue) }
        let missing = try ada.forge(body: [0xA0], signer: ada.identity.signingKey)
        expectRefusal(.malformedBody(.textMessage, reason: "\"text\" is missing"), of: missing)
        let array = try ada.forge(body: [0x80], signer: ada.identity.signingKey)
        expectRefusal(.malformedBody(.textMessage, reason: "it is not a map with text keys"), of: array)
        let integerKey = try ada.forge(
            type: try RecordType("thing/scan"), body: [0xA1, 0x01, 0x02], signer: ada.identity.signingKey)
        expectRefusal(
            .malformedBody(integerKey.record.type, reason: "it is not a map with text keys"), of: integerKey)
    }

    @Test func refusesNameWithControlCharacters() throws {
        let body = try CBOREncoder().encode(Introduction(name: "Ada\u{1B}[2J"))
        let forged = try ada.forge(type: .introduce, body: body, signer: ada.identity.signingKey)
        expectRefusal(.malformedBody(.introduce, reason: "name holds control characters"), of: forged)
        #expect(throws: RelationshipError.malformedBody(.introduce, reason: "name holds control characters")) {
            try ada.append(.introduce, Introduction(name: "Ada\u{1B}[2J"))
        }
    }

    @Test(arguments: ["Ada\u{2028}verified", "Ada\u{2029}", "\u{202E}adA", "Ada\u{2066}", "Ada\u{85}"])
    func refusesNameThatBreaksTheLineOrTurnsTheText(name: String) {
        #expect(throws: RelationshipError.malformedBody(.introduce, reason: "name holds control characters")) {
            try ada.append(.introduce, Introduction(name: name))
        }
    }

    @Test(arguments: ["عائشة", "می\u{200C}خواهم", "👩\u{200D}🚀", "Ada\u{AD}Lovelace"])
    func acceptsNamesOfEveryScript(name: String) throws {
        try ada.append(.introduce, Introduction(name: name))
        try shop.catchUp(with: ada)
        #expect(shop.relationship.peerName == name)
    }

    @Test func refusesEveryMutatedByteOfAnEntryAndEveryTruncation() throws {
        let bytes = try ada.say("as it was signed").encoded()
        let before = shop.relationship
        for position in bytes.indices {
            for bit in 0..<8 {
                var mutated = bytes
                mutated[position] ^= 1 << bit
                #expect(throws: RelationshipError.self, "bit \(bit) of byte \(position)") {
                    try shop.receive(try Entry(decoding: mutated.bytes))
                }
            }
            #expect(throws: RelationshipError.self) { try Entry(decoding: bytes.bytes.extracting(0..<position)) }
        }
        #expect(shop.relationship == before)
        try shop.receive(try Entry(decoding: bytes.bytes))
    }

    @Test func refusesRecordAfterItsSendersEnd() throws {
        try shop.end()
        try shop.receive(try ada.end("moving away"))
        #expect(shop.relationship.state == .ended)
        expectRefusal(.notAllowed(.receive, in: .ended), of: try ada.forge(signer: ada.identity.signingKey))
    }

    @Test(arguments: [
        "", "message", "message/", "/text", "a/b/c", "Message/text", "mess age/text", "1a/b", "m/t\u{E9}",
    ])
    func refusesMalformedType(_ text: String) {
        #expect(throws: RelationshipError.malformedType(text)) { try RecordType(text) }
    }

    @Test func refusesTypeOfMoreThan64Characters() throws {
        let longest = "a/" + String(repeating: "b", count: 62)
        #expect(try RecordType(longest).text == longest)
        #expect(throws: RelationshipError.self) { try RecordType(longest + "b") }
    }

    @Test func refusesSignedTypeThatIsMalformed() throws {
        let entry = try ada.say("x")
        let text = Array("message/text".utf8)
        var bytes = entry.encoded()
        let position = try #require(bytes.indices.first { bytes[$0...].starts(with: text) })
        bytes[position] = UInt8(ascii: "M")
        #expect(throws: RelationshipError.malformedType("Message/text")) { try Entry(decoding: bytes.bytes) }
    }

    @Test func refusesToSignWhatThePeerMustRefuse() throws {
        let before = ada.relationship
        #expect(throws: RelationshipError.bodyTooLarge(bytes: 61_453)) {
            try ada.say(String(repeating: "x", count: 61_444))
        }
        #expect(throws: RelationshipError.malformedBody(.textMessage, reason: "\"text\" is missing")) {
            try ada.append(.textMessage, ["words": "x"])
        }
        #expect(throws: RelationshipError.malformedBody(.textMessage, reason: "it is not a map with text keys")) {
            try ada.append(.textMessage, [1, 2])
        }
        for type in [RecordType.end, .rotate, .revoke, .move, try RecordType("relationship/later")] {
            #expect(throws: RelationshipError.reservedType(type)) { try ada.append(type, Ending()) }
        }
        #expect(ada.relationship == before)
    }

    @Test func refusesToSignWithAnotherIdentity() throws {
        var random = ada.random
        let stranger = try Identity.create(at: Meeting.start, using: &random)
        let before = ada.relationship
        #expect(throws: RelationshipError.wrongIdentity(stranger.id)) {
            try ada.relationship.append(TextMessage(text: "x"), at: Meeting.start, with: stranger, using: &random)
        }
        #expect(ada.relationship == before)
    }

    @Test func largestBodyFitsOneEnvelope() throws {
        let entry = try ada.say(String(repeating: "x", count: 61_440 - 9))
        #expect(entry.body?.count == LedgerLimits.body)
        let content = try RecordContent.encode([entry])
        #expect(content.count <= LedgerLimits.content)
        #expect(try shop.receive(try RecordContent.decode(content.bytes)[0]) != .duplicate)
    }
}
