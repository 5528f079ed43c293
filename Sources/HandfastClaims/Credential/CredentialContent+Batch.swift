/// What is a copy's own in a batch of one credential.
public struct CredentialCopy: Hashable, Sendable {
    /// The key that the holder keeps for this copy alone.
    public let holder: CredentialVerificationKey
    /// The copy's own place in a status list; nil for none.
    public let status: StatusReference?

    /// A copy for a key.
    public init(holder: CredentialVerificationKey, status: StatusReference?) {
        self.holder = holder
        self.status = status
    }
}

extension CredentialContent {
    /// Seconds of a day.
    public static let day: UInt64 = 86_400

    /// The content of one copy of a batch: its times rounded down to days, so that they are those of many others.
    public func copy(_ copy: CredentialCopy) -> CredentialContent {
        var content = roundedToDays()
        content.status = copy.status
        return content
    }

    /// The same with times that are those of many others.
    func roundedToDays() -> CredentialContent {
        var content = self
        content.issuedAt = issuedAt.map { $0 / Self.day * Self.day }
        content.notBefore = notBefore.map { $0 / Self.day * Self.day }
        content.expires = expires.map { $0 / Self.day * Self.day }
        return content
    }

    /// Adds as many decoys as bring the digests at the top to `count`, so that their number is the same for everybody.
    public mutating func pad(toDigests count: Int) {
        decoyCount = max(0, count - Set(redacting).count { $0.steps.count == 1 })
    }
}
