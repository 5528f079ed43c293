import HandfastCrypto
import HandfastTestSupport
import Testing

@testable import HandfastLink

/// - Source: Interop/third-party/cacophony
struct NoiseVectorTests {
    struct File: Decodable {
        let vectors: [Vector]
    }

    struct Vector: Decodable, Sendable {
        struct Message: Decodable, Sendable {
            let payload: HexBytes
            let ciphertext: HexBytes
        }

        let protocol_name: String
        let init_prologue: HexBytes
        let init_ephemeral: HexBytes
        let init_remote_static: HexBytes
        let resp_prologue: HexBytes
        let resp_static: HexBytes
        let resp_ephemeral: HexBytes
        let handshake_hash: HexBytes
        let messages: [Message]
    }

    static func vectors() throws -> [Vector] {
        let path = "Interop/third-party/cacophony/noise-nk-25519-chachapoly-blake2b.json"
        return try RepositoryFile.decode(File.self, from: path).vectors
    }

    @Test func bothRolesReproduceThePublicVector() throws {
        let vectors = try Self.vectors()
        #expect(vectors.count == 1)
        for vector in vectors {
            #expect(Array(vector.protocol_name.utf8) == NoiseProtocol.name)
            let firstPayload = vector.messages[0].payload.bytes
            let secondPayload = vector.messages[1].payload.bytes
            let (initiatorPrologue, responderPrologue) = (vector.init_prologue.bytes, vector.resp_prologue.bytes)
            let initiator = try NoiseInitiator(
                to: AgreementPublicKey(vector.init_remote_static.bytes.bytes), prologue: initiatorPrologue.bytes,
                ephemeral: AgreementPrivateKey(copying: vector.init_ephemeral.bytes.bytes),
                payload: firstPayload.bytes)
            let firstMessage = initiator.message
            #expect(firstMessage == vector.messages[0].ciphertext.bytes)
            var server = try NoiseResponder.answer(
                firstMessage.bytes, key: AgreementPrivateKey(copying: vector.resp_static.bytes.bytes),
                prologue: responderPrologue.bytes,
                ephemeral: AgreementPrivateKey(copying: vector.resp_ephemeral.bytes.bytes),
                payload: secondPayload.bytes)
            let (received, secondMessage) = (server.payload, server.message)
            #expect(received == firstPayload)
            #expect(secondMessage == vector.messages[1].ciphertext.bytes)
            var client = try initiator.finish(secondMessage.bytes)
            let (answered, hash) = (client.payload, client.transport.handshakeHash.array)
            let serverHash = server.transport.handshakeHash.array
            #expect(answered == secondPayload)
            #expect(hash == vector.handshake_hash.bytes)
            #expect(serverHash == hash)

            for (index, message) in vector.messages.enumerated().dropFirst(2) {
                var sealed = message.payload.bytes + [UInt8](repeating: 0, count: 16)
                var opened = [UInt8](repeating: 0, count: message.payload.bytes.count)
                var sealedBytes = sealed.mutableBytes
                if index.isMultiple(of: 2) {
                    try client.transport.sealInPlace(&sealedBytes)
                } else {
                    try server.transport.sealInPlace(&sealedBytes)
                }
                #expect(sealed == message.ciphertext.bytes)
                var openedBytes = opened.mutableBytes
                if index.isMultiple(of: 2) {
                    try server.transport.open(sealed.bytes, into: &openedBytes)
                } else {
                    try client.transport.open(sealed.bytes, into: &openedBytes)
                }
                #expect(opened == message.payload.bytes)
            }
        }
    }

    @Test func refusesAMessageForAnotherPrologue() throws {
        var random = SeededEntropy(seed: 1)
        let key = AgreementPrivateKey.generate(using: &random)
        let (one, other) = ([UInt8]("HF1.link".utf8), [UInt8]("HF2.link".utf8))
        let initiator = try NoiseInitiator(
            to: key.publicKey, prologue: one.bytes, ephemeral: .generate(using: &random))
        let message = initiator.message
        #expect(throws: LinkError.handshakeRefused) {
            var random = SeededEntropy(seed: 2)
            _ = try NoiseResponder.answer(
                message.bytes, key: key, prologue: other.bytes, ephemeral: .generate(using: &random)
            ).message
        }
    }
}
