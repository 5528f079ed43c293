import Foundation
import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@Suite struct MerkleTreeTests {
    /// The inputs of the reference tests of RFC 6962 implementations.
    private static let inputs = [
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    ]

    /// Roots over the first one to eight of them, computed with Python's hashlib by the definition in RFC 9162 §2.1.1.
    private static let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]

    private static func leaves(_ count: Int) throws -> [Digest] {
        try inputs.prefix(count).map { input in
            let content = try Hex.decode(input)
            return TreeHash.leaf(content.bytes)
        }
    }

    @Test func hasTheRootsOfTheReference() throws {
        for (index, root) in Self.roots.enumerated() {
            #expect(MerkleTree(leafHashes: try Self.leaves(index + 1)).root.description == root)
        }
    }

    @Test func everyProofLeadsToItsRootAndNoOtherPlaceDoes() throws {
        for size in 1...40 {
            let leaves = (0..<size).map { index in
                let content = [UInt8(index)]
                return TreeHash.leaf(content.bytes)
            }
            let tree = MerkleTree(leafHashes: leaves)
            for index in 0..<size {
                let proof = tree.proof(of: index)
                #expect(proof.root(leafHash: leaves[index]) == tree.root)
                for other in 0..<size where other != index {
                    let moved = try? InclusionProof(
                        checking: UInt64(size), leafIndex: UInt64(other), path: proof.path)
                    #expect(moved?.root(leafHash: leaves[index]) != tree.root)
                    #expect(proof.root(leafHash: leaves[other]) != tree.root)
                }
            }
        }
    }

    @Test func holdsTheMostLeaves() throws {
        let content: [UInt8] = []
        let leaf = TreeHash.leaf(content.bytes)
        let tree = MerkleTree(leafHashes: [Digest](repeating: leaf, count: MerkleTree.maximumLeafCount))
        let proof = tree.proof(of: 65_535)
        #expect(proof.path.count == InclusionProof.maximumPathCount)
        #expect(proof.root(leafHash: leaf) == tree.root)
        #expect(throws: COSEError.invalidProof) {
            try InclusionProof(checking: 65_537, leafIndex: 0, path: proof.path + [leaf])
        }
    }

    // MARK: Published proofs

    private struct Case: Decodable {
        let leafIdx, treeSize: UInt64
        let root, leafHash: Data?
        let proof: [Data]?
        let desc: String
        let wantErr: Bool

        private static func digest(_ data: Data) -> Digest? {
            let bytes = [UInt8](data)
            return try? Digest(bytes.bytes)
        }

        var isAccepted: Bool {
            guard let root, let leafHash, let leaf = Self.digest(leafHash) else { return false }
            let path = (proof ?? []).compactMap(Self.digest)
            guard path.count == proof?.count ?? 0,
                let proof = try? InclusionProof(checking: treeSize, leafIndex: leafIdx, path: path)
            else { return false }
            return proof.root(leafHash: leaf).array == [UInt8](root)
        }
    }

    @Test func agreesWithThePublishedProofs() throws {
        let folder = RepositoryFile.root.appending(path: "Interop/third-party/merkle/inclusion")
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
            .compactMap { $0 as? URL }.filter { $0.pathExtension == "json" }
        #expect(files.count == 98)
        for file in files {
            let published = try JSONDecoder().decode(Case.self, from: Data(contentsOf: file))
            // One case asks for a tree of 2^63 leaves, which is beyond our bound.
            #expect(published.isAccepted == !published.wantErr, "\(file.lastPathComponent): \(published.desc)")
        }
    }
}
