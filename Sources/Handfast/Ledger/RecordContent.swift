internal import HandfastCrypto
internal import HandfastEncoding

/// The content of an envelope of kind 1: an array of 1 to 64 entries.
///
/// - Source: Spec/05 §5.2
public enum RecordContent {
    /// Encodes entries that fit into one envelope; ``batches(of:)`` cuts a longer list.
    /// - Throws: ``RelationshipError/tooMany(_:limit:)`` for none, for more than 64 or for more than
    ///   ``LedgerLimits/content`` bytes.
    public static func encode(_ entries: [Entry]) throws(RelationshipError) -> [UInt8] {
        guard (1...LedgerLimits.entriesPerEnvelope).contains(entries.count) else {
            throw .tooMany("entries in an envelope", limit: LedgerLimits.entriesPerEnvelope)
        }
        var writer = CBORWriter()
        writer.writeArrayHeader(entries.count)
        for entry in entries { entry.write(to: &writer) }
        guard writer.bytes.count <= LedgerLimits.content else {
            throw .tooMany("bytes in an envelope", limit: LedgerLimits.content)
        }
        return writer.bytes
    }

    /// Decodes the entries of one envelope, in their order.
    /// - Throws: ``RelationshipError/malformed(_:_:)`` and what ``Entry/init(decoding:)`` throws.
    public static func decode(_ content: RawSpan) throws(RelationshipError) -> [Entry] {
        try decodePlaced(content).map(\.entry)
    }

    /// An entry and where its bytes, which are those of ``Entry/encoded()``, stand in an envelope's content.
    public struct Placed: Sendable {
        /// The entry.
        public let entry: Entry
        /// Where it stands.
        public let place: Range<Int>
    }

    /// Decodes as ``decode(_:)`` does, for who keeps the bytes as they came.
    /// - Throws: as ``decode(_:)``.
    public static func decodePlaced(_ content: RawSpan) throws(RelationshipError) -> [Placed] {
        try RelationshipError.decoding("list of entries", content, maximum: LedgerLimits.content) { reader in
            let count = try reader.readArrayHeader(maximum: LedgerLimits.entriesPerEnvelope)
            guard count > 0 else { throw CBORError.wrongLength(expected: 1, actual: 0, at: 0) }
            var entries: [Placed] = []
            entries.reserveCapacity(count)
            for _ in 0..<count {
                let start = reader.offset
                entries.append(Placed(entry: try Entry(reading: &reader), place: start..<reader.offset))
            }
            return entries
        }
    }

    /// Cuts a list of any length into lists that each fit into one envelope, keeping the order.
    public static func batches(of entries: [Entry]) -> [[Entry]] {
        // The array's own head takes at most 3 bytes.
        let room = LedgerLimits.content - 3
        var batches: [[Entry]] = []
        var batch: [Entry] = []
        var size = 0
        for entry in entries {
            let count = entry.encoded().count
            if batch.count == LedgerLimits.entriesPerEnvelope || size + count > room {
                batches.append(batch)
                (batch, size) = ([], 0)
            }
            batch.append(entry)
            size += count
        }
        if !batch.isEmpty { batches.append(batch) }
        return batches
    }
}
