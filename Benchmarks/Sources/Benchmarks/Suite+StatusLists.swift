import CZlibPeer
import HandfastClaims
import HandfastCrypto

/// A status list of a million entries of which one in a hundred is revoked, beside plain zlib on the same bytes.
extension Suite {
    private static let statusCount = 1_000_000

    static func statusLists(_ report: (Row) -> Void) throws {
        var random = SecureRandom()
        var register = try StatusRegister(uri: "https://issuer.example/status/1", count: statusCount)
        var places: [StatusReference] = []
        for _ in 0..<(statusCount / 100) { places.append(try register.allocate(using: &random)) }
        for place in places { try register.set(.invalid, at: place.index) }
        let list = register.list
        let (bytes, compressed) = (list.bytes, list.compressed)
        guard try StatusList(compressed: compressed, bits: 1) == list, plainCompress(bytes) == compressed else {
            throw BenchmarkError.wrongContent
        }
        report(
            Row(
                "claims/status-list/size", unit: "bytes", beside: "zlib", ours: [Double(compressed.count)],
                theirs: [Double(plainCompress(bytes).count)]))
        report(
            try Comparison.measure(
                "claims/status-list/build", beside: "zlib/compress",
                ours: { for _ in 0..<$0 { keep(list.compressed) } },
                theirs: { for _ in 0..<$0 { keep(plainCompress(bytes)) } }))
        report(
            try Comparison.measure(
                "claims/status-list/inflate", beside: "zlib/uncompress",
                ours: { for _ in 0..<$0 { keep(try StatusList(compressed: compressed, bits: 1)) } },
                theirs: { for _ in 0..<$0 { keep(plainInflate(compressed, count: bytes.count)) } }))
        report(
            try Comparison.measure(
                "claims/status-list/lookup", beside: "copy/1-byte", maximumRepeats: 1_000_000,
                ours: { for index in 0..<$0 { keep(try list.status(at: places[index % places.count].index)) } },
                theirs: { for index in 0..<$0 { keep(bytes[Int(places[index % places.count].index) / 8]) } }))
        var growing = register
        report(
            try Comparison.measure(
                "claims/status-list/allocate", beside: "random/64-bits", maximumRepeats: 1_000,
                ours: { for _ in 0..<$0 { keep(try growing.allocate(using: &random)) } },
                theirs: { for _ in 0..<$0 { keep(random.next()) } }))
        try tokens(of: register, report)
    }

    /// The token that a holder staples: signed, and verified with its list inflated.
    private static func tokens(of register: StatusRegister, _ report: (Row) -> Void) throws {
        var random = SecureRandom()
        let key = SigningKey.generate(using: &random)
        let publicKey = key.publicKey
        let message = random.bytes(14_000)
        let signature = key.signature(for: message.bytes)
        let signer = CredentialSigningKey.ed25519(key)
        let token = try register.token(issuedAt: 1_790_000_000, expires: 1_790_086_400, timeToLive: 43_200)
        for format in StatusListToken.Format.allCases {
            let bytes = try token.signed(as: format, with: signer)
            report(
                try Comparison.measure(
                    "claims/status-list/verify/\(format)", beside: "ed25519/verify",
                    ours: {
                        for _ in 0..<$0 {
                            keep(try StatusListToken(verifying: bytes, uri: token.uri, keys: [.ed25519(publicKey)]))
                        }
                    },
                    theirs: { for _ in 0..<$0 { try publicKey.verify(signature.bytes, of: message.bytes) } }))
        }
    }

    private static func plainCompress(_ bytes: [UInt8]) -> [UInt8] {
        let bound = compressBound(uLong(bytes.count))
        return unsafe [UInt8](unsafeUninitializedCapacity: Int(bound)) { output, count in
            var written = bound
            _ = unsafe bytes.withUnsafeBufferPointer { input in
                unsafe compress2(
                    output.baseAddress, &written, input.baseAddress, uLong(input.count), Z_BEST_COMPRESSION)
            }
            count = Int(written)
        }
    }

    private static func plainInflate(_ bytes: [UInt8], count expected: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: expected) { output, count in
            var written = uLong(expected)
            _ = unsafe bytes.withUnsafeBufferPointer { input in
                unsafe uncompress(output.baseAddress, &written, input.baseAddress, uLong(input.count))
            }
            count = Int(written)
        }
    }
}
