internal import HandfastCrypto

/// Decides with whom a server makes a handshake, since each costs it two key agreements.
///
/// Below the mark everybody is answered. Above it a client has to show that it reads what is sent to its address: it
/// is answered only once it shows the cookie of its address, and each address so many times a second. Nothing is kept
/// of those who show none. It does no I/O and reads no clock.
/// - Source: Spec/06 §6.6
package struct HandshakeDoor: ~Copyable, Sendable {
    /// Size of a cookie in bytes.
    package static let cookieCount = 16
    /// How long a secret makes cookies; it judges them for as long again.
    package static let secretLifetime = Duration.seconds(120)
    /// The most addresses of which is known when they were answered: more only come in as these leave.
    package static let maximumOrigins = 65_536

    private static let window = Duration.seconds(1)

    private let limits: LinkLimits

    /// When the present window began, how many first messages came in it, and whether the one before was too busy.
    private var windowStart: Duration
    private var windowCount = 0
    private var wasBusy = false

    private var secret: SecretBytes
    private var formerSecret: SecretBytes
    private var secretSince: Duration

    /// When an address has used up what it may do at once; an address of which this is past may do all of it.
    private var paidUntil: [String: Duration] = [:]

    /// How many handshakes it let be made.
    package private(set) var answeredCount = 0
    /// How many first messages it answered with a cookie.
    package private(set) var askedCount = 0
    /// How many it turned away.
    package private(set) var refusedCount = 0

    /// - Parameter now: Any clock that does not go back.
    package init(_ limits: LinkLimits, at now: Duration, using random: inout some RandomNumberGenerator) {
        self.limits = limits
        windowStart = now
        secret = SecretBytes(random: 32, using: &random)
        formerSecret = SecretBytes(random: 32, using: &random)
        secretSince = now
    }

    /// Judges a first message.
    /// - Parameters:
    ///   - cookie: What the client showed.
    ///   - origin: Where it comes from: an IPv4 address or an IPv6 /64.
    ///   - isLocal: Whether that is this machine itself.
    package mutating func admit(
        _ cookie: [UInt8]?, from origin: String, isLocal: Bool = false, at now: Duration,
        using random: inout some RandomNumberGenerator
    ) -> Admission {
        guard isLoaded(at: now) else {
            answeredCount += 1
            return .answer
        }
        rotate(at: now, using: &random)
        guard let cookie, isGenuine(cookie, of: origin) else {
            askedCount += 1
            return .ask(cookie: Self.cookie(of: origin, under: secret))
        }
        let rate = isLocal ? limits.handshakesFromLoopback : limits.handshakesPerAddress
        guard pay(origin, rate: rate, at: now) else {
            refusedCount += 1
            return .refuse
        }
        answeredCount += 1
        return .answer
    }
}

// MARK: - Load

extension HandshakeDoor {
    /// Counts a first message, and tells whether more come than all can be answered.
    private mutating func isLoaded(at now: Duration) -> Bool {
        let elapsed = now - windowStart
        if elapsed >= Self.window {
            wasBusy = elapsed < Self.window * 2 && windowCount > limits.handshakesPerSecond
            windowStart = now
            windowCount = 0
        }
        windowCount += 1
        return wasBusy || windowCount > limits.handshakesPerSecond
    }

    /// Takes one handshake from what an address may do: `rate` a second, a quarter of that at once.
    private mutating func pay(_ origin: String, rate: Int, at now: Duration) -> Bool {
        let interval = Duration.seconds(1) / rate
        let burst = max(1, rate / 4)
        let paid = max(paidUntil[origin] ?? now, now)
        guard paid - now <= interval * (burst - 1) else { return false }
        if paidUntil[origin] == nil, paidUntil.count >= Self.maximumOrigins {
            paidUntil = paidUntil.filter { $0.value > now }
            guard paidUntil.count < Self.maximumOrigins else { return false }
        }
        paidUntil[origin] = paid + interval
        return true
    }
}

// MARK: - Cookies

extension HandshakeDoor {
    private mutating func rotate(at now: Duration, using random: inout some RandomNumberGenerator) {
        let age = now - secretSince
        guard age >= Self.secretLifetime else { return }
        formerSecret = age < Self.secretLifetime * 2 ? secret.copy() : SecretBytes(random: 32, using: &random)
        secret = SecretBytes(random: 32, using: &random)
        secretSince = now
    }

    private func isGenuine(_ cookie: [UInt8], of origin: String) -> Bool {
        let present = SecretBytes(copying: Self.cookie(of: origin, under: secret).bytes)
        let former = SecretBytes(copying: Self.cookie(of: origin, under: formerSecret).bytes)
        let isPresent = present.isEqual(to: cookie.bytes)
        let isFormer = former.isEqual(to: cookie.bytes)
        return isPresent || isFormer
    }

    private static func cookie(of origin: String, under secret: borrowing SecretBytes) -> [UInt8] {
        var cookie = [UInt8](repeating: 0, count: cookieCount)
        var output = cookie.mutableBytes
        let input = [UInt8](origin.utf8)
        guard var hash = try? BLAKE2b(count: cookieCount, key: secret.bytes) else {
            preconditionFailure("A secret has 32 bytes")
        }
        hash.update(input.bytes)
        hash.finalize(into: &output)
        return cookie
    }
}
