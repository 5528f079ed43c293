internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding

/// Attachments: the body of their record, their chunks, and what nodes say about them.
///
/// - Source: Spec/09 §9.1, §9.2, §9.3, §9.4
enum AttachmentVectors: VectorLayer {
    static let name = "attachment"

    static let operations: [String: VectorOperation] = [
        "seal": seal, "open": open, "body": body, "message": message,
    ]

    // MARK: Chunks

    private static func seal(_ input: VectorFields) throws -> VectorFields {
        let content = try input.bytes("content")
        let (key, header): (FixedBytes<32>, FixedBytes<24>) = (try input.bytes("key"), try input.bytes("header"))
        var entropy = VectorEntropy(key.array + header.array)
        var sealer = try AttachmentSealer(
            contentSize: UInt64(content.count), chunkSize: input.count("chunkSize"), using: &entropy)
        var chunks: [[UInt8]] = []
        var rest = content[...]
        while let size = sealer.nextSize {
            chunks.append(try sealer.seal(Array(rest.prefix(size)).bytes))
            rest = rest.dropFirst(size)
        }
        let attachment = try sealer.finish(name: "vector")
        return [
            "chunkCount": .number(attachment.chunkCount), "nonces": .hexes(nonces(of: chunks, header.array)),
            "chunks": .hexes(chunks), "digest": .hex(attachment.digest.array),
        ]
    }

    /// The nonce of each chunk: the counter from 1, and the header's end with the beginnings of the tags before.
    private static func nonces(of chunks: [[UInt8]], _ header: [UInt8]) -> [[UInt8]] {
        var part = Array(header[16...])
        return chunks.enumerated().map { index, chunk in
            let counter = (0..<4).map { UInt8(truncatingIfNeeded: (index + 1) >> (8 * $0)) }
            defer { part = zip(part, chunk.suffix(16)).map { $0 ^ $1 } }
            return counter + part
        }
    }

    private static func open(_ input: VectorFields) throws -> VectorFields {
        let attachment = AttachmentMessage(
            name: "vector", contentSize: try input.number("contentSize"), chunkSize: try input.count("chunkSize"),
            key: try input.bytes("key"), header: try input.bytes("header"), digest: try input.bytes("digest"))
        if let fault = attachment.fault { throw RelationshipError.malformedBody(.attachment, reason: fault) }
        var opener = AttachmentOpener(attachment)
        var content: [UInt8] = []
        var part: [UInt8] = []
        for chunk in try input.byteList("chunks") {
            try opener.open(chunk.bytes, into: &part)
            content += part
        }
        try opener.finish()
        return ["content": .hex(content)]
    }

    // MARK: Messages

    private static func body(_ input: VectorFields) throws -> VectorFields {
        let body = try AttachmentMessage.decode(input.bytes("body"))
        let last = body.sealedSize(ofChunk: body.chunkCount - 1)
        return [
            "name": .text(body.name), "encodingFormat": body.encodingFormat.map { .text($0) },
            "contentSize": .number(body.contentSize), "chunkSize": .number(body.chunkSize),
            "key": .hex(body.key.array), "header": .hex(body.header.array), "digest": .hex(body.digest.array),
            "text": body.text.map { .text($0) }, "language": body.language.map { .text($0) },
            "chunkCount": .number(body.chunkCount), "sealedSize": .number(body.sealedSize),
            "lastChunkSealedSize": .number(last),
        ]
    }

    private static func message(_ input: VectorFields) throws -> VectorFields {
        let content = try input.bytes("content")
        let message = try EphemeralMessage(decoding: content.bytes)
        let type = VectorValue.text(message.type.text)
        switch try TransferMessage(message) {
        case nil: return ["type": type]
        case .want(let record, let round, let from, let until):
            return [
                "type": type, "record": .number(record), "round": .number(round), "from": .number(from),
                "until": .number(until),
            ]
        case .chunk(let record, let round, let number, let sealed):
            return [
                "type": type, "record": .number(record), "round": .number(round), "chunk": .number(number),
                "data": .hex(sealed),
            ]
        case .have(let record), .decline(let record), .offer(let record), .gone(let record):
            return ["type": type, "record": .number(record)]
        }
    }
}
