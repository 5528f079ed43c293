public import HandfastCrypto
internal import HandfastEncoding

/// Where a relay listens and which key it must prove to hold.
///
/// Written `host:port/key`, the key in base64url; an IPv6 host in brackets.
/// - Source: Spec/03 §3.3, Spec/06
public struct RelayAddress: Hashable, Sendable, CustomStringConvertible {
    /// The port of a relay whose configuration names none.
    public static let defaultPort: UInt16 = 7447
    /// The longest host, in bytes of UTF-8.
    public static let maximumHostByteCount = 253

    /// What no host holds, because the written form puts it around one.
    private static let delimiters = Array("/[]".utf8)

    /// A host name or IP address without brackets, 1–253 bytes.
    public let host: String
    /// A TCP port, 1–65535.
    public let port: UInt16
    /// The relay's static link key.
    public let key: AgreementPublicKey

    /// Checks host and port.
    ///
    /// - Throws: ``ChannelError/malformed(_:)``
    public init(host: String, port: UInt16, key: AgreementPublicKey) throws(ChannelError) {
        guard !host.isEmpty, host.utf8.count <= Self.maximumHostByteCount,
            host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !Self.delimiters.contains($0) })
        else {
            throw .malformed(
                "relay address: the host is 1 to 253 printable ASCII characters without \"/\", \"[\" and \"]\"")
        }
        guard port > 0 else { throw .malformed("relay address: the port is 1 to 65535") }
        self.host = host
        self.port = port
        self.key = key
    }

    /// Reads the written form.
    ///
    /// - Throws: ``ChannelError/malformed(_:)``
    public init(text: String) throws(ChannelError) {
        guard let slash = text.lastIndex(of: "/") else {
            throw .malformed("relay address: expected host:port/key, found no \"/\"")
        }
        let place = text[..<slash]
        guard let colon = place.lastIndex(of: ":"), let port = UInt16(place[place.index(after: colon)...]) else {
            throw .malformed("relay address: expected host:port/key with a port from 1 to 65535")
        }
        var host = place[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        let key: AgreementPublicKey
        do {
            key = AgreementPublicKey(try FixedBytes(copying: Base64URL.decode(text[text.index(after: slash)...])))
        } catch {
            throw .malformed("relay address: the key is 43 characters of base64url")
        }
        try self.init(host: String(host), port: port, key: key)
    }

    /// The written form.
    public var description: String {
        let place = host.contains(":") ? "[\(host)]" : host
        return "\(place):\(port)/\(Base64URL.encode(key.array))"
    }

    /// Writes host, port and key as three CBOR items.
    func write(to writer: inout CBORWriter) {
        writer.writeText(host)
        writer.writeUnsigned(UInt64(port))
        writer.writeBytes(key.array)
    }

    /// Reads host, port and key.
    init(reading reader: inout CBORReader) throws {
        let host = try reader.readText(maximum: Self.maximumHostByteCount)
        let port = UInt16(try reader.readUnsigned(maximum: UInt64(UInt16.max)))
        try self.init(host: host, port: port, key: AgreementPublicKey(reader.readBytes(count: 32)))
    }
}
