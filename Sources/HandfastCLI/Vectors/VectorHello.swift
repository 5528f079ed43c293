internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// A hello taken apart or put together by hand.
///
/// - Source: Spec/03 §3.3
enum VectorHello {
    static let type = "handfast-hello+cose"
    static let rootContext = Array("HF1.root".utf8)

    static func info(_ bundleHash: [UInt8]) -> [UInt8] { Array("HF1.hello".utf8) + bundleHash }

    /// Behind the length of two bytes, padded.
    static func plaintext(_ message: [UInt8]) throws -> [UInt8] {
        guard let count = UInt16(exactly: message.count) else {
            throw ChannelError.tooLarge(of: "hello", maximum: Int(UInt16.max))
        }
        var plaintext = [UInt8(count >> 8), UInt8(count & 0xff)] + message
        plaintext += [UInt8](
            repeating: 0, count: VectorEnvelope.paddedByteCount(of: plaintext.count) - plaintext.count)
        return plaintext
    }

    /// What both sides derive.
    struct Derived {
        let helloHash: [UInt8]
        let relationship: [UInt8]
        let transcript: [UInt8]
        let root: [UInt8]

        init(hello: [UInt8], exported: [UInt8], ticket: [UInt8], invitee: [UInt8]) {
            let (bundleHash, encapsulation) = (Array(hello[1..<33]), Array(hello[33..<1_153]))
            helloHash = Digest.of(Label("hello"), hello).array
            relationship = Digest.of(Label("relationship"), bundleHash, encapsulation, invitee).array
            transcript = Digest.of(Label("transcript"), bundleHash, helloHash).array
            root = VectorDerivation.derive(exported, Label("root"), [ticket, transcript])
        }
    }

    /// What HPKE gives a holder of the bundle's key.
    static func open(
        _ hello: [UInt8], key: borrowing SealingPrivateKey
    ) throws -> (plaintext: [UInt8], exported: [UInt8]) {
        let (head, encapsulation) = (Array(hello[..<33]), Array(hello[33..<1_153]))
        let (info, sealed) = (info(Array(hello[1..<33])), Array(hello[1_153...]))
        var recipient = try key.recipient(encapsulation: encapsulation.bytes, info: info.bytes)
        let plaintext = try recipient.open(sealed.bytes, authenticating: head.bytes)
        let exported = try recipient.export(context: rootContext.bytes, count: 32)
        return (plaintext, [UInt8](exported.bytes))
    }

    /// Seals what `message` gives for an encapsulation.
    static func seal(
        to bundle: Bundle, info: [UInt8]? = nil, using entropy: inout SystemEntropy,
        _ plaintext: (_ encapsulation: [UInt8]) throws -> [UInt8]
    ) throws -> [UInt8] {
        let head = [1] + bundle.hash.array
        let info = info ?? Self.info(bundle.hash.array)
        var sender = try entropy.sender(to: bundle.sealingKey, info: info.bytes)
        let content = try plaintext(sender.encapsulation)
        return head + sender.encapsulation + (try sender.seal(content.bytes, authenticating: head.bytes))
    }
}
