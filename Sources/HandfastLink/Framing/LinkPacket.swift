/// The header of a packet: `type (1) ‖ length (2, big endian)`, before the Noise message.
/// - Source: Spec/06
struct LinkPacket {
    enum Kind: UInt8 {
        case first = 1
        case second = 2
        case transport = 3
        case cookie = 4
    }

    static let headerCount = 3
    static let tagCount = 16

    /// The largest plaintext of a transport packet, in bytes.
    static let maximumPlaintextCount = NoiseProtocol.maximumMessageCount - tagCount

    let kind: Kind
    let count: Int

    /// Reads a header of three bytes.
    init(type: UInt8, high: UInt8, low: UInt8) throws(LinkError) {
        guard let kind = Kind(rawValue: type) else { throw .unexpectedPacket(type: type) }
        let count = Int(high) << 8 | Int(low)
        let isPossible =
            switch kind {
            case .first, .second: count == NoiseProtocol.handshakeMessageCount
            case .transport: count > Self.tagCount
            case .cookie: count == HandshakeDoor.cookieCount
            }
        guard isPossible else { throw .packetLength(type: type, length: count) }
        self.kind = kind
        self.count = count
    }

    /// A whole packet around a handshake message or a cookie.
    static func encode(_ kind: Kind, _ message: [UInt8]) -> [UInt8] {
        [kind.rawValue, UInt8(message.count >> 8), UInt8(message.count & 0xff)] + message
    }
}
