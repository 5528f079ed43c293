import CSodiumPeer

/// Lower bounds on libsodium: its ChaCha20-Poly1305 on one buffer, and the least that a protocol adds to it.
struct AEADOnly: Exchange {
    enum Kind: String {
        /// The limit: the AEAD and nothing else.
        case limit = "libsodium/chacha20poly1305"
        /// A Noise transport message: 2 bytes of length and a nonce that counts, the same key throughout. All sizes
        /// here fit one message of 65,535 bytes.
        case noise = "noise/transport"
        /// An Ed25519 signature of every message inside the AEAD.
        case signed = "ed25519+chacha20poly1305"
    }

    private let kind: Kind
    private let byteCount: Int
    private let signatureByteCount: Int
    private let lengthByteCount: Int
    private var key = [UInt8](repeating: 7, count: 32)
    private var sealNonce = [UInt8](repeating: 0, count: 12)
    private var openNonce = [UInt8](repeating: 0, count: 12)
    private var publicKey = [UInt8](repeating: 0, count: 32)
    private var secretKey = [UInt8](repeating: 0, count: 64)
    private var plaintext: [UInt8]
    private var opened: [UInt8]
    private var envelope: [UInt8]
    private var prepared: [[UInt8]] = []

    init(_ kind: Kind, byteCount: Int) {
        self.kind = kind
        self.byteCount = byteCount
        signatureByteCount = kind == .signed ? 64 : 0
        lengthByteCount = kind == .noise ? 2 : 0
        plaintext = [UInt8](repeating: 0x61, count: byteCount + signatureByteCount)
        opened = plaintext
        envelope = [UInt8](repeating: 0, count: lengthByteCount + plaintext.count + 16)
        _ = unsafe crypto_sign_keypair(&publicKey, &secretKey)
    }

    var name: String { "\(kind.rawValue)/\(byteCount)" }

    mutating func seal() {
        if kind == .signed {
            let count = byteCount
            unsafe plaintext.withUnsafeMutableBufferPointer { bytes in
                guard let start = bytes.baseAddress else { return }
                _ = unsafe crypto_sign_detached(start + count, nil, start, UInt64(count), secretKey)
            }
        }
        Self.count(&sealNonce)
        if lengthByteCount > 0 {
            envelope[0] = UInt8(truncatingIfNeeded: (plaintext.count + 16) >> 8)
            envelope[1] = UInt8(truncatingIfNeeded: plaintext.count + 16)
        }
        let lengthByteCount = lengthByteCount
        unsafe envelope.withUnsafeMutableBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return }
            _ = unsafe crypto_aead_chacha20poly1305_ietf_encrypt(
                start + lengthByteCount, nil, plaintext, UInt64(plaintext.count), nil, 0, nil, sealNonce, key)
        }
    }

    mutating func prepare(_ count: Int) {
        prepared.removeAll(keepingCapacity: true)
        for _ in 0..<count {
            seal()
            prepared.append(envelope)
        }
        prepared.reverse()
        openNonce = sealNonce
        for _ in 0..<count { Self.uncount(&openNonce) }
    }

    mutating func openPrepared() throws {
        guard let next = prepared.popLast() else { throw BenchmarkError.nothingPrepared }
        Self.count(&openNonce)
        try open(next)
    }

    mutating func sealAndOpen() throws {
        seal()
        openNonce = sealNonce
        try open(envelope)
    }

    func envelopeByteCount() -> Int { envelope.count }

    private mutating func open(_ envelope: [UInt8]) throws {
        let lengthByteCount = lengthByteCount
        let isAuthentic = unsafe envelope.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return false }
            return unsafe crypto_aead_chacha20poly1305_ietf_decrypt(
                &opened, nil, nil, start + lengthByteCount, UInt64(bytes.count - lengthByteCount), nil, 0, openNonce,
                key) == 0
        }
        guard isAuthentic else { throw BenchmarkError.wrongContent }
        guard kind == .signed else { return }
        let count = byteCount
        let isSigned = unsafe opened.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return false }
            return unsafe crypto_sign_verify_detached(start + count, start, UInt64(count), publicKey) == 0
        }
        guard isSigned else { throw BenchmarkError.wrongContent }
    }

    private static func count(_ nonce: inout [UInt8]) {
        var offset = 4
        repeat {
            nonce[offset] &+= 1
            offset += 1
        } while nonce[offset - 1] == 0 && offset < 12
    }

    private static func uncount(_ nonce: inout [UInt8]) {
        var offset = 4
        repeat {
            nonce[offset] &-= 1
            offset += 1
        } while nonce[offset - 1] == 0xFF && offset < 12
    }
}
