public import HandfastChannel
internal import HandfastEncoding

/// `relationship/move`: where the sender receives from this record on.
///
/// Its body holds send capabilities. So it is the one of its family that can be erased, and every export leaves it out.
///
/// - Source: Spec/05 §5.3, §5.11
public struct Move: RecordBody {
    /// 1 to 4 addresses, the preferred one first, each as CBOR.
    public var addresses: [[UInt8]]

    /// A move to these addresses, 1 to 4, the preferred one first.
    public init(_ addresses: [Address]) {
        self.addresses = addresses.map { address in
            var writer = CBORWriter()
            address.write(to: &writer)
            return writer.bytes
        }
    }

    /// The type of record that has this body.
    public static var recordType: RecordType { .move }

    /// Why the addresses are out of bounds.
    public var fault: String? {
        guard (1...Address.maximumCount).contains(addresses.count) else {
            return "1 to \(Address.maximumCount) addresses are needed"
        }
        guard let read = try? read() else { return "an address cannot be read" }
        return Set(read.map(\.queue)).count == read.count ? nil : "two addresses name one queue"
    }

    /// The addresses of a body without a ``fault``.
    ///
    /// - Throws: `CBORError`, `CryptoError` or ``ChannelError`` for what is no address.
    public func read() throws -> [Address] {
        try addresses.map { bytes in
            var reader = CBORReader(bytes.bytes)
            let address = try Address(reading: &reader)
            try reader.finish()
            return address
        }
    }
}
