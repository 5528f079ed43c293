internal import Glibc
internal import Synchronization

/// What libsodium said of signatures before, in this process: a run reads the same key logs and bundles hundreds of
/// times, and seeds share those of their origins. A verdict depends on nothing but key, signature and message, all of
/// which are the key here; so a run is the same with and without.
@safe private final class Verdicts: Sendable {
    typealias Verify =
        @convention(c) (
            UnsafePointer<UInt8>, UnsafePointer<UInt8>?, UInt64, UnsafePointer<UInt8>
        ) -> CInt

    static let shared = Verdicts()

    /// More are forgotten, all at once.
    private static let limit = 16_384

    /// Signature, key and message. The signature alone spreads them well.
    private struct Question: Hashable {
        let bytes: [UInt8]

        func hash(into hasher: inout Hasher) {
            unsafe bytes.withUnsafeBytes {
                unsafe hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0.prefix(16)))
            }
        }
    }

    private let verdicts = Mutex<[Question: CInt]>([:])
    /// libsodium's own, which the function below hides.
    private let verify: Verify?

    private init() {
        let library = unsafe dlopen("libsodium.so.23", RTLD_LAZY)
        let symbol = unsafe dlsym(library, "crypto_sign_ed25519_verify_detached")
        unsafe verify = unsafe unsafeBitCast(symbol, to: Verify?.self)
    }

    func verdict(
        _ signature: UnsafePointer<UInt8>, _ message: UnsafePointer<UInt8>?, _ count: UInt64,
        _ key: UnsafePointer<UInt8>
    ) -> CInt {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(96 + Int(count))
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: signature, count: 64))
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: key, count: 32))
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: message, count: Int(count)))
        let question = Question(bytes: bytes)
        if let known = verdicts.withLock({ $0[question] }) { return known }
        guard let verify = unsafe verify else { return -1 }
        let verdict = unsafe verify(signature, message, count, key)
        verdicts.withLock { verdicts in
            if verdicts.count >= Self.limit { verdicts = [:] }
            verdicts[question] = verdict
        }
        return verdict
    }
}

/// Takes the place of libsodium's function of this name in this program.
@_cdecl("crypto_sign_ed25519_verify_detached")
func verifyDetached(
    _ signature: UnsafePointer<UInt8>, _ message: UnsafePointer<UInt8>?, _ count: UInt64, _ key: UnsafePointer<UInt8>
) -> CInt {
    unsafe Verdicts.shared.verdict(signature, message, count, key)
}
