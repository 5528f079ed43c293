import HandfastChannel
import HandfastCrypto
import HandfastTestSupport
import Testing

@testable import Handfast

/// `relationship/move`: what it changes, what is refused, and that an export leaves its body out.
@Suite struct MoveTests {
    private static func addresses(_ count: Int, seed: UInt64) throws -> [Address] {
        var random = SeededEntropy(seed: seed)
        return try (0..<count).map { number in
            let key = AgreementPrivateKey.generate(using: &random).publicKey
            return Address(
                relay: try RelayAddress(host: "relay\(number).example", port: 7447, key: key),
                queue: .random(using: &random), capability: .random(using: &random))
        }
    }

    @Test func thePeerSendsToTheNewAddresses() throws {
        for seed in UInt64(0)..<20 {
            let meeting = try Meeting.live()
            let before = meeting.inviter.relationship.peerAddresses
            let count = Int(seed % 4) + 1
            let addresses = try Self.addresses(count, seed: seed)
            let entry = try meeting.invitee.move(to: addresses)
            #expect(try meeting.inviter.receive(entry) == .accepted(.moved(addresses)))
            #expect(meeting.inviter.relationship.peerAddresses == addresses)
            #expect(before != addresses)
            let stored = try Relationship(decoding: meeting.inviter.relationship.encoded().bytes)
            #expect(stored.peerAddresses == addresses)
            #expect(try meeting.inviter.receive(entry) == .duplicate)
        }
    }

    @Test func noAddressTooManyAndOneQueueTwiceAreRefused() throws {
        let meeting = try Meeting.live()
        let five = try Self.addresses(5, seed: 1)
        for addresses in [[], five, [five[0], five[0]]] {
            #expect(throws: RelationshipError.self) { try meeting.invitee.move(to: addresses) }
        }
        #expect(throws: RelationshipError.self) { try meeting.invitee.append(.move, Move([five[0]])) }
    }

    @Test func onlyItsBodyCanBeErasedInItsFamily() throws {
        let meeting = try Meeting.live()
        let entry = try meeting.invitee.move(to: try Self.addresses(1, seed: 2))
        let erased = try entry.erased()
        #expect(erased.isErased && erased.hash == entry.hash)
        let end = try meeting.invitee.end()
        #expect(throws: RelationshipError.notErasable(.end)) { try end.erased() }
    }
}
