internal import HandfastCrypto
internal import HandfastEncoding

/// What an anonymous credential of one kind says: its type, how long an epoch is, and the names of its attributes.
///
/// The schema goes into the parameters, so that a credential of one schema never passes for one of another. The values
/// of a credential have numbers: 0 and 1 are the blinding factor and the holder's secret, which are never shown, 2 is the
/// epoch, which always is, and the attributes follow from 3 on.
///
/// - Source: Spec/11 §11.3
public struct AnonymousSchema: Hashable, Sendable {
    /// The most attributes beside the epoch.
    public static let maximumAttributeCount = 31
    /// The longest name of an attribute, in bytes.
    public static let maximumNameCount = 64
    /// The longest type, in bytes.
    public static let maximumTypeCount = 128
    /// How long an epoch may be, in seconds: an hour to ten years.
    public static let epochLengths: ClosedRange<UInt64> = 3_600...315_360_000

    static let epochIndex = 2
    static let firstAttributeIndex = 3
    static let maximumEncodedCount = 4_096

    /// The type of the credentials, a word or URI of the issuer's.
    public let type: String
    /// How long an epoch is, in seconds.
    public let epochLength: UInt64
    /// The names of the attributes, in the order of their numbers.
    public let attributes: [String]

    /// A schema.
    /// - Parameters:
    ///   - type: 1...128 visible ASCII characters.
    ///   - epochLength: Seconds, 3,600...315,360,000.
    ///   - attributes: 1...31 different names of 1...64 visible ASCII characters each.
    /// - Throws: ``AnonymousClaimError/invalidSchema(_:)``
    public init(type: String, epochLength: UInt64, attributes: [String]) throws(AnonymousClaimError) {
        guard Self.isVisible(type, maximum: Self.maximumTypeCount) else {
            throw .invalidSchema("its type has 1 to \(Self.maximumTypeCount) visible ASCII characters")
        }
        guard Self.epochLengths.contains(epochLength) else {
            throw .invalidSchema("an epoch lasts 3,600 to 315,360,000 seconds")
        }
        guard (1...Self.maximumAttributeCount).contains(attributes.count) else {
            throw .invalidSchema("it has 1 to \(Self.maximumAttributeCount) attributes")
        }
        guard attributes.allSatisfy({ Self.isVisible($0, maximum: Self.maximumNameCount) }) else {
            throw .invalidSchema("a name has 1 to \(Self.maximumNameCount) visible ASCII characters")
        }
        guard Set(attributes).count == attributes.count else {
            throw .invalidSchema("two attributes have the same name")
        }
        self.type = type
        self.epochLength = epochLength
        self.attributes = attributes
    }

    private static func isVisible(_ text: String, maximum: Int) -> Bool {
        (1...maximum).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// The epoch of a time in seconds since 1970.
    public func epoch(at time: UInt64) -> UInt64 {
        time / epochLength
    }

    /// When an epoch ends, in seconds since 1970.
    public func end(ofEpoch epoch: UInt64) -> UInt64 {
        let (next, overflows) = epoch.addingReportingOverflow(1)
        let (end, isBeyond) = next.multipliedReportingOverflow(by: epochLength)
        return overflows || isBeyond ? .max : end
    }

    /// The values of a credential that are neither the blinding factor nor the holder's secret: `n` of the derivation.
    var valueCount: Int { attributes.count + 1 }

    /// The number of an attribute.
    func index(of name: String) throws(AnonymousClaimError) -> Int {
        guard let place = attributes.firstIndex(of: name) else { throw .unknownAttribute(name) }
        return Self.firstAttributeIndex + place
    }

    /// Refuses an epoch that is over, or that lies beyond the next one and would tell its holder from others.
    func requireCurrent(_ epoch: UInt64, at time: UInt64) throws(AnonymousClaimError) {
        let current = self.epoch(at: time)
        guard epoch >= current else { throw .expired(epoch: epoch, current: current) }
        guard epoch - current <= 1 else { throw .epochAhead(epoch: epoch, current: current) }
    }
}

// MARK: - Encoding

extension AnonymousSchema {
    /// The schema as CBOR, as it enters the parameters.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter()
        writer.writeMap { writer in
            writer.writeKey(1)
            writer.writeText(type)
            writer.writeKey(2)
            writer.writeUnsigned(epochLength)
            writer.writeKey(3)
            writer.writeArrayHeader(attributes.count)
            for name in attributes { writer.writeText(name) }
        }
        return writer.bytes
    }

    /// Decodes what ``encoded()`` gives.
    /// - Throws: ``AnonymousClaimError/encoding(_:of:)``, ``AnonymousClaimError/invalidSchema(_:)``
    public init(decoding bytes: RawSpan) throws(AnonymousClaimError) {
        self = try AnonymousClaimError.decoding("schema", bytes, maximum: Self.maximumEncodedCount) { reader in
            var map = try reader.readIntegerMap(maximum: 3)
            try map.requireKey(1, &reader)
            let type = try reader.readText(maximum: Self.maximumTypeCount)
            try map.requireKey(2, &reader)
            let epochLength = try reader.readUnsigned()
            try map.requireKey(3, &reader)
            var attributes: [String] = []
            for _ in 0..<(try reader.readArrayHeader(maximum: Self.maximumAttributeCount)) {
                attributes.append(try reader.readText(maximum: Self.maximumNameCount))
            }
            try map.finish(&reader)
            return try AnonymousSchema(type: type, epochLength: epochLength, attributes: attributes)
        }
    }
}
