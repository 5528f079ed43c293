internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

extension RejoinPolicy {
    private static let version: UInt64 = 1

    /// The stored form: about 100 bytes, 1,400 once the peer has shown a key that the ledger does not have yet.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter()
        writer.writeMap { writer in
            writer.writeKey(0)
            writer.writeUnsigned(Self.version)
            writer.writeKey(1)
            writer.writeUnsigned(epoch)
            if let cause {
                writer.writeKey(2)
                writer.writeUnsigned(UInt64(cause.rawValue))
            }
            if let waiting {
                writer.writeKey(3)
                writer.writeArrayHeader(4)
                writer.writeUnsigned(waiting.epoch)
                writer.writeBytes(waiting.hash.bytes)
                writer.writeUnsigned(waiting.since.seconds)
                writer.writeUnsigned(UInt64(waiting.cause?.rawValue ?? 0))
            }
            if let insteadOf {
                writer.writeKey(4)
                writer.writeBytes(insteadOf.bytes)
            }
            if let resumeBound {
                writer.writeKey(5)
                writer.writeUnsigned(resumeBound)
            }
            writer.writeKey(6)
            writer.writeUnsigned(highestSeen)
            if let answeredHash {
                writer.writeKey(7)
                writer.writeBytes(answeredHash.bytes)
            }
            writer.writeKey(8)
            writer.writeUnsigned(UInt64(unopened))
            if let lastCaused {
                writer.writeKey(9)
                writer.writeUnsigned(lastCaused.seconds)
            }
            if let shownKey {
                writer.writeKey(10)
                writer.writeArrayHeader(2)
                writer.writeUnsigned(UInt64(shownKey.eventCount))
                writer.writeBytes(shownKey.key.bytes)
            }
            if let began {
                writer.writeKey(11)
                writer.writeUnsigned(began.seconds)
            }
            if shownAddresses > epoch {
                writer.writeKey(12)
                writer.writeUnsigned(shownAddresses)
            }
        }
        return writer.bytes
    }

    /// Reads what ``encoded()`` wrote.
    ///
    /// - Throws: ``RelationshipError/malformed(_:_:)``, ``RelationshipError/unsupportedVersion(_:)``,
    ///   ``RelationshipError/inconsistent(_:)``
    public init(decoding bytes: RawSpan) throws(RelationshipError) {
        self = try RelationshipError.decoding("rejoin policy", bytes, maximum: 2_048) { reader in
            try RejoinPolicy(reading: &reader)
        }
    }

    private static func cause(_ number: UInt8) throws(RelationshipError) -> RejoinCause {
        guard let cause = RejoinCause(rawValue: number) else {
            throw .inconsistent("there is no cause \(number) of a rejoin")
        }
        return cause
    }

    private init(reading reader: inout CBORReader) throws {
        var map = try reader.readIntegerMap(maximum: 13)
        try map.requireKey(0, &reader)
        let version = try reader.readUnsigned()
        guard version == Self.version else { throw RelationshipError.unsupportedVersion(version) }
        try map.requireKey(1, &reader)
        epoch = try reader.readUnsigned(maximum: Rejoin.maximumEpoch)
        if try map.hasKey(2, &reader) {
            cause = try Self.cause(try reader.readUnsigned(as: UInt8.self))
        }
        if try map.hasKey(3, &reader) {
            try reader.readArrayHeader(count: 4)
            let (epoch, hash) = (try reader.readUnsigned(maximum: Rejoin.maximumEpoch), try Digest(reading: &reader))
            let since = Timestamp(seconds: try reader.readUnsigned())
            let number = try reader.readUnsigned(as: UInt8.self)
            waiting = Waiting(
                epoch: epoch, hash: hash, since: since, cause: number == 0 ? nil : try Self.cause(number))
        }
        insteadOf = try map.hasKey(4, &reader) ? Digest(reading: &reader) : nil
        resumeBound = try map.hasKey(5, &reader) ? reader.readUnsigned() : nil
        try map.requireKey(6, &reader)
        highestSeen = try reader.readUnsigned(maximum: Rejoin.maximumEpoch)
        answeredHash = try map.hasKey(7, &reader) ? Digest(reading: &reader) : nil
        try map.requireKey(8, &reader)
        unopened = UInt8(try reader.readUnsigned(maximum: UInt64(Self.unopenedLimit)))
        lastCaused = try map.hasKey(9, &reader) ? Timestamp(seconds: reader.readUnsigned()) : nil
        if try map.hasKey(10, &reader) {
            try reader.readArrayHeader(count: 2)
            shownKey = ShownKey(
                eventCount: Int(try reader.readUnsigned(maximum: UInt64(KeyLog.maximumEventCount))),
                key: try SealingPublicKey(reader.readBytes(count: SealingPublicKey.count)))
        }
        began = try map.hasKey(11, &reader) ? Timestamp(seconds: reader.readUnsigned()) : nil
        shownAddresses = try map.hasKey(12, &reader) ? reader.readUnsigned(maximum: Rejoin.maximumEpoch) : 0
        try map.finish(&reader)
        guard waiting.map({ $0.epoch > epoch }) ?? true else {
            throw RelationshipError.inconsistent("a rejoin waits for an epoch that is over")
        }
    }
}
