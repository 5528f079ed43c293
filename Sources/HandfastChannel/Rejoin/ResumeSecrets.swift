public import HandfastCrypto
internal import HandfastEncoding

/// What the latest four epochs leave behind, so that a rejoin can show that its sender held one of them.
///
/// - Source: Spec/04 §4.8
public struct ResumeSecrets: ~Copyable, Sendable {
    /// The most epochs that are remembered.
    public static let maximumCount = 4

    /// Ascending by epoch; a class only because an array cannot hold what cannot be copied.
    private var kept: [Kept] = []

    private final class Kept: Sendable {
        let epoch: UInt64
        let secret: SecretBytes

        init(epoch: UInt64, secret: consuming SecretBytes) {
            self.epoch = epoch
            self.secret = secret
        }

        func copy() -> SecretBytes { secret.copy() }
    }

    /// None yet.
    public init() {}

    /// The epochs whose secrets are kept, ascending.
    public var epochs: [UInt64] { kept.map(\.epoch) }

    /// Keeps the secret of an epoch that begins, and forgets all but the latest four.
    ///
    /// - Parameter secret: 32 bytes.
    public mutating func insert(_ secret: borrowing SecretBytes, epoch: UInt64) {
        kept.removeAll { $0.epoch >= epoch }
        kept.append(Kept(epoch: epoch, secret: secret.copy()))
        kept.removeFirst(max(0, kept.count - Self.maximumCount))
    }

    /// The latest epoch not after `epoch` whose secret is kept.
    public func latest(atMost epoch: UInt64) -> UInt64? {
        kept.last { $0.epoch <= epoch }?.epoch
    }

    /// The secret of an epoch, 32 bytes; nil if it is not kept.
    public func secret(of epoch: UInt64) -> SecretBytes? {
        kept.first { $0.epoch == epoch }?.copy()
    }

    /// `[1, [* [epoch, secret]]]`, to be sealed into the vault.
    public borrowing func encoded() -> SecretBytes {
        var writer = SecretWriter(capacity: 256)
        writer.writeArrayHeader(2)
        writer.writeUnsigned(1)
        writer.writeArrayHeader(kept.count)
        for entry in kept {
            let secret = entry.copy()
            writer.writeArrayHeader(2)
            writer.writeUnsigned(entry.epoch)
            writer.writeBytes(secret.bytes)
        }
        return writer.finish()
    }

    /// Decodes what ``encoded()`` gives.
    ///
    /// - Throws: ``ChannelError``
    public static func decode(_ bytes: RawSpan) throws(ChannelError) -> ResumeSecrets {
        try ChannelError.decoding("stored resume secrets", bytes, maximum: 256) { reader in
            try reader.readArrayHeader(count: 2)
            let version = try reader.readUnsigned()
            guard version == 1 else { throw ChannelError.unsupportedVersion(version, of: "stored resume secrets") }
            var secrets = ResumeSecrets()
            for _ in 0..<(try reader.readArrayHeader(maximum: maximumCount)) {
                try reader.readArrayHeader(count: 2)
                let epoch = try reader.readUnsigned()
                guard secrets.kept.last.map({ $0.epoch < epoch }) ?? true else {
                    throw ChannelError.malformed("stored resume secrets: the epochs do not ascend")
                }
                secrets.kept.append(Kept(epoch: epoch, secret: SecretBytes(copying: try reader.readBytes(count: 32))))
            }
            return secrets
        }
    }
}
