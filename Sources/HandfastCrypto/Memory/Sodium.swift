internal import CSodium

/// libsodium, started once.
///
/// Every type that hands memory to libsodium asks for it in its initialiser, so that the fast implementations are
/// chosen and the guard pages are set up before anything is computed.
enum Sodium {
    private static let started = sodium_init() >= 0

    @inline(always)
    static func start() {
        precondition(started, "libsodium found no source of randomness")
    }
}
