public import HandfastCrypto
public import HandfastEncoding

/// The digests and signing keys of a key log: enough to follow it and to verify by it, at 66 bytes an event.
///
/// For a log that others hold whole, such as that of a public identity.
///
/// - Source: Spec/02 §2.2; Spec/05 §5.9
public struct KeyLogOutline: Hashable, Sendable {
    /// What came of an event that follows the rules.
    public enum Outcome: Hashable, Sendable {
        /// It was the next one.
        case added
        /// The log has it already.
        case known
        /// Another valid event, with this digest, holds its number.
        case contradicted(known: Digest)
    }

    private struct Line: Hashable, Sendable {
        let digest: Digest
        let key: VerificationKey
    }

    /// The identity.
    public let id: IdentityID
    /// An event a line, the inception first.
    private var lines: [Line]
    /// The commitment to the next signing key; nil once revoked.
    private var next: Digest?

    /// The outline of a log.
    public init(_ log: KeyLog) {
        id = log.id
        lines = log.events.map { Line(digest: $0.digest, key: $0.signingKey) }
        next = log.events.last?.next
    }

    /// How many events the log has.
    public var count: Int { lines.count }

    /// Whether the identity has been ended.
    public var isRevoked: Bool { next == nil }

    /// The signing key in force once so many events, at least one, had happened; nil after a revocation.
    public func key(after count: Int) -> VerificationKey? {
        isRevoked && count == lines.count ? nil : lines[count - 1].key
    }

    /// The key that signed the latest event: the one in force, or the one that revoked.
    public var currentKey: VerificationKey { signingKey(ofEvent: lines.count - 1) }

    /// The key that the event of this number brought into force, or that revoked.
    public func signingKey(ofEvent number: Int) -> VerificationKey { lines[number].key }

    /// Whether an event is the one of its number here.
    package func holds(_ event: KeyEvent) -> Bool {
        event.sequence < lines.count && lines[event.sequence].digest == event.digest
            && lines[event.sequence].key == event.signingKey
    }

    /// Whether the log stands at the same event.
    public func matches(_ log: KeyLog) -> Bool {
        id == log.id && lines.count == log.events.count && lines.last?.digest == log.head
    }

    /// The log as it stood after its first `count` events, at least one.
    public func prefix(_ count: Int) -> KeyLogOutline {
        guard count < lines.count else { return self }
        var earlier = self
        earlier.next = KeyEvent.commitment(to: lines[count].key)
        earlier.lines.removeLast(lines.count - count)
        return earlier
    }

    /// Follows the log by one event, a rotation or a revocation.
    ///
    /// - Throws: ``ChannelError/keyLog(_:sequence:)``
    public mutating func append(_ event: KeyEvent) throws(ChannelError) -> Outcome {
        guard event.kind != .inception else { throw .keyLog(.inceptionRepeated, sequence: event.sequence) }
        guard event.identity == id else { throw .keyLog(.wrongIdentity, sequence: event.sequence) }
        guard event.sequence <= lines.count else { throw .keyLog(.wrongSequence, sequence: event.sequence) }
        guard event.previous == lines[event.sequence - 1].digest else {
            throw .keyLog(.wrongPreviousDigest, sequence: event.sequence)
        }
        if event.sequence < lines.count {
            let known = lines[event.sequence]
            // Whoever holds the key that the event before committed to made both.
            guard known.key == event.signingKey else { throw .keyLog(.uncommittedKey, sequence: event.sequence) }
            return known.digest == event.digest ? .known : .contradicted(known: known.digest)
        }
        guard let next else { throw .keyLog(.revoked, sequence: event.sequence) }
        guard next == KeyEvent.commitment(to: event.signingKey) else {
            throw .keyLog(.uncommittedKey, sequence: event.sequence)
        }
        let room = event.kind == .revocation ? KeyLog.maximumEventCount : KeyLog.maximumEventCount - 1
        guard lines.count < room else { throw .keyLog(.full, sequence: event.sequence) }
        lines.append(Line(digest: event.digest, key: event.signingKey))
        self.next = event.next
        return .added
    }

    /// Writes `[next / null, [+ [digest, key]]]`; the first digest is the identity's id.
    public func write(to writer: inout CBORWriter) {
        writer.writeArrayHeader(2)
        if let next { writer.writeBytes(next.bytes) } else { writer.writeNull() }
        writer.writeArrayHeader(lines.count)
        for line in lines {
            writer.writeArrayHeader(2)
            writer.writeBytes(line.digest.bytes)
            writer.writeBytes(line.key.bytes)
        }
    }

    /// Reads what ``write(to:)`` writes.
    ///
    /// - Throws: `CBORError` or `CryptoError`
    public init(reading reader: inout CBORReader) throws {
        try reader.readArrayHeader(count: 2)
        next = try reader.readNullIfPresent() ? nil : Digest(reader.readFixedBytes())
        let start = reader.offset
        lines = []
        for _ in 0..<(try reader.readArrayHeader(maximum: KeyLog.maximumEventCount)) {
            try reader.readArrayHeader(count: 2)
            let digest = Digest(try reader.readFixedBytes())
            lines.append(Line(digest: digest, key: try VerificationKey(reader.readFixedBytes())))
        }
        guard let inception = lines.first else { throw CBORError.wrongLength(expected: 1, actual: 0, at: start) }
        id = IdentityID(inception.digest)
    }
}
