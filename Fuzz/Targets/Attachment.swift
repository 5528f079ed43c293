@testable import Handfast
@testable import HandfastChannel
@testable import HandfastCrypto
@testable import HandfastEncoding

extension FuzzTarget {
    static let attachment = [
        FuzzTarget(name: "attachment-body", seeds: attachmentBodySeeds, run: attachmentBody),
        FuzzTarget(name: "attachment-chunks", seeds: { Tampering.seeds }, run: attachmentChunks),
        FuzzTarget(name: "transfer", seeds: transferSeeds, run: transfer),
    ]

    /// A body of any values: its chunks cover the file without a gap, and its name is no path.
    @Sendable private static func attachmentBody(_ input: [UInt8]) throws {
        guard let body = accepted({ try AttachmentMessage.decode(input) }) else { return }
        let last = body.chunkCount - 1
        try BrokenPromise.unless(
            body.offset(ofChunk: last) + UInt64(body.sealedSize(ofChunk: last)) == body.sealedSize,
            "the chunks do not cover the file")
        try BrokenPromise.unless(body.sealedSize(ofChunk: last + 1) == 0, "there is a chunk after the last")
        try BrokenPromise.unless(
            body.sealedSize(ofChunk: 0) <= LedgerLimits.chunk.upperBound + SecretStreamSealer.overhead,
            "a chunk is larger than any may be")
        try BrokenPromise.unless(
            !body.name.contains("/") && !body.name.contains("\\") && body.name != "..", "the name is a path")
        var opener = AttachmentOpener(body)
        var content: [UInt8] = []
        _ = accepted { try opener.open(input.bytes, into: &content) }
    }

    @Sendable private static func attachmentBodySeeds() throws -> [[UInt8]] {
        try [0, 1, 600].map { size in
            var body = try sealed(size).body
            if size > 0 { (body.text, body.language, body.encodingFormat) = ("see", "en", "image/png") }
            return try CBOREncoder().encode(body)
        }
    }

    /// Chunks that were changed on the way: what opens is the file's beginning, and only the whole of it finishes.
    @Sendable private static func attachmentChunks(_ input: [UInt8]) throws {
        let (body, content, chunks) = try sealed(600)
        let bytes = Tampering(InputReader(input)).apply(to: Array(chunks.joined()))
        var opener = AttachmentOpener(body)
        var (opened, part): ([UInt8], [UInt8]) = ([], [])
        var rest = bytes[...]
        while !rest.isEmpty {
            let size = opener.isComplete ? rest.count : body.sealedSize(ofChunk: opener.next)
            let chunk = Array(rest.prefix(size))
            guard accepted({ try opener.open(chunk.bytes, into: &part) }) != nil else { break }
            opened += part
            rest = rest.dropFirst(size)
        }
        try BrokenPromise.unless(content.starts(with: opened), "a changed chunk opens")
        var isWhole = true
        do { try opener.finish() } catch { isWhole = false }
        try BrokenPromise.unless(isWhole == (opened == content), "a file is whole that is not, or the reverse")
    }

    /// What a peer says of an attachment.
    @Sendable private static func transfer(_ input: [UInt8]) throws {
        guard let message = accepted({ try EphemeralMessage(decoding: input.bytes) }),
            case .some(.some(let transfer)) = accepted({ try TransferMessage(message) })
        else { return }
        if case .want(_, _, let from, let until) = transfer {
            try BrokenPromise.unless(from < until && until - from <= 64, "a want asks for more than it may")
        }
        let again = accepted { try TransferMessage(transfer.message()) }
        try BrokenPromise.unless(again == .some(transfer), "a transfer message changes when it is written again")
    }

    @Sendable private static func transferSeeds() throws -> [[UInt8]] {
        let messages: [TransferMessage] = [
            .want(record: 7, round: 1, from: 0, until: 32), .have(record: 7), .decline(record: 7), .gone(record: 7),
            .chunk(record: 7, round: 1, number: 3, sealed: [1, 2, 3]), .offer(record: 7),
        ]
        return try messages.map { try $0.message().encoded() }
    }

    private static func sealed(
        _ size: Int
    ) throws -> (body: AttachmentMessage, content: [UInt8], chunks: [[UInt8]]) {
        var entropy = FixedEntropy(11)
        let content = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        var sealer = try AttachmentSealer(contentSize: UInt64(size), chunkSize: 256, using: &entropy)
        var (chunks, rest): ([[UInt8]], ArraySlice<UInt8>) = ([], content[...])
        while let count = sealer.nextSize {
            chunks.append(try sealer.seal(Array(rest.prefix(count)).bytes))
            rest = rest.dropFirst(count)
        }
        return (try sealer.finish(name: "file.png"), content, chunks)
    }
}
