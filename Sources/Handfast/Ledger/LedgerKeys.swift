internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// The key log of one direction's identity, as its ledger follows it: an outline, and every event after the inception.
///
/// The inception, most of it an X-Wing key of 1,216 bytes, stands in the handshake's proof, with which the ledger begins.
///
/// - Source: Spec/05 §5.2
struct LedgerKeys: Hashable, Sendable {
    private(set) var outline: KeyLogOutline
    /// Kept whole, so that an event that contradicts one of them is shown beside it.
    private(set) var later: [KeyEvent] = []

    /// The keys of an identity that has only its inception.
    init(_ log: KeyLog) throws(RelationshipError) {
        guard log.events.count == 1 else { throw .wrongIdentity(log.id) }
        outline = KeyLogOutline(log)
    }

    /// The log as it stood after its first `count` events, at least one.
    func prefix(_ count: Int) -> LedgerKeys {
        var earlier = self
        earlier.outline = outline.prefix(count)
        earlier.later.removeLast(max(0, later.count - (count - 1)))
        return earlier
    }

    /// What came of an event that follows the rules.
    enum Outcome {
        /// It was the next one.
        case added
        /// The log has it already.
        case known
        /// Another valid event holds its number.
        case contradicted(KeyLogFork)
    }

    /// Follows the log by one event, a rotation or a revocation.
    mutating func append(_ event: KeyEvent) throws(ChannelError) -> Outcome {
        switch try outline.append(event) {
        case .known: return .known
        case .contradicted: return .contradicted(KeyLogFork(known: later[event.sequence - 1], conflicting: event))
        case .added:
            later.append(event)
            return .added
        }
    }

    /// The whole log.
    ///
    /// - Throws: ``RelationshipError/wrongIdentity(_:)`` for an inception that is not its own
    func log(inception: KeyEvent) throws(RelationshipError) -> KeyLog {
        guard outline.holds(inception), inception.kind == .inception else { throw .wrongIdentity(inception.identity) }
        do {
            return try KeyLog([inception] + later)
        } catch {
            throw .malformedPart("key log", error)
        }
    }
}

// MARK: - Stored form

extension LedgerKeys {
    /// Writes the outline and the array of byte strings.
    func write(to writer: inout CBORWriter) {
        outline.write(to: &writer)
        writer.writeArrayHeader(later.count)
        for event in later { writer.writeBytes(event.encoded()) }
    }

    init(reading reader: inout CBORReader) throws {
        outline = try KeyLogOutline(reading: &reader)
        for _ in 0..<(try reader.readArrayHeader(maximum: KeyLog.maximumEventCount - 1)) {
            later.append(try KeyEvent(verifiedBefore: reader.readBytes(maximum: KeyEvent.maximumByteCount)))
        }
        guard later.count == outline.count - 1, later.allSatisfy(outline.holds),
            outline.isRevoked == (later.last?.kind == .revocation)
        else { throw RelationshipError.inconsistent("the outline of a key log and its events") }
    }
}
