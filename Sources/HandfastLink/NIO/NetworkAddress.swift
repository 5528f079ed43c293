internal import NIOCore

/// The address of one interface, whatever name led to it.
///
/// An IPv4 address in IPv6 clothes (`::ffff:…`) is the IPv4 address.
public struct NetworkAddress: Hashable, Sendable {
    /// The 4 or 16 bytes in network order.
    private let bytes: [UInt8]

    /// Reads a literal such as `192.0.2.1` or `2001:db8::1` in its full form; `nil` for anything else.
    public init?(_ literal: String) {
        guard let address = try? SocketAddress(ipAddress: literal, port: 0) else { return nil }
        self.init(address)
    }

    /// The address of a socket; `nil` for local sockets.
    init?(_ address: SocketAddress?) {
        guard let address else { return nil }
        let (start, count): (Int, Int)
        switch address {
        // Where the address stands in a sockaddr_in and a sockaddr_in6.
        case .v4: (start, count) = (4, 4)
        case .v6: (start, count) = (8, 16)
        case .unixDomainSocket: return nil
        }
        let bytes = unsafe address.withSockAddr { base, size in
            unsafe UnsafeRawBufferPointer(start: base, count: size).dropFirst(start).prefix(count).map { $0 }
        }
        let isMapped = bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff])
        self.bytes = isMapped ? Array(bytes.suffix(4)) : bytes
    }

    /// Whether it names this machine and no other.
    public var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.last == 1 && bytes.dropLast().allSatisfy { $0 == 0 }
    }

    /// Whether it is an address of one host in the public Internet: not private, loopback, link-local, unique-local,
    /// multicast, unspecified or reserved.
    /// - Source: RFC 6890, RFC 4291 §2.4
    public var isPublic: Bool {
        guard bytes.count == 16 else { return Self.isPublic(bytes) }
        // Addresses that a translator or tunnel turns into IPv4 are as public as that.
        if bytes.starts(with: [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]) {
            return Self.isPublic(Array(bytes.suffix(4)))
        }
        if bytes.starts(with: [0x20, 0x02]) { return Self.isPublic(Array(bytes[2..<6])) }
        return bytes[0] & 0xe0 == 0x20
    }

    private static func isPublic(_ octets: [UInt8]) -> Bool {
        switch (octets[0], octets[1]) {
        case (0, _), (10, _), (127, _): false
        case (100, 64...127), (169, 254), (172, 16...31), (192, 168), (198, 18...19): false
        case (192, 0): octets[2] != 0
        default: octets[0] < 224
        }
    }

    /// Whom a limit per address counts as one: an IPv4 address or an IPv6 /64.
    var origin: String {
        guard bytes.count == 16 else { return description }
        return bytes.prefix(8).map { String($0, radix: 16) }.joined(separator: ":")
    }
}

extension NetworkAddress: CustomStringConvertible {
    /// `192.0.2.1`, or eight groups of hexadecimal digits.
    public var description: String {
        guard bytes.count == 16 else { return bytes.map { "\($0)" }.joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2).map { index in
            String(UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1]), radix: 16)
        }.joined(separator: ":")
    }
}
