public import HandfastCrypto
public import HandfastEncoding

/// An identity's key events in order, each following from the one before.
///
/// - Source: Spec/02 §2.2
public struct KeyLog: Hashable, Sendable {
    /// A log never grows beyond this; only a revocation takes the last place.
    public static let maximumEventCount = 64

    /// The events, the inception first.
    public private(set) var events: [KeyEvent]
    /// The identity.
    public let id: IdentityID
    /// The public identity's domain, if it has one.
    public let domain: String?
    /// The signing key in force; after a revocation the key that revoked.
    public private(set) var currentKey: VerificationKey
    /// The X-Wing key in force.
    public private(set) var sealingKey: SealingPublicKey
    /// Whether the identity has been ended.
    public private(set) var isRevoked = false

    /// Checks that the events follow from each other, each of them once.
    ///
    /// - Throws: ``ChannelError/keyLog(_:sequence:)``, ``ChannelError/keyLogFork(_:)``
    public init(_ events: [KeyEvent]) throws(ChannelError) {
        guard let inception = events.first, inception.kind == .inception, let sealingKey = inception.sealingKey else {
            throw .keyLog(.inceptionExpected, sequence: 0)
        }
        self.events = [inception]
        id = inception.identity
        domain = inception.domain
        currentKey = inception.signingKey
        self.sealingKey = sealingKey
        for (count, event) in events.enumerated().dropFirst() {
            try append(event)
            // A log has one written form: an event that it holds already is no part of it.
            guard self.events.count > count else {
                throw .keyLog(event.kind == .inception ? .inceptionRepeated : .wrongSequence, sequence: event.sequence)
            }
        }
    }

    /// Digest of the latest event.
    public var head: Digest {
        events.last?.digest ?? id.digest
    }

    /// Adds the next event. The same event again changes nothing.
    ///
    /// - Throws: ``ChannelError/keyLog(_:sequence:)``, or ``ChannelError/keyLogFork(_:)`` when another valid event
    ///   holds its number.
    public mutating func append(_ event: KeyEvent) throws(ChannelError) {
        guard event.kind != .inception else {
            if event == events.first { return }
            throw .keyLog(.inceptionRepeated, sequence: event.sequence)
        }
        guard event.identity == id else { throw .keyLog(.wrongIdentity, sequence: event.sequence) }
        guard event.sequence <= events.count else { throw .keyLog(.wrongSequence, sequence: event.sequence) }
        let before = events[event.sequence - 1]
        guard event.previous == before.digest else { throw .keyLog(.wrongPreviousDigest, sequence: event.sequence) }
        guard before.kind != .revocation else { throw .keyLog(.revoked, sequence: event.sequence) }
        guard before.next == KeyEvent.commitment(to: event.signingKey) else {
            throw .keyLog(.uncommittedKey, sequence: event.sequence)
        }
        if event.sequence < events.count {
            let known = events[event.sequence]
            if known.digest == event.digest { return }
            throw .keyLogFork(KeyLogFork(known: known, conflicting: event))
        }
        // The last place is kept, so that an identity can always be revoked.
        let room = event.kind == .revocation ? Self.maximumEventCount : Self.maximumEventCount - 1
        guard events.count < room else { throw .keyLog(.full, sequence: event.sequence) }
        events.append(event)
        currentKey = event.signingKey
        if let key = event.sealingKey { sealingKey = key }
        isRevoked = event.kind == .revocation
    }

    /// The events as a CBOR array of byte strings.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// Decodes and checks what ``encoded()`` gives.
    ///
    /// - Throws: ``ChannelError``
    public init(decoding bytes: RawSpan) throws(ChannelError) {
        let maximum = Self.maximumEventCount * (KeyEvent.maximumByteCount + 3) + 2
        self = try ChannelError.decoding("key log", bytes, maximum: maximum) { reader in
            try KeyLog(reading: &reader)
        }
    }

    /// Writes the array of byte strings.
    public func write(to writer: inout CBORWriter) {
        writer.writeArrayHeader(events.count)
        for event in events { writer.writeBytes(event.encoded()) }
    }

    /// Reads the array of byte strings and checks the events.
    ///
    /// - Throws: `CBORError` or ``ChannelError``
    public init(reading reader: inout CBORReader) throws {
        let count = try reader.readArrayHeader(maximum: Self.maximumEventCount)
        var events: [KeyEvent] = []
        for _ in 0..<count {
            events.append(try KeyEvent(decoding: reader.readBytes(maximum: KeyEvent.maximumByteCount)))
        }
        try self.init(events)
    }
}
