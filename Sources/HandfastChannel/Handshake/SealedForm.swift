internal import HandfastCrypto
internal import HandfastEncoding

/// A message that HPKE seals to an X-Wing key and that its sender signs within: hello and rejoin.
///
/// `version ‖ what it names ‖ encapsulation ‖ sealed`; what is sealed is a COSE_Sign1 behind its length, padded.
///
/// - Source: Spec/03 §3.3; Spec/04 §4.8
struct SealedForm: Sendable {
    /// What errors call it.
    let name: String
    let version: UInt8
    /// The version and what the message names openly; HPKE authenticates them.
    let prefixByteCount: Int
    let maximumByteCount: Int
    /// The largest COSE message that still fits when padded.
    let maximumContentByteCount: Int
    /// The type of the COSE message.
    let type: String

    static let hello = SealedForm(
        name: "hello", version: 1, prefixByteCount: 33, maximumByteCount: 32_768, maximumContentByteCount: 30_000,
        type: "handfast-hello+cose")
    static let rejoin = SealedForm(
        name: "rejoin", version: 2, prefixByteCount: 1, maximumByteCount: EnvelopeLayout.maximumByteCount,
        maximumContentByteCount: 63_486, type: "handfast-rejoin+cose")

    static let rootContext = Array("HF1.root".utf8)
    private static let lengthByteCount = 2
    private static let authenticationTagByteCount = 16

    var encapsulationRange: Range<Int> { prefixByteCount..<prefixByteCount + HPKESender.encapsulationCount }
    var minimumByteCount: Int {
        encapsulationRange.upperBound + Padding.minimumByteCount + Self.authenticationTagByteCount
    }

    /// What both ends of one message have in common.
    struct Sealed: ~Copyable {
        let bytes: [UInt8]
        /// 32 bytes that HPKE exports for the root.
        let exported: SecretBytes
    }

    /// What the receiver has before it has read the content.
    struct Opened: ~Copyable {
        let message: COSESign1
        let encapsulation: [UInt8]
        let exported: SecretBytes
    }

    /// Checks size and version, in this order.
    func check(_ bytes: RawSpan) throws(ChannelError) {
        guard bytes.byteCount <= maximumByteCount else { throw .tooLarge(of: name, maximum: maximumByteCount) }
        guard bytes.byteCount >= minimumByteCount else {
            throw .malformed("\(name): \(bytes.byteCount) bytes are too few")
        }
        let version = unsafe bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self)
        guard version == self.version else { throw .unsupportedVersion(UInt64(version), of: name) }
    }

    /// The context that seals to `key`, whose encapsulation the content's signature covers.
    func sender(
        to key: SealingPublicKey, info: [UInt8], using entropy: inout some Entropy
    ) throws(ChannelError) -> HPKESender {
        do {
            return try entropy.sender(to: key, info: info.bytes)
        } catch {
            throw .cryptography(error, of: name)
        }
    }

    /// Pads and seals a signed message.
    ///
    /// - Parameter named: What the message names openly, after its version.
    func seal(
        _ message: COSESign1, naming named: [UInt8] = [], with sender: consuming HPKESender
    ) throws(ChannelError) -> Sealed {
        let content = message.encoded()
        guard content.count <= maximumContentByteCount else {
            throw .tooLarge(of: "content of \(name)", maximum: maximumContentByteCount)
        }
        let prefix = [version] + named
        do {
            let sealed = try sender.seal(Self.padded(content).bytes, authenticating: prefix.bytes)
            let context = Self.rootContext
            return Sealed(
                bytes: prefix + sender.encapsulation + sealed,
                exported: try sender.export(context: context.bytes, count: 32))
        } catch {
            throw .cryptography(error, of: name)
        }
    }

    /// Opens what ``seal(_:naming:with:)`` gave, whose size and version are in order; the signature is not verified.
    func open(
        _ bytes: RawSpan, info: [UInt8], key: borrowing SealingPrivateKey
    ) throws(ChannelError) -> Opened {
        let encapsulation = [UInt8](bytes.extracting(encapsulationRange))
        let plaintext: [UInt8]
        let exported: SecretBytes
        do {
            var recipient = try key.recipient(encapsulation: encapsulation.bytes, info: info.bytes)
            plaintext = try recipient.open(
                bytes.extracting(encapsulationRange.upperBound..<bytes.byteCount),
                authenticating: bytes.extracting(0..<prefixByteCount))
            let context = Self.rootContext
            exported = try recipient.export(context: context.bytes, count: 32)
        } catch {
            throw .notAuthentic
        }
        let content = [UInt8](try content(of: plaintext))
        let message = try ChannelError.naming(name) {
            try COSESign1(decoding: content.bytes, maximumPayload: maximumByteCount)
        }
        return Opened(message: message, encapsulation: encapsulation, exported: exported)
    }

    /// Content behind its length, padded.
    static func padded(_ content: [UInt8]) -> [UInt8] {
        var plaintext = [UInt8](
            repeating: 0, count: Padding.paddedByteCount(of: lengthByteCount + content.count))
        plaintext[0] = UInt8(truncatingIfNeeded: content.count >> 8)
        plaintext[1] = UInt8(truncatingIfNeeded: content.count)
        plaintext.replaceSubrange(lengthByteCount..<lengthByteCount + content.count, with: content)
        return plaintext
    }

    /// The content of a padded plaintext.
    private func content(of plaintext: [UInt8]) throws(ChannelError) -> ArraySlice<UInt8> {
        guard plaintext.count >= Self.lengthByteCount else { throw .malformed("\(name): plaintext too short") }
        let end = Self.lengthByteCount + (Int(plaintext[0]) << 8 | Int(plaintext[1]))
        guard end <= plaintext.count, plaintext[end...].allSatisfy({ $0 == 0 }) else {
            throw .malformed("\(name): length or padding is wrong")
        }
        return plaintext[Self.lengthByteCount..<end]
    }
}
