internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding

/// Many records under one signature, in one relationship and across those of a public identity.
///
/// - Source: Spec/01 §1.7; Spec/05 §5.9
enum BatchProofVectors: VectorLayer {
    static let name = "batch-proof"

    static let operations: [String: VectorOperation] = [
        "tree": tree, "sign": sign(_:), "verify": verify, "ledger": LedgerVectors.verify,
    ]

    private static func tree(_ input: VectorFields) throws -> VectorFields {
        let leaves = try input.byteList("leaves")
        let hashes = leaves.map { TreeHash.leaf($0.bytes) }
        let tree = MerkleTree(leafHashes: hashes)
        let paths = hashes.indices.map { index in
            VectorValue.hexes(tree.proof(of: index).path.map(\.array))
        }
        return [
            "leafHashes": .hexes(hashes.map(\.array)), "root": .hex(tree.root.array), "paths": .list(paths),
        ]
    }

    private static func sign(_ input: VectorFields) throws -> VectorFields {
        let (payloads, salts) = (try input.byteList("payloads"), try input.byteList("salts"))
        guard payloads.count == salts.count, !payloads.isEmpty else { throw VectorFault.kind("as long").at("salts") }
        let protected = COSESign1.protectedHeader(type: VectorRecord.type)
        let hashes = payloads.map { Digest.of(Label("record"), protected, $0) }
        var draws = VectorEntropy(salts.flatMap(\.self))
        let signed = COSESign1.sign(
            batch: zip(payloads, hashes).map { ($0, $1) }, type: VectorRecord.type, with: try input.signingKey("seed"),
            using: &draws)
        guard !draws.isExhausted, let first = signed.first, let batch = first.batch(leaf: hashes[0]) else {
            throw VectorFault.length(expected: 32, actual: 0).at("salts")
        }
        let leaves = zip(hashes, salts).flatMap { [TreeHash.leaf($0.bytes).array, $1] }
        return [
            "protected": .hex(protected), "hashes": .hexes(hashes.map(\.array)), "leafHashes": .hexes(leaves),
            "root": .hex(batch.root.array), "toBeSigned": .hex(batch.toBeSigned),
            "signature": .hex(batch.signature.array), "records": .hexes(signed.map { $0.encoded() }),
        ]
    }

    private static func verify(_ input: VectorFields) throws -> VectorFields {
        let record = try input.bytes("record")
        let bytes = try VectorRecord.entry(record, salt: nil, body: nil)
        let entry = try Entry(decoding: bytes.bytes)
        let endorsing = try input.optionalBytes("endorsingKey").map { try VerificationKey($0.bytes) }
        var verifier = BatchVerifier()
        try verifier.verify(
            entry.signed, type: VectorRecord.type, leaf: entry.hash, with: input.verificationKey("key"),
            orInBatch: endorsing)
        let proof = entry.signed.proof
        return [
            "hash": .hex(entry.hash.array), "treeSize": proof.map { .number($0.treeSize) },
            "leafIndex": proof.map { .number($0.leafIndex) }, "path": proof.map { .hexes($0.path.map(\.array)) },
            "root": .hex(entry.signed.batch(leaf: entry.hash)?.root.array),
        ]
    }
}
