internal import HandfastCrypto
public import HandfastEncoding

/// Where a party receives: a queue at a relay and the capability to send to it.
///
/// - Source: Spec/03 §3.3
public struct Address: Hashable, Sendable {
    /// The most addresses one party names at a time.
    public static let maximumCount = 4

    /// The relay that keeps the queue.
    public let relay: RelayAddress
    /// The queue.
    public let queue: QueueID
    /// Leave to put envelopes there.
    public let capability: SendCapability

    /// Joins the parts.
    public init(relay: RelayAddress, queue: QueueID, capability: SendCapability) {
        self.relay = relay
        self.queue = queue
        self.capability = capability
    }

    /// Writes `[host, port, relay key, queue, capability]`.
    public func write(to writer: inout CBORWriter) {
        writer.writeArrayHeader(5)
        relay.write(to: &writer)
        writer.writeBytes(queue.array)
        writer.writeBytes(capability.array)
    }

    /// Reads `[host, port, relay key, queue, capability]`.
    ///
    /// - Throws: `CBORError`, `CryptoError` or ``ChannelError`` for what does not fit.
    public init(reading reader: inout CBORReader) throws {
        try reader.readArrayHeader(count: 5)
        relay = try RelayAddress(reading: &reader)
        queue = QueueID(try FixedBytes(reader.readBytes(count: 16)))
        capability = SendCapability(try FixedBytes(reader.readBytes(count: 32)))
    }

    /// Writes 1 to 4 addresses as an array.
    static func write(_ addresses: [Address], to writer: inout CBORWriter) {
        writer.writeArrayHeader(addresses.count)
        for address in addresses { address.write(to: &writer) }
    }

    /// Reads 1 to 4 addresses.
    static func readArray(_ reader: inout CBORReader) throws -> [Address] {
        let count = try reader.readArrayHeader(maximum: maximumCount)
        guard count > 0 else { throw ChannelError.malformed("addresses: at least one is needed") }
        return try (0..<count).map { _ in try Address(reading: &reader) }
    }

    /// Reads 1 to 4 addresses, each with a queue of its own.
    static func readReplies(_ reader: inout CBORReader) throws -> [Address] {
        let addresses = try readArray(&reader)
        guard Set(addresses.map(\.queue)).count == addresses.count else {
            throw ChannelError.malformed("addresses: two name one queue")
        }
        return addresses
    }
}
