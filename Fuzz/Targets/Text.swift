@testable import HandfastChannel
@testable import HandfastCrypto
@testable import HandfastEncoding

extension FuzzTarget {
    static let text = [
        FuzzTarget(name: "text", seeds: textSeeds, run: text),
        FuzzTarget(name: "invitation", seeds: invitationSeeds, run: invitation),
    ]

    /// A text that decodes is the one that encoding gives.
    @Sendable private static func text(_ input: [UInt8]) throws {
        let text = String(decoding: input, as: UTF8.self)
        if let bytes = accepted({ try Base32.decode(text) }) {
            try BrokenPromise.unlessSame(Array(Base32.encode(bytes).utf8), as: text.utf8, "base32")
        }
        if let bytes = accepted({ try Base64URL.decode(text) }) {
            try BrokenPromise.unlessSame(Array(Base64URL.encode(bytes).utf8), as: text.utf8, "base64url")
        }
        if let bytes = accepted({ try Hex.decode(text) }) {
            try BrokenPromise.unlessSame(Array(Hex.encode(bytes).utf8), as: text.utf8, "hexadecimal")
        }
        if let bytes = accepted({ try Proquint.decode(text) }) {
            try BrokenPromise.unlessSame(Array(Proquint.encode(bytes).utf8), as: text.utf8, "proquint")
        }
        try BrokenPromise.unless(try Base32.decode(Base32.encode(input)) == input, "base32 loses bytes")
        try BrokenPromise.unless(try Base64URL.decode(Base64URL.encode(input)) == input, "base64url loses bytes")
        if input.count.isMultiple(of: 2) {
            try BrokenPromise.unless(try Proquint.decode(Proquint.encode(input)) == input, "proquint loses bytes")
        }
    }

    @Sendable private static func textSeeds() throws -> [[UInt8]] {
        let bytes = Array("handfast".utf8)
        return [Base32.encode(bytes), Base64URL.encode(bytes), Hex.encode(bytes), try Proquint.encode(bytes)]
            .map { Array($0.utf8) }
    }

    /// URIs and addresses: what reads must come back from its written form, and the URI must be that form.
    @Sendable private static func invitation(_ input: [UInt8]) throws {
        let text = String(decoding: input, as: UTF8.self)
        if let invitation = accepted({ try Invitation(uri: text) }) {
            try BrokenPromise.unless(text.contains(invitation.uri), "an invitation has two written forms")
            try comesBack(invitation.relay)
        }
        // The URI without its armour: few changes to base64url leave CBOR.
        if let invitation = accepted({ try Invitation(uri: Invitation.scheme + Base64URL.encode(input)) }) {
            try BrokenPromise.unless(
                invitation.uri == Invitation.scheme + Base64URL.encode(input), "an invitation has two written forms")
            try comesBack(invitation.relay)
        }
        if let address = accepted({ try RelayAddress(text: text) }) { try comesBack(address) }
        if let identity = accepted({ try IdentityID(text: text) }) {
            try BrokenPromise.unlessSame(Array(identity.description.utf8), as: text.utf8, "identity's id")
        }
    }

    private static func comesBack(_ address: RelayAddress) throws {
        let again = accepted { try RelayAddress(text: address.description) }
        try BrokenPromise.unless(again == address, "the address \(address) reads as another")
    }

    @Sendable private static func invitationSeeds() throws -> [[UInt8]] {
        let fixture = try Fixture.shared.get()
        let invitation = fixture.invitation
        let key = invitation.relay.key
        let six = try RelayAddress(host: "2001:db8::1", port: 1, key: key)
        return [
            Array(invitation.uri.utf8), try Base64URL.decode(invitation.uri.dropFirst(Invitation.scheme.count)),
            Array(invitation.relay.description.utf8), Array(six.description.utf8),
            Array(invitation.signer.description.utf8), Array(" \(invitation.uri)\n".utf8),
        ]
    }
}
