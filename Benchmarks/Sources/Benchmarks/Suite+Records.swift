import Handfast
import HandfastEncoding

/// Records signed and verified in batches beside the same ones alone, by the record: `append` makes each record, its
/// digests and its place in the chain as well, `sign` what is made.
extension Suite {
    static func records(_ report: (Row) -> Void) throws {
        let count = 1_000
        var entropy = SystemEntropy()
        let identity = try Identity.create(at: Parties.now, using: &entropy)
        var begun: Relationship?
        _ = try Relationship.greeted(
            id: RelationshipID(identity.id.digest), identity: identity, signer: identity.log, at: Parties.now,
            firstRecords: { relationship throws(RelationshipError) in
                begun = relationship
                return []
            })
        guard let begun else { throw BenchmarkError.wrongContent }
        let record = try NewRecord(TextMessage(text: String(repeating: "It takes two hands to clap. ", count: 8)))
        let batch = [NewRecord](repeating: record, count: count)
        func sign(_ records: [NewRecord]) throws -> [Entry] {
            var relationship = begun
            return try relationship.append(records, at: Parties.now, with: identity, using: &entropy)
        }
        let (many, alone) = (try sign(batch), try (0..<count).flatMap { _ in try sign([record]) })
        let contents = many.map { (payload: $0.signed.payload, leaf: $0.hash) }
        let encoded = (many: many.map { $0.encoded() }, alone: alone.map { $0.encoded() })
        func verify(_ entries: [[UInt8]]) throws {
            var verifier = BatchVerifier()
            for bytes in entries {
                let entry = try Entry(decoding: bytes.bytes)
                try verifier.verify(
                    entry.signed, type: "handfast-record+cose", leaf: entry.hash, with: identity.log.currentKey)
            }
        }
        let works: [(name: String, beside: String, ours: () throws -> Void, theirs: () throws -> Void)] = [
            (
                "record/batch-append/\(count)", "record/append", { hold(try sign(batch)) },
                { for _ in 0..<10 { hold(try sign([record])) } }
            ),
            (
                "record/batch-sign/\(count)", "record/sign",
                {
                    hold(
                        COSESign1.sign(
                            batch: contents, type: "handfast-record+cose", with: identity.signingKey, using: &entropy))
                },
                {
                    for content in contents.prefix(10) {
                        hold(COSESign1.sign(content.payload, type: "handfast-record+cose", with: identity.signingKey))
                    }
                }
            ),
            (
                "record/batch-verify/\(count)", "record/verify", { try verify(encoded.many) },
                { try verify(Array(encoded.alone[..<10])) }
            ),
        ]
        for (name, beside, ours, theirs) in works {
            var (mine, peers): ([Double], [Double]) = ([], [])
            for _ in 0..<Comparison.runs {
                mine.append(try Comparison.nanoseconds(1, { _ in }, { _ in try ours() }) / Double(count))
                peers.append(try Comparison.nanoseconds(1, { _ in }, { _ in try theirs() }) / 10)
            }
            report(Row(name, beside: beside, ours: mine, theirs: peers))
        }
    }

    /// Lets the optimiser leave nothing of the work out.
    @inline(never)
    private static func hold<Value>(_ value: Value) {}
}
